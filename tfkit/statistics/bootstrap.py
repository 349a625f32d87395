"""How sure an aggregate over few runs is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from tfkit.statistics.aggregates import STATISTICS
from tfkit.statistics.scores import checked_scores

_AT_ONCE = 4_000_000  # scores drawn at once, 32 MB: what keeps many tasks within memory


def bootstrap_interval(
    scores: Sequence,
    *,
    statistic: Literal["mean", "median", "iqm", "optimality_gap"] = "iqm",
    resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
) -> tuple[float, float] | tuple[None, None]:
    """Percentile interval of an aggregate by the stratified bootstrap.

    Each resample draws, for every task on its own, as many runs as there are, with replacement;
    the interval lies between the quantiles (1 - confidence) / 2 and (1 + confidence) / 2 of the
    statistic over the resamples. It says how the runs would differ if they were made again, not
    how other tasks would.

    One run has no interval: the answer is (None, None), as resampling it would give a width of
    zero, which looks like certainty. Fewer than three runs give an interval that is too narrow,
    which the leaderboard does not show.

    Shapes: [runs, tasks] -> (low, high)
    Args:
        scores: a row per run, a column per task, on one scale for all tasks.
        statistic: a key of what `aggregate` returns; the paper recommends the interquartile mean.
        resamples: how many are drawn, >= 1; 2000 is the reference implementation's.
        confidence: share of such intervals that cover, in (0, 1).
        seed: the same seed gives the same interval.
    Raises:
        ValueError: scores that are no rectangle or not finite, an argument out of range.
    References: Agarwal et al. 2021, arXiv:2108.13264, section 4.1.
    """
    array = checked_scores(scores, "bootstrap_interval")
    if statistic not in STATISTICS:
        raise ValueError(
            f"bootstrap_interval: statistic must be one of {', '.join(STATISTICS)}, "
            f"got {statistic!r}."
        )
    if resamples < 1:
        raise ValueError(f"bootstrap_interval: resamples must be >= 1, got {resamples}.")
    if not 0 < confidence < 1:
        raise ValueError(f"bootstrap_interval: confidence must be in (0, 1), got {confidence}.")
    if len(array) == 1:
        return None, None
    drawn = np.concatenate(
        [STATISTICS[statistic](chosen) for chosen in _resampled(array, resamples, seed)]
    )  # [R]
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def _resampled(scores: np.ndarray, resamples: int, seed: int):
    """Blocks [r, runs, tasks] of scores, the runs of each task drawn on their own."""
    generator = np.random.default_rng(seed)
    block = max(1, _AT_ONCE // scores.size)
    for start in range(0, resamples, block):
        size = (min(block, resamples - start), *scores.shape)
        rows = generator.integers(len(scores), size=size)
        yield np.take_along_axis(scores[None], rows, axis=1)
