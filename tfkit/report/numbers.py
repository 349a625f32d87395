"""Numbers as readers want them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfkit.report.settings import written


def number(value: Any) -> str:
    """Four significant digits; a whole number whole; what is not a number as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "–" if value is None else written(value)
    if isinstance(value, int) or (np.isfinite(value) and value == int(value) and abs(value) < 1e6):
        return f"{int(value):,}".replace(",", "\u202f")
    return f"{value:.4g}".replace("e-0", "e-").replace("e+0", "e")


def metric(name: str, value: Any) -> dict[str, Any]:
    """One metric: its mean, interval and values, and where they lie on a strip of [0, 100]."""
    spread = value if isinstance(value, dict) else {"mean": value, "values": [value]}
    values = spread.get("values") or [spread.get("mean")]
    low, high = spread.get("low"), spread.get("high")
    shown = [v for v in [*values, low, high] if isinstance(v, int | float) and np.isfinite(v)]
    strip = None
    if len(values) > 1 and low is not None and shown and max(shown) > min(shown):
        start, width = min(shown), max(shown) - min(shown)
        places = [100 * (v - start) / width for v in [*values, spread["mean"], low, high]]
        strip = {"values": places[:-3], "mean": places[-3], "low": places[-2], "high": places[-1]}
    mean, left, right, *each = alike([spread.get("mean"), low, high, *values])
    return {
        "name": name,
        "mean": mean,
        "interval": None if low is None else f"[{left}, {right}]",
        "values": each,
        "strip": strip,
    }


def alike(values: list) -> list[str]:
    """Numbers of one row with as many decimals each: three digits of the largest, two of the
    spread, since more would say more than the seeds do. One value alone is `number`'s.
    """
    known = [v for v in values if finite(v)]
    if len(set(known)) < 2 or all(isinstance(v, int) for v in known):
        return [number(v) for v in values]
    largest = _magnitude(max(map(abs, known)))
    digits = max(2 - largest, 1 - _magnitude(max(known) - min(known)))
    if not 0 <= digits <= 6:
        return [number(v) for v in values]
    fewest = max(0, 2 - largest)
    while digits > fewest and all(f"{v:.{digits}f}".endswith("0") for v in known):
        digits -= 1
    return [f"{v:.{digits}f}" if finite(v) else number(v) for v in values]


def _magnitude(value: float) -> int:
    return int(np.floor(np.log10(value)))


def finite(value: Any) -> bool:
    """Whether it is a number that can be drawn."""
    return isinstance(value, int | float) and bool(np.isfinite(value))
