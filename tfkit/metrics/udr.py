"""Unsupervised disentanglement ranking: models of one setting that agree are disentangled."""

import warnings
from typing import Literal

import numpy as np
from scipy.stats import rankdata
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Lasso
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

_INFORMATIVE_NATS = 0.01  # a latent below tells nothing (the paper's threshold)
_ALPHA = 0.1  # of the lasso, the paper's


def unsupervised_disentanglement_ranking(
    representations,
    kl,
    similarity: Literal["lasso", "spearman"] = "lasso",
    filter_low_kl: bool = True,
    *,
    seed: int = 0,
) -> dict:
    """How far each model's latents are those of the other models, one to one; needs no labels.

        R_ij     |coefficients| of a lasso (alpha 0.1) from the codes of model i to those of model
                 j, or |Spearman's rank correlation|                                      [D, D]
        RSD(R)   (mean_columns max^2 / sum + mean_rows max^2 / sum) / 2        a 0 / 0 counts as 0
        score_j  median over i != j of RSD(R_ij)

    Codes are standardised; those with a mean KL of at most 0.01 nats are set to zero and, with
    `filter_low_kl`, left out of R. Compare models of one setting from several seeds (five or more)
    on the same images, 1,000 in the study. In [0, 1].

    Shapes: representations [M, N, D], kl [M, D] -> dict: under the metric's own name [M],
        "pairwise" [M, M]
    Args:
        representations: codes of the same N images by M >= 2 models.
        kl: mean KL divergence from the prior of each latent of each model, in nats.
        similarity: "lasso" as the paper recommends, or "spearman".
        filter_low_kl: leave latents that tell nothing out. Without it "spearman" is 0 for every
            pair with such a latent, as in the reference (a constant has no rank correlation).
        seed: nothing is drawn; all metrics are called alike.
    Raises:
        ValueError: shapes that do not fit, fewer than two models, codes or KL that are not finite,
            an unknown similarity.
    References: Duan et al. 2020, arXiv:1905.12614.
    """
    name = "unsupervised_disentanglement_ranking"
    codes, informative = _standardised(name, representations, kl)
    if similarity not in ("lasso", "spearman"):
        raise ValueError(f'{name}: similarity must be "lasso" or "spearman", got {similarity!r}.')
    between = _lasso if similarity == "lasso" else _spearman
    models = len(codes)
    pairwise = np.zeros((models, models))
    with threadpool_limits(1, "blas"):  # fits so small that a second thread only waits
        for i in range(models):
            for j in np.delete(np.arange(models), i):
                matrix = between(codes[i], codes[j])  # [D, D]
                if filter_low_kl:
                    matrix = matrix[informative[i]][:, informative[j]]
                pairwise[i, j] = _relative_strength(matrix)
    scores = [np.median(np.delete(pairwise[:, j], j)) for j in range(models)]
    return {name: np.array(scores), "pairwise": pairwise}


def _standardised(name, representations, kl):
    representations, kl = np.asarray(representations, float), np.asarray(kl, float)
    if representations.ndim != 3 or kl.shape != representations.shape[::2]:
        raise ValueError(
            f"{name}: representations and kl must be [M, N, D] and [M, D], got "
            f"{representations.shape} and {kl.shape}."
        )
    if len(representations) < 2:
        raise ValueError(f"{name}: a model is ranked by others, got {len(representations)} in all.")
    if representations.shape[1] < 2:
        raise ValueError(f"{name}: needs codes of at least 2 images, got one.")
    if not (np.isfinite(representations).all() and np.isfinite(kl).all()):
        raise ValueError(f"{name}: representations and kl must be finite, got NaN or infinity.")
    informative = kl > _INFORMATIVE_NATS  # [M, D]
    scaled = [StandardScaler().fit_transform(codes) for codes in representations]
    return np.stack(scaled) * informative[:, None], informative


def _lasso(codes, others):
    with warnings.catch_warnings():  # latents set to zero: nothing is there to be fitted
        warnings.simplefilter("ignore", ConvergenceWarning)
        return np.abs(Lasso(alpha=_ALPHA).fit(codes, others).coef_.T)


def _spearman(codes, others):
    """[N, D], [N, D] -> [D, D]; NaN beside a constant"""
    ranks = [rankdata(each, axis=0) for each in (codes, others)]
    centred = [each - each.mean(axis=0) for each in ranks]
    lengths = [np.sqrt(np.square(each).sum(axis=0)) for each in centred]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.abs(centred[0].T @ centred[1] / np.outer(*lengths))


def _relative_strength(matrix) -> float:
    """1 where every row and column has one entry; 1 / D where all entries are equal."""
    if not matrix.size:
        return 0.0
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = [np.square(matrix.max(axis=axis)) / matrix.sum(axis=axis) for axis in (0, 1)]
    return float(np.mean([np.nan_to_num(share).mean() for share in shares]))
