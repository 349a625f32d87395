"""InfoMEC: modularity, explicitness and compactness as shares of the factors' information."""

import numpy as np
from sklearn.feature_selection import mutual_info_classif
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_sample_weight

from tfkit.metrics.histograms import class_numbers, factor_entropies, pairwise_information
from tfkit.metrics.inputs import checked, checked_variation
from tfkit.metrics.parallel import one_thread, without_convergence_warnings

_FEW = 50  # values of a latent that is no continuous quantity
_NO_ENTROPY = 1e-12
_INACTIVE = 8  # a latent whose range is at most the largest one over this is left out (the paper's)


def infomec(codes, factors, *, seed: int = 0) -> dict:
    """How modular, explicit and compact a representation is, in information about the factors.

        N_kj    I(s_k; z_j) / H(s_k), by the nearest-neighbour estimator (3 neighbours), over
                latents whose range is above the largest range / 8
        infom   (mean_j max_k N_kj / sum_k N_kj - 1 / K) / (1 - 1 / K)
        infoc   (mean_k max_j N_kj / sum_j N_kj - 1 / D) / (1 - 1 / D)    D active latents
        infoe   mean_k 1 - CE_k / CE_null    of a logistic regression on standardised codes,
                unpenalised, classes balanced; CE_null = log of the number of classes

    In [0, 1] up to the estimator's noise. To nearest neighbours two draws of one image are
    information, so rows whose codes occurred before are left out of N; a latent of at most 50
    values, which has no neighbourhoods, has the plug-in information of its values instead. A row
    or column that tells nothing counts as spread evenly. With one factor or one active latent only,
    there is nothing to be told apart and infom or infoc is 1.

    Shapes: [N, D], [N, K] int -> dict: "infomec", the mean of "infom", "infoe" and "infoc";
        "normalized_information" [K, D], NaN for inactive latents; "active" [D] bool
    Args:
        codes: representation of N examples.
        factors: class numbers of the same examples.
        seed: of the noise that keeps the estimator's neighbours from being tied.
    Raises:
        ValueError: wrong shapes, codes that are not finite, factors that are not integers or that
            all are constant, fewer than 5 rows.
    References: Hsu et al. 2023, arXiv:2305.18378, section 4; estimator of Ross 2014,
        https://doi.org/10.1371/journal.pone.0087357
    """
    name = "infomec"
    codes, factors = checked(name, codes, factors)
    checked_variation(name, factors)
    if len(codes) < 5:
        raise ValueError(f"{name}: needs at least 5 rows for its neighbours, got {len(codes)}.")
    varied = factor_entropies(factors) > 0
    classes = class_numbers(factors)[0][:, varied]  # [N, K]
    spans = np.ptp(codes, axis=0)  # [D]
    active = spans > spans.max() / _INACTIVE
    information = np.full((classes.shape[1], codes.shape[1]), np.nan)  # [K, D]
    if active.any():
        information[:, active] = _normalized(codes[:, active], classes, seed)
    told = information[:, active]
    parts = {
        "infom": _one_sidedness(told, axis=0),
        "infoe": _explicitness(codes, classes),
        "infoc": _one_sidedness(told, axis=1),
    }
    mean = float(np.mean(list(parts.values())))
    return {name: mean, **parts, "normalized_information": information, "active": active}


def _normalized(codes, classes, seed):
    """Information of every latent on every factor over the factor's entropy.  -> [K, D]"""
    discrete = np.array([len(np.unique(code)) <= _FEW for code in codes.T])
    information = np.empty((classes.shape[1], codes.shape[1]))
    if discrete.any():
        numbers, sizes = class_numbers(codes[:, discrete])
        known = pairwise_information(numbers, sizes, *class_numbers(classes))  # [D, K]
        information[:, discrete] = known.T / factor_entropies(classes)[:, None]
    if not discrete.all():
        rows = np.unique(codes, axis=0, return_index=True)[1]  # sorted: their order tells nothing
        # float64, since the noise that parts ties would be lost in float32
        smooth, labels = codes[rows][:, ~discrete].astype(np.float64), classes[rows]
        found = [mutual_info_classif(smooth, source, random_state=seed) for source in labels.T]
        entropies = np.maximum(factor_entropies(labels), _NO_ENTROPY)
        information[:, ~discrete] = np.stack(found) / entropies[:, None]
    return information


def _one_sidedness(information, axis: int) -> float:
    """0 where every slice along the axis is spread evenly, 1 where it has one entry."""
    count = information.shape[axis]
    if not information.size:
        return 0.0
    if count == 1:
        return 1.0
    total = information.sum(axis=axis)
    share = np.divide(
        information.max(axis=axis), total, out=np.full(len(total), 1 / count), where=total > 0
    )
    return float((share.mean() - 1 / count) / (1 - 1 / count))


def _explicitness(codes, classes) -> float:
    standard = StandardScaler().fit_transform(codes)
    shares = []
    for source in classes.T:
        weight = compute_sample_weight("balanced", source)
        with one_thread(), without_convergence_warnings():
            model = LogisticRegression(C=np.inf, class_weight="balanced", max_iter=1_000)
            told = model.fit(standard, source).predict_proba(standard)
        error = log_loss(source, told, sample_weight=weight)
        shares.append(1 - error / np.log(told.shape[1]))
    return float(np.mean(shares))
