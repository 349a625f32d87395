"""The export: a model to a SavedModel that is a TF-Hub module too, and answers from it."""

from tfkit.lazy import lazy_exports

_LAZY = {"export_model": "savedmodel", "reusable_root": "hub"}

__getattr__, __dir__, __all__ = lazy_exports(__name__, _LAZY)
