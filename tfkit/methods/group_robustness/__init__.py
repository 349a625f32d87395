"""Group robustness: the baselines that methods against shortcuts are compared with."""

from tfkit.lazy import lazy_exports

_LAZY = {
    "DFR": "dfr",
    "DeTT": "transplant",
    "ERM": "model",
    "GroupDRO": "group_dro",
    "JTT": "jtt",
    "KnowledgeDistillation": "distillation",
    "Reweighting": "model",
    "SimKD": "transplant",
    "Subsampling": "model",
}

__getattr__, __dir__, __all__ = lazy_exports(__name__, _LAZY)
