"""Optimizers and learning-rate schedules, under the names that recipes use."""

from tfkit.backend import require_tensorflow
from tfkit.lazy import lazy_exports

_LAZY = {
    "adam": "standard",
    "adamw": "standard",
    "cosine": "schedules",
    "exponential": "schedules",
    "linear": "schedules",
    "piecewise": "schedules",
    "rmsprop": "standard",
    "sgd": "standard",
}

__getattr__, __dir__, __all__ = lazy_exports(__name__, _LAZY, before=require_tensorflow)
