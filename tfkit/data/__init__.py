"""Data that several rooms read with; a dataset is a file with a `load` function."""

from tfkit.backend import require_tensorflow
from tfkit.lazy import lazy_exports

_LAZY = {
    "ArraySource": "source",
    "GridSource": "ground_truth",
    "GroundTruth": "ground_truth",
    "GroupedSource": "grouped",
    "Groups": "grouped",
    "Source": "source",
    "step_indexed": "pipeline",
}

__getattr__, __dir__, __all__ = lazy_exports(__name__, _LAZY, before=require_tensorflow)
