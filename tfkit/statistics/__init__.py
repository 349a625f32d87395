"""Intervals and aggregates: numbers in, numbers out."""

from tfkit.lazy import lazy_exports

_LAZY = {"mean_interval": "intervals"}

__getattr__, __dir__, __all__ = lazy_exports(__name__, _LAZY)
