"""Optuna's samplers and pruners by name; a trial's draws depend on its number, not on who asks."""

import optuna

from tfkit.seeding import derive


def sampler_for(kind: str, seed: int, id: str, constant_liar: bool) -> optuna.samplers.BaseSampler:
    """A fresh sampler for one trial.

    One sampler with one seed would draw the same again in every process and after every resume;
    here each trial has its own seed, and all else that a sampler knows it reads from the storage.

    Args:
        kind: one of the engine's samplers.
        seed: the search's.
        id: the trial's.
        constant_liar: whether TPE takes running trials for bad ones.
    """
    own = derive(seed, id, 0, "proposal")
    if kind == "tpe":
        return optuna.samplers.TPESampler(seed=own, constant_liar=constant_liar)
    alone = optuna.samplers.RandomSampler(seed=own)
    if kind == "random":
        return alone
    # CMA-ES adds the trial's number to its seed itself; two sums of 16 bits could collide
    return optuna.samplers.CmaEsSampler(
        seed=derive(seed, "", 0, "proposal"),
        independent_sampler=alone,
        warn_independent_sampling=False,
    )


def pruner_for(kind: str, warmup: int) -> optuna.pruners.BasePruner:
    """The pruner; `warmup` is the first step at which it may prune, 0: its own default."""
    if kind == "median":
        return optuna.pruners.MedianPruner(n_warmup_steps=warmup)
    if kind == "hyperband":
        return optuna.pruners.HyperbandPruner(min_resource=warmup or 1)
    if kind == "successive_halving":
        return optuna.pruners.SuccessiveHalvingPruner(min_resource=warmup or "auto")
    return optuna.pruners.NopPruner()
