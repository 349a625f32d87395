"""How far models of one setting and different seeds agree, from the representations they kept."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence

import numpy as np

AGREEMENT = "udr"  # as a metric, beside those that the runs measured
_FILE = "representation.npz"  # codes [N, D] and kl [D], of the same images for every run


def add_agreement(models: Sequence) -> None:
    """Give every model of a setting that kept its representation, as another one did, the metric
    `udr`.

    Args:
        models: those of one data set; see `tfkit.report.study.Model`.
    References: Duan et al. 2020, arXiv:1905.12614.
    """
    by_setting: dict[tuple, list] = {}
    for model in models:
        known = _representation(model)
        if known is not None:
            by_setting.setdefault((model.setting, known[0].shape), []).append((model, *known))
    for own in by_setting.values():
        if len(own) > 1:
            from tfkit.metrics import unsupervised_disentanglement_ranking as rank

            members, codes, nats = zip(*own, strict=True)
            scores = rank(np.stack(codes), np.stack(nats))[rank.__name__]
            for model, score in zip(members, scores, strict=True):
                model.metrics[AGREEMENT] = float(score)


def _representation(model):
    """Codes and KL that a model kept; None where there are none or they cannot be read."""
    folder = model.run.path
    for path in (folder / "replicates" / str(model.seed) / _FILE, folder / _FILE):
        if path.is_file():
            try:
                with np.load(path, allow_pickle=False) as stored:
                    codes, kl = stored["codes"], stored["kl"]
                return (codes, kl) if np.isfinite(codes).all() and np.isfinite(kl).all() else None
            except (OSError, ValueError, KeyError, zipfile.BadZipFile):
                return None
    return None
