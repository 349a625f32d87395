"""Scores of a trained VAE: the study's metrics, and what its ELBO is made of."""

from typing import Literal

import numpy as np

from tfkit.methods.disentanglement import excluded
from tfkit.methods.disentanglement.codes import (
    Codes,
    encoder_of,
    from_grid,
    from_held_out,
    mean_of,
    sampled_from,
)
from tfkit.methods.disentanglement.figures import figures
from tfkit.methods.disentanglement.floors import floors
from tfkit.methods.disentanglement.held_out import held_out_terms, summary
from tfkit.methods.disentanglement.names import ELBO, EXCLUDED, SAMPLED, selected
from tfkit.methods.disentanglement.scores import Scores, Settings

__all__ = ["arrays", "check", "evaluate", "figures", "floors"]

_COMPARED = 1_000  # images on which models are compared with each other, the study's for UDR


def evaluate(
    model,
    source,
    split,
    metrics,
    seed,
    *,
    samples: int = 10_000,
    votes: int = 10_000,
    bins: int = 20,
    trees: Literal["exact", "fast"] = "exact",
    drawn_from: Literal["grid", "held_out"] = "grid",
) -> dict[str, float]:
    """Scores of the mean representation, of a sample of it (`sampled_…`), and the ELBO's parts.

    As in the study, scores are of independent draws from all combinations of factors, `samples` to
    learn from and half as many to be judged on. In a world of few combinations the two overlap.
    Where the data have no such grid, are a user's own images, or with drawn_from "held_out", scores
    are of held-out images, a third of them to be judged on. The ELBO's terms are of held-out
    images, with one sample of the code for each. What says `asked` is computed only where it is
    named; a score that the codes do not allow is NaN, with a warning.

    Gives:
        mig (factors): a score: mutual information gap, in [0, 1]; larger is better.
        beta_vae_score (factors): a score: accuracy of a classifier, in [0, 1]; larger is better.
        factor_vae_score (factors): a score: accuracy of votes, in [0, 1]; larger is better.
        modularity (factors): a score: one factor a latent by bins, in [0, 1]; larger is better.
        explicitness (factors): mean area under the ROC curve, in [0, 1]; larger is better.
        sap (factors): a score: separated attribute predictability, in [0, 1]; larger is better.
        irs (factors): interventional robustness, in [0, 1]; larger is better.
        gaussian_tc: total correlation of the means' Gaussian, in nats; smaller is better.
        gaussian_tc_active: the same over latents whose deviation is 0.05 or more.
        gaussian_wasserstein: Wasserstein correlation over the trace, in [0, 1]; smaller is better.
        mutual_information_score: mean mutual information of two latents; smaller is better.
        sampled_gaussian_tc: that of sampled codes, in nats; smaller is better.
        sampled_gaussian_wasserstein: that of sampled codes, in [0, 1]; smaller is better.
        sampled_mutual_information_score: that of sampled codes; smaller is better.
        reconstruction: Bernoulli reconstruction error of an image, in nats; smaller is better.
        kl: KL divergence of q(z|x) from the prior, in nats.
        elbo: -(reconstruction + kl), the evidence lower bound, in nats; larger is better.
        active_units: latents whose mean KL is above 0.01 nats.
        dci_disentanglement (factors; asked): a score: by trees, in [0, 1]; larger is better.
        dci_completeness (factors; asked): one latent a factor, in [0, 1]; larger is better.
        dci_informativeness (factors; asked): accuracy of the trees, in [0, 1]; larger is better.
        infom (factors; asked): InfoMEC's modularity, in [0, 1]; larger is better.
        infoe (factors; asked): InfoMEC's explicitness, in [0, 1]; larger is better.
        infoc (factors; asked): InfoMEC's compactness, in [0, 1]; larger is better.
        dci_es_explicitness (factors; asked): how small a probe suffices; larger is better.
        lr_10 (factors; asked): accuracy from 10 points, in [0, 1]; larger is better.
        lr_100 (factors; asked): accuracy from 100 points, in [0, 1]; larger is better.
        lr_1000 (factors; asked): accuracy from 1,000 points, in [0, 1]; larger is better.
        lr_10000 (factors; asked): accuracy from 10,000 points, in [0, 1]; larger is better.
        lr_efficiency (factors; asked): accuracy from 100 points over that from all `samples`.
        gbt_10 (factors; asked): boosted trees, 10 points, in [0, 1]; larger is better.
        gbt_100 (factors; asked): boosted trees, 100 points, in [0, 1]; larger is better.
        gbt_1000 (factors; asked): boosted trees, 1,000 points, in [0, 1]; larger is better.
        gbt_10000 (factors; asked): boosted trees, 10,000 points, in [0, 1]; larger is better.
        gbt_efficiency (factors; asked): accuracy from 100 points over that from all `samples`.
        sampled_mig (factors; asked): `mig` of sampled codes, in [0, 1]; larger is better.
        sampled_beta_vae_score (factors; asked): that of sampled codes, in [0, 1]; larger is better.
        sampled_factor_vae_score (factors; asked): the same, in [0, 1]; larger is better.
        sampled_modularity (factors; asked): that of sampled codes, in [0, 1]; larger is better.
        sampled_explicitness (factors; asked): the same, in [0, 1]; larger is better.
        sampled_sap (factors; asked): that of sampled codes, in [0, 1]; larger is better.
        sampled_irs (factors; asked): that of sampled codes, in [0, 1]; larger is better.
        sampled_dci_disentanglement (factors; asked): the same, in [0, 1]; larger is better.
        sampled_dci_completeness (factors; asked): the same, in [0, 1]; larger is better.
        sampled_dci_informativeness (factors; asked): the same, in [0, 1]; larger is better.
        excluded_reconstruction (factors; asked): that of combinations that training never showed.
        excluded_accuracy (factors; asked): factors of these read by a linear classifier that has
            learned from 1,000 others, in [0, 1]; larger is better.
    Args:
        samples: points the scores learn from, >= 4; 10000 is the study's. Several scores depend on
            it: compare at equal N.
        votes: points the sampling metrics (beta_vae_score, factor_vae_score) learn from, >= 1;
            10000 is the study's.
        bins: bins of equal width per latent for the mutual information, >= 2; 20 is the study's.
        trees: "exact" as in the study, or "fast": another library's, ten times as fast, for DCI.
        drawn_from: "grid", the study's draws from all combinations, or "held_out" images.
    Raises:
        ValueError: an unknown metric, or one that these data or this model do not allow.
    References: Locatello et al. 2019, arXiv:1811.12359.
    """
    _check(samples, votes, bins, trees, drawn_from)
    grid = _from_grid(source, drawn_from)
    names = selected(metrics, model, source, grid)
    settings = Settings(samples, votes, bins, trees, _numpy_seed(seed, split))
    values = _scores(model, source, split, names, settings, grid)
    if set(names) & set(ELBO):
        values |= summary(held_out_terms(model, source, split, samples, seed))
    if set(names) & set(EXCLUDED):
        values |= excluded.measured(model, source, names, samples, settings.seed)
    return {name: float(values[name]) for name in names}


def check(
    model,
    source,
    metrics,
    *,
    samples=10_000,
    votes=10_000,
    bins=20,
    trees="exact",
    drawn_from="grid",
) -> None:
    """Refuse, before anything is trained, what `evaluate` would refuse afterwards.

    Args:
        model: a `VAE`.
        source: its data.
        metrics: names of the scores, or None.
        samples: as in `evaluate`.
        votes: as in `evaluate`.
        bins: as in `evaluate`.
        trees: as in `evaluate`.
        drawn_from: as in `evaluate`.
    Raises:
        ValueError: as `evaluate`.
    """
    _check(samples, votes, bins, trees, drawn_from)
    names = selected(metrics, model, source, _from_grid(source, drawn_from))
    sizes = {int(name.rpartition("_")[2]): name for name in names if name[-1] == "0"}
    if sizes and max(sizes) > samples:
        raise ValueError(
            f"evaluate: {sizes[max(sizes)]} learns from {max(sizes)} points, and samples is "
            f"{samples}; raise samples, or leave it out."
        )


def arrays(model, source, seed) -> dict[str, dict[str, np.ndarray]]:
    """What comparisons of several models need of each: `representation`, the means [N, D] and the
    mean KL [D] in nats of the same 1,000 test images for every model of one data set.
    """
    sample = from_held_out(encoder_of(model.encoder), source, "test", _COMPARED)
    rows = np.concatenate([sample.rows, sample.rows_test])[:_COMPARED]
    mean, logvar = np.split(rows, 2, axis=1)
    kl = 0.5 * (np.square(mean) + np.exp(logvar) - logvar - 1).mean(axis=0)
    return {"representation": {"codes": mean, "kl": kl}}


def _scores(model, source, split, names, settings, grid) -> dict[str, float]:
    """The scores among `names`; all of them from one sample that is encoded once."""
    wanted = [name for name in names if name not in (*ELBO, *EXCLUDED)]
    if not wanted:
        return {}
    encode = encoder_of(model.encoder)
    codes = Codes(source, encode) if grid else None
    if grid and not getattr(source, "few_images", False):
        sample = from_grid(codes, settings.samples, np.random.RandomState(settings.seed))
    else:
        sample = from_held_out(encode, source, split, settings.samples)
    mean = Scores(mean_of, sample, codes, settings)
    sampled = Scores(sampled_from, sample, codes, settings) if _any_sampled(wanted) else None
    return {
        name: sampled.named(name.removeprefix(SAMPLED))
        if name.startswith(SAMPLED)
        else mean.named(name)
        for name in wanted
    }


def _from_grid(source, drawn_from) -> bool:
    return drawn_from == "grid" and getattr(source, "factor_sizes", None) is not None


def _any_sampled(names) -> bool:
    return any(name.startswith(SAMPLED) for name in names)


def _numpy_seed(seed: int, split: str) -> int:
    """A seed for NumPy's RandomState, which takes 32 bits, another one for each split."""
    return (int(seed) + (split == "valid")) % (1 << 32)


def _check(samples, votes, bins, trees, drawn_from):
    for name, value, least in (("samples", samples, 4), ("votes", votes, 1), ("bins", bins, 2)):
        if value < least:
            raise ValueError(f"evaluate: {name} must be >= {least}, got {value}.")
    for name, value, known in (
        ("trees", trees, ("exact", "fast")),
        ("drawn_from", drawn_from, ("grid", "held_out")),
    ):
        if value not in known:
            raise ValueError(f"evaluate: {name} must be one of {', '.join(known)}, got {value!r}.")
