"""Interventional robustness score."""

from typing import Literal

import numpy as np

from tfkit.metrics.histograms import checked_bins, class_numbers, discretized
from tfkit.metrics.inputs import checked


def irs(
    codes,
    factors,
    *,
    seed: int = 0,
    quantile: float = 0.99,
    bins: int = 20,
    protocol: Literal["study", "classes"] = "study",
) -> dict:
    """How still each latent stays while its factor is fixed and all else changes.

        d_jk  = mean over values v of factor k of the quantile of |z_j - mean z_j| where g_k = v
        M_jk  = 1 - d_jk / m_j,   m_j = max |z_j - mean z_j|
        IRS   = sum_j m_j max_k M_jk / sum_j m_j

    At most 1, which one factor settling each latent gives. Constant latents are dropped, and the
    results are over the others; 0 without any.

    The study puts all factors into `bins` bins of equal width, which merges neighbours of a factor
    with more values; "classes" takes integer factors as they are. Values of continuous factors are
    binned in either.

    Shapes: [N, D], [N, K] int -> dict: "irs"; over the D' latents that are not constant "per_code"
        [D'], "matrix" [D', K], "parents" [D'] int, the factor of each latent, and "weights" [D'],
        their m_j
    Args:
        codes: representation of N examples, of which every combination of factors should be as
            likely as any other.
        factors: class numbers or values of the same examples.
        seed: nothing is drawn; all array metrics are called alike.
        quantile: of the distances, in [0, 1]; 0.99 is the study's, 1 (the maximum) the paper's.
        bins: >= 2; 20 is the study's.
        protocol: "study" bins every factor, "classes" only those that are no integers.
    Raises:
        ValueError: wrong shapes, codes or factors that are not finite numbers.
    References: Suter et al. 2019, arXiv:1811.00007; parameters of disentanglement_lib.
    """
    if not 0 <= quantile <= 1:
        raise ValueError(f"irs: quantile must be in [0, 1], got {quantile}.")
    checked_bins("irs", bins)
    if protocol not in ("study", "classes"):
        raise ValueError(f"irs: protocol must be study or classes, got {protocol!r}.")
    codes, factors = checked("irs", codes, factors, values=True)
    groups = class_numbers(_grouped(factors, bins, protocol))[0]  # [N, K]
    codes = codes[:, (codes != codes[0]).any(axis=0)].T.astype("float64")  # [D', N]
    weights = np.abs(codes - codes.mean(axis=1, keepdims=True)).max(axis=1, initial=0)
    deviations = [_deviation(codes, column, quantile) for column in groups.T]
    matrix = 1 - np.stack(deviations, axis=1) / weights[:, None]  # [D', K]
    per_code = matrix.max(axis=1)
    return {
        "irs": float(np.average(per_code, weights=weights)) if len(weights) else 0.0,
        "per_code": per_code,
        "matrix": matrix,
        "parents": matrix.argmax(axis=1),
        "weights": weights,
    }


def _grouped(factors, bins, protocol):
    """The factors as classes, by the protocol."""
    binned = discretized(factors, bins)
    whole = (factors == np.rint(factors)).all(axis=0)
    return np.where(whole, factors, binned) if protocol == "classes" else binned


def _deviation(codes, classes, quantile):
    """d_j of one factor.  [D, N], [N] -> [D]"""
    order = np.argsort(classes, kind="stable")
    ends = np.cumsum(np.bincount(classes))[:-1]
    groups = np.split(codes[:, order], ends, axis=1)  # [D, N_v] each
    return np.mean([_quantile(_distances(group), quantile) for group in groups], axis=0)


def _distances(group):
    return np.abs(group - group.mean(axis=1, keepdims=True))


def _quantile(rows, quantile):
    """The linearly interpolated quantile of every row; faster than a call of NumPy's.

    Shapes: [D, N] -> [D]
    """
    place = quantile * (rows.shape[1] - 1)
    low, high = int(np.floor(place)), int(np.ceil(place))
    ordered = np.partition(rows, (low, high), axis=1)
    return ordered[:, low] + (place - low) * (ordered[:, high] - ordered[:, low])
