"""Values, mean and interval as places on a strip."""

from __future__ import annotations

from typing import Any

from tfkit.report.numbers import finite


def strip_places(
    values: list, mean: float, low: float | None, high: float | None, ends: tuple
) -> dict[str, Any] | None:
    """Where values, mean and interval lie on a strip of [0, 100] between two ends."""
    start, end = ends
    if not finite(mean) or not end > start:
        return None
    places = [100 * (v - start) / (end - start) for v in values if finite(v)]
    span = None if low is None else [100 * (v - start) / (end - start) for v in (low, high)]
    return {"values": places, "mean": 100 * (mean - start) / (end - start), "span": span}


def ends_of(rows: list[dict[str, Any]]) -> tuple[float, float]:
    """The smallest and largest number of several rows, so that their strips are on one scale."""
    numbers = [v for row in rows for v in [*row["values"], row["low"], row["high"]] if finite(v)]
    return (min(numbers), max(numbers)) if numbers else (0.0, 0.0)
