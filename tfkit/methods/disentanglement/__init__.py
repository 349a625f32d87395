"""Disentanglement: VAEs whose regulariser asks for independent latents."""

from tfkit.backend import require_tensorflow
from tfkit.lazy import lazy_exports

_LAZY = {
    "AnnealedVAE": "model",
    "BetaTCVAE": "model",
    "BetaVAE": "model",
    "DIPVAE": "model",
    "FactorVAE": "model",
    "study_decoder": "networks",
    "study_discriminator": "networks",
    "study_encoder": "networks",
}

__getattr__, __dir__, __all__ = lazy_exports(__name__, _LAZY, before=require_tensorflow)
