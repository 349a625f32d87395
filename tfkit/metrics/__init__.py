"""Metrics as functions of NumPy arrays, one idea a file."""

from tfkit.lazy import lazy_exports

_LAZY = {
    "beta_vae_score": "votes",
    "dci": "importance",
    "dci_es": "loss_capacity",
    "downstream_accuracy": "downstream",
    "explicitness": "ridgeway",
    "factor_vae_score": "votes",
    "gaussian_total_correlation": "unsupervised",
    "gaussian_wasserstein_correlation": "unsupervised",
    "group_accuracy": "groups",
    "infomec": "source_information",
    "irs": "robustness",
    "modularity": "ridgeway",
    "mutual_information_gap": "mig",
    "mutual_information_score": "unsupervised",
    "reduced_downstream_accuracy": "reduced",
    "sap": "predictability",
    "statistical_efficiency": "downstream",
    "strong_generalization": "interventions",
    "unfairness": "interventions",
    "unsupervised_disentanglement_ranking": "udr",
}

__getattr__, __dir__, __all__ = lazy_exports(__name__, _LAZY)
