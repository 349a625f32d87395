"""tfkit: one YAML recipe from a research idea to a served Keras model.

`tfkit.run("recipe.yaml")` runs an experiment; `tfkit.losses`, `tfkit.models`, `tfkit.metrics` …
hold the pieces for Keras code of your own. Importing tfkit imports neither TensorFlow nor Keras.
"""

from tfkit.backend import require_tensorflow
from tfkit.lazy import lazy_exports
from tfkit.version import __version__

_LAZY = {"load_model": "keras_files", "run": "experiment"}

__getattr__, __dir__, __all__ = lazy_exports(__name__, _LAZY, before=require_tensorflow)
__all__ += ["__version__"]
