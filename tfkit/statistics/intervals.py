"""Intervals for a mean over training seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import stdtrit  # scipy.stats would cost a second of import for one quantile


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> dict:
    """Mean of n values with Student's t interval for the mean of their population.

        mean ± t(n - 1, (1 + confidence) / 2) * s / sqrt(n),    s with n - 1 degrees of freedom

    One value has no interval: `low` and `high` are then None, never a number that looks like one.
    A value that is not finite makes the mean so, and leaves no interval either. Two values have
    one, which tables and reports do not show (`tfkit.statistics.few_seeds`).

    Shapes: [n] -> dict of mean, low, high (floats or None) and values (list of n floats).
    Args:
        values: one figure per seed, at least one.
        confidence: probability that the interval covers the population's mean, in (0, 1).
    References: Student 1908, The probable error of a mean, Biometrika 6(1).
    """
    if not 0 < confidence < 1:
        raise ValueError(f"mean_interval: confidence must be in (0, 1), got {confidence}.")
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or sample.size == 0:
        raise ValueError(
            f"mean_interval: values must be a non-empty list of numbers, got shape {sample.shape}."
        )
    mean = float(sample.mean())
    result = {"mean": mean, "low": None, "high": None, "values": sample.tolist()}
    if sample.size > 1 and np.isfinite(mean):
        spread = sample.std(ddof=1) / np.sqrt(sample.size)
        half = float(stdtrit(sample.size - 1, (1 + confidence) / 2) * spread)
        result |= {"low": mean - half, "high": mean + half}
    return result
