"""A search driven without training: spaces, a made-up objective, orders of telling."""

import math

from tfkit.search import make_engine

PLAIN = {
    "rate": {"float": [1e-4, 1e-1], "log": True},
    "units": {"int": [16, 64], "step": 16},
    "activation": {"choice": ["relu", "smelu"]},
    "bias": {"bool": True},
}
CONDITIONAL = {
    "method": {"choice": ["beta_vae", "dip_vae"]},
    "beta": {"float": [1, 16], "log": True, "when": {"method": ["beta_vae"]}},
    "lambda": {"float": [1, 3], "step": 1, "when": {"method": ["dip_vae"]}},
}
SPACES = {"plain": PLAIN, "conditional": CONDITIONAL}
# (engine, options, trials): small, and past the point where the outcomes begin to matter
CASES = {
    "random": ({}, 7),
    "grid": ({}, 9),
    "bayesian": ({"num_initial_points": 3}, 8),
    "hyperband": ({"maximum": 9, "minimum": 1}, 22),
}


def make(directory, kind, space=PLAIN, seed=3, **changed):
    """An engine of a kind with the options of its case."""
    options, trials = CASES[kind]
    given = {"trials": trials, "goal": "min", "objective": "loss", **options, **changed}
    return make_engine(kind, space, seed=seed, directory=directory, **given)


def objective(values) -> float:
    """A function of everything that a trial may vary."""
    rate = math.log10(values.get("rate", 1e-2)) + 2
    found = rate**2 + values.get("units", 0) / 64 + (values.get("activation") == "relu")
    return found + values.get("beta", 0) / 16 + values.get("lambda", 1.5) ** 2


def drive(engine, width=1, most=1000, kill_after=None) -> list:
    """Run the search with `width` trials at once, the last begun ending first; every fourth trial
    fails. Stops after `kill_after` questions and answers. Returns the trials in order of asking.
    """
    running, asked, moves = [], [], 0
    while len(asked) < most:
        trial = engine.ask() if len(running) < width else None
        if trial is not None:
            asked.append(trial)
            running.append(trial)
        elif running:
            answer(engine, running.pop())
        else:
            assert engine.done, "nothing to ask, nothing running, and yet not done"
            break
        moves += 1
        if moves == kill_after:
            break
    return asked


def answer(engine, trial) -> None:
    """Tell the made-up outcome."""
    failed = int(trial.id) % 4 == 3
    status, value = ("failed", None) if failed else ("completed", objective(trial.values))
    engine.tell(trial.id, value, status=status)
