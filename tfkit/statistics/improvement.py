"""How often one method beats another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tfkit.statistics.scores import checked_scores


def probability_of_improvement(x: Sequence, y: Sequence) -> float:
    """Probability that a run of X scores higher than a run of Y, on a task drawn at random.

        mean over tasks of  P(X > Y) + P(X = Y) / 2,    over all pairs of runs

    One half: neither is better. It says how often, not by how much: the difference may be tiny.

    Shapes: [runs of X, tasks], [runs of Y, tasks] -> float
    Args:
        x: a row per run, a column per task.
        y: the same tasks in the same order; another number of runs is welcome.
    Raises:
        ValueError: other tasks, scores that are no rectangle or not finite.
    References: Agarwal et al. 2021, arXiv:2108.13264, section 4.3; Mann and Whitney 1947.
    """
    one = checked_scores(x, "probability_of_improvement", "x")
    other = checked_scores(y, "probability_of_improvement", "y")
    if one.shape[1] != other.shape[1]:
        raise ValueError(
            "probability_of_improvement: x and y must have the same tasks, got "
            f"{one.shape[1]} and {other.shape[1]}."
        )
    pairs = one[:, None], other[None]  # [X, 1, T], [1, Y, T]
    wins = np.greater(*pairs) + 0.5 * np.equal(*pairs)  # [X, Y, T]
    return float(wins.mean(axis=(0, 1)).mean())
