"""tfkit: one YAML recipe from a research idea to a served Keras model.

`tfkit.run("recipe.yaml")` runs an experiment; `tfkit.losses`, `tfkit.models`, `tfkit.metrics` …
hold the pieces for Keras code of your own. Importing tfkit imports neither TensorFlow nor Keras.
"""

import importlib

from tfkit.backend import require_tensorflow
from tfkit.lazy import lazy_exports
from tfkit.version import __version__ as __version__

_LAZY = {"load_model": "keras_files", "run": "experiment"}
_PACKAGES = ("data", "export", "losses", "methods", "metrics", "models", "optimizers", "recipe")

_load, _names, __all__ = lazy_exports(__name__, _LAZY, before=require_tensorflow)
__all__ = sorted([*__all__, *_PACKAGES, "__version__"])


def __getattr__(name: str) -> object:
    return importlib.import_module(f"tfkit.{name}") if name in _PACKAGES else _load(name)


def __dir__() -> list[str]:
    return __all__
