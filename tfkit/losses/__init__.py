"""Losses as pure functions of tensors, one idea a file."""

from tfkit.backend import require_tensorflow
from tfkit.lazy import lazy_exports

_LAZY = {
    "Distillation": "distillation",
    "annealed_capacity": "capacity",
    "bernoulli_reconstruction": "likelihood",
    "debiased_distillation_loss": "distillation",
    "dip_regularizer": "covariance",
    "discriminator_loss": "discriminator",
    "discriminator_total_correlation": "discriminator",
    "distillation_loss": "distillation",
    "early_readout_weights": "distillation",
    "forgetting_loss": "forgetting",
    "kl_to_standard_normal": "kl",
    "reconstruction": "likelihood",
    "total_correlation": "decomposition",
}

__getattr__, __dir__, __all__ = lazy_exports(__name__, _LAZY, before=require_tensorflow)
