"""How a model fares on combinations of factors that training never showed it."""

import numpy as np

from tfkit import metrics
from tfkit.methods.disentanglement.codes import Codes, encoder_of, mean_of
from tfkit.methods.disentanglement.held_out import BATCH, elbo_terms

_LEARNS_FROM = 1_000  # points of the classifiers


def has_excluded(source) -> bool:
    """Whether training leaves combinations out."""
    draw = getattr(source, "excluded_factors", None)
    return draw is not None and draw(1, np.random.RandomState(0)) is not None


def measured(model, source, names, samples: int, seed: int) -> dict[str, float]:
    """The scores among `names` that are of excluded combinations."""
    scores = {"excluded_reconstruction": _reconstruction, "excluded_accuracy": _accuracy}
    return {
        name: score(model, source, samples, seed) for name, score in scores.items() if name in names
    }


def _reconstruction(model, source, samples, seed) -> float:
    """Bernoulli reconstruction error of images of excluded combinations, in nats."""
    random_state = np.random.RandomState(seed)
    factors = source.excluded_factors(samples, random_state)
    starts = range(0, len(factors), BATCH)
    batches = (source.observe(factors[start : start + BATCH], random_state) for start in starts)
    return float(elbo_terms(model, batches, samples, seed).reconstruction.mean())


def _accuracy(model, source, samples, seed) -> float:
    """Mean accuracy over the factors, on excluded combinations, of a logistic regression that has
    learned from 1,000 training images.
    """
    random_state, codes = np.random.RandomState(seed), Codes(source, encoder_of(model.encoder))
    batch = next(iter(source.train(_LEARNS_FROM, seed=seed)))
    excluded = source.excluded_factors(samples, random_state)
    return metrics.downstream_accuracy(
        mean_of(codes.encode(batch["images"])),
        batch["factors"].numpy(),
        codes_test=mean_of(codes.observe(excluded, random_state)),
        factors_test=excluded,
        model="logistic_regression",
    )["downstream_accuracy"]
