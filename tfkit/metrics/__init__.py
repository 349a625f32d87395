"""Metrics as functions of NumPy arrays, one idea a file."""

from tfkit.lazy import lazy_exports

_LAZY = {
    "beta_vae_score": "votes",
    "factor_vae_score": "votes",
    "mutual_information_gap": "mig",
    "unsupervised_disentanglement_ranking": "udr",
}

__getattr__, __dir__, __all__ = lazy_exports(__name__, _LAZY)
