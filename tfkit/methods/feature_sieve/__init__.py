"""Feature sieve: classifiers whose early layers are kept from what is too easily decoded there."""

from tfkit.backend import require_tensorflow
from tfkit.lazy import lazy_exports

_LAZY = {"FeatureSieve": "model", "FreshProbe": "probe", "probe_accuracy": "probe"}

__getattr__, __dir__, __all__ = lazy_exports(__name__, _LAZY, before=require_tensorflow)
