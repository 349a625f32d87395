"""Metrics as functions of NumPy arrays, one idea a file."""

from tfkit.lazy import lazy_exports

_LAZY = {"mutual_information_gap": "mig"}

__getattr__, __dir__, __all__ = lazy_exports(__name__, _LAZY)
