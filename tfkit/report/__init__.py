"""The report: from the files of a run folder to one HTML file. No TensorFlow."""

from tfkit.lazy import lazy_exports

_LAZY = {"write": "html"}

__getattr__, __dir__, __all__ = lazy_exports(__name__, _LAZY)
