"""Numbers as readers want them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfkit.report.settings import written
from tfkit.statistics.few_seeds import as_shown


def number(value: Any) -> str:
    """Four significant digits; a whole number whole; what is not a number as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "–" if value is None else written(value)
    if isinstance(value, int) or (np.isfinite(value) and value == int(value) and abs(value) < 1e6):
        return f"{int(value):,}".replace(",", "\u202f")
    return f"{value:.4g}".replace("e-0", "e-").replace("e+0", "e")


def spread_of(value: Any) -> dict[str, Any]:
    """A figure of evaluation.json or search.json, one number or a spread over seeds, as a spread
    without the interval that is not shown.
    """
    known = value if isinstance(value, dict) else {"mean": value}
    spread = {key: known.get(key) for key in ("mean", "low", "high")}
    return as_shown({**spread, "values": known.get("values") or [spread["mean"]]})


def told(
    mean: float | None, low: float | None, high: float | None, values: list = (), n: int = 0
) -> dict[str, Any]:
    """A spread as words: its mean, its interval or how many seeds are too few for one, its values.

    Args:
        mean: over the seeds.
        low: end of the interval, or None.
        high: the other end.
        values: by seed.
        n: how many seeds, where `values` does not tell.
    """
    middle, left, right, *each = alike([mean, low, high, *values])
    interval = f"n={n or len(values)}" if low is None else f"[{left}, {right}]"
    return {"mean": middle, "interval": interval, "values": each}


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
