"""What is shown of a mean over too few seeds."""

from __future__ import annotations

from typing import Any

LEAST_SEEDS = 3  # fewer say nothing about how much the next seed may differ


def as_shown(spread: dict[str, Any]) -> dict[str, Any]:
    """A spread as every table and report shows it: fewer than three values keep no interval.

    Student's t interval of two values is right on average, yet its width is a matter of luck, so
    that readers see n=2 instead. Files for machines may keep it.

    Args:
        spread: what `mean_interval` returns, with low, high and values.
    """
    few = len(spread.get("values") or ()) < LEAST_SEEDS
    return {**spread, "low": None, "high": None} if few else spread
