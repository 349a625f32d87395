"""What every statistic of this package asks of its scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def checked_scores(scores: Sequence, caller: str, name: str = "scores") -> np.ndarray:
    """Scores as float64 [runs, tasks]; a ValueError says what is wrong with them.

    Args:
        scores: a row per run, a column per task.
        caller: the function that is to be named in the message.
        name: of its argument.
    """
    try:
        array = np.asarray(scores, dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{caller}: {name} must be a rectangle of numbers [runs, tasks], with as many runs for "
            f"every task; got {error}."
        ) from None
    if array.ndim != 2 or array.size == 0:
        raise ValueError(
            f"{caller}: {name} must be [runs, tasks] with at least one of each, got shape "
            f"{array.shape}; one task alone is [[score], [score], …]."
        )
    if not np.isfinite(array).all():
        run, task = np.argwhere(~np.isfinite(array))[0]
        raise ValueError(
            f"{caller}: {name} must be finite, got {array[run, task]} in run {run} of task {task}; "
            "leave the run out, and say so."
        )
    return array
