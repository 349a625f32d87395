"""One number for many runs on many tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tfkit.statistics.scores import checked_scores

_TRIMMED = 0.25  # share that the interquartile mean cuts at each end
_PERFECT = 1.0  # the score above which more is no gain for the optimality gap


def aggregate(scores: Sequence) -> dict[str, float]:
    """Mean, median, interquartile mean and optimality gap over runs and tasks.

        mean, median     over tasks, of each task's mean over runs
        iqm              mean of the middle half of all scores, runs × tasks: a quarter of them,
                         rounded down, is cut at each end
        optimality_gap   1 - mean(min(score, 1))

    The interquartile mean heeds outliers less than the mean and ties less than the median; it is
    the one to report. The optimality gap supposes scores of which 1 is all one can wish for.

    Shapes: [runs, tasks] -> dict of four floats
    Args:
        scores: a row per run, a column per task, on one scale for all tasks.
    Raises:
        ValueError: scores are no rectangle, or not finite.
    References: Agarwal et al. 2021, arXiv:2108.13264, section 4.
    """
    array = checked_scores(scores, "aggregate")
    return {name: float(function(array)) for name, function in STATISTICS.items()}


def _mean(scores: np.ndarray) -> np.ndarray:
    """[..., runs, tasks] -> [...]"""
    return scores.mean(axis=-2).mean(axis=-1)


def _median(scores: np.ndarray) -> np.ndarray:
    return np.median(scores.mean(axis=-2), axis=-1)


def _interquartile_mean(scores: np.ndarray) -> np.ndarray:
    flat = scores.reshape(*scores.shape[:-2], -1)  # [..., N]
    size = flat.shape[-1]
    cut = int(_TRIMMED * size)
    return np.sort(flat, axis=-1)[..., cut : size - cut].mean(axis=-1)


def _optimality_gap(scores: np.ndarray) -> np.ndarray:
    return _PERFECT - np.minimum(scores, _PERFECT).mean(axis=(-2, -1))


STATISTICS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "mean": _mean,
    "median": _median,
    "iqm": _interquartile_mean,
    "optimality_gap": _optimality_gap,
}
