"""Intervals, aggregates and tests: numbers in, numbers out."""

from tfkit.lazy import lazy_exports

_LAZY = {
    "aggregate": "aggregates",
    "bootstrap_interval": "bootstrap",
    "holm": "paired",
    "mean_interval": "intervals",
    "paired_tests": "paired",
    "probability_of_improvement": "improvement",
    "selection_transfer": "transfer",
    "variance_explained": "explained",
}

__getattr__, __dir__, __all__ = lazy_exports(__name__, _LAZY)
