"""Values, mean and interval as places on a strip."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tfkit.report.numbers import finite


def strip_places(spread: dict[str, Any], ends: tuple) -> dict[str, Any] | None:
    """Where values, mean and interval lie on a strip of [0, 100] between two ends."""
    start, end = ends
    if not finite(spread["mean"]) or not end > start:
        return None

    def places(numbers: Iterable[float]) -> list[float]:
        return [100 * (v - start) / (end - start) for v in numbers if finite(v)]

    span = None if spread["low"] is None else places([spread["low"], spread["high"]])
    return {"values": places(spread["values"]), "mean": places([spread["mean"]])[0], "span": span}


def ends_of(rows: list[dict[str, Any]]) -> tuple[float, float]:
    """The smallest and largest number of several rows, so that their strips are on one scale."""
    numbers = [v for row in rows for v in [*row["values"], row["low"], row["high"]] if finite(v)]
    return (min(numbers), max(numbers)) if numbers else (0.0, 0.0)
