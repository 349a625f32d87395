"""Spans of time as people write them: 2h, 90m, 1h30m, 45s, or a number of seconds."""

import re

_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_FORM = re.compile(r"(?:\d+(?:\.\d+)?[dhms])+")
EXAMPLE = "a time > 0 like 2h, 90m, 1h30m or 45s, or a number of seconds"


def seconds(span: str | float | None) -> float | None:
    """The span in seconds; None stays None.

    Raises `ValueError` for what is no time, or none above 0.
    """
    if span is None:
        return None
    if isinstance(span, str):
        if not _FORM.fullmatch(span):
            raise ValueError(f"must be {EXAMPLE}, got {span}")
        parts = re.findall(r"([\d.]+)([dhms])", span)
        span = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if not 0 < span < float("inf"):
        raise ValueError(f"must be {EXAMPLE}, got {span:g}")
    return float(span)
