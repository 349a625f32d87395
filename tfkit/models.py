"""The rooms' public models under one roof: `tfkit.models.BetaTCVAE`."""

from tfkit.lazy import lazy_exports

_LAZY = {"BetaTCVAE": "disentanglement.model", "BetaVAE": "disentanglement.model"}

__getattr__, __dir__, __all__ = lazy_exports("tfkit.methods", _LAZY)
