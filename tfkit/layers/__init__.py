"""Layers that stand alone, one idea a file."""

from tfkit.backend import require_tensorflow
from tfkit.lazy import lazy_exports

_LAZY = {
    "ConvReadout": "readout",
    "DenseReadout": "readout",
    "SequenceReadout": "sequence_readout",
}

__getattr__, __dir__, __all__ = lazy_exports(__name__, _LAZY, before=require_tensorflow)
