"""Early readouts: a student is distilled with weights from what its early layers fall for."""

from tfkit.backend import require_tensorflow
from tfkit.lazy import lazy_exports

_LAZY = {"DebiasedDistillation": "model", "Rounds": "rounds", "write_audit": "audit"}

__getattr__, __dir__, __all__ = lazy_exports(__name__, _LAZY, before=require_tensorflow)
