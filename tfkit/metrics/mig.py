"""Mutual information gap."""

import numpy as np


def mutual_information_gap(codes, factors, bins: int = 20) -> float:
    """How much more the best latent tells about a factor than the second best, averaged.

        MIG = mean_k (I_(1)k - I_(2)k) / H(k)

    I_jk is the plug-in mutual information, in nats, of latent j (in `bins` bins of equal width
    between its extremes) and factor k; H(k) is the factor's entropy in the sample. In [0, 1]:
    1 when each factor is in one latent only, 0 when two latents share each of them. A factor with
    one value only has no information to share and is left out of the mean.

    The bins follow the extremes of the codes: compare values at equal N, 10,000 in the study.

    Shapes: [N, D], [N, K] int -> float
    Args:
        codes: representation of N examples, D >= 2 latents; constant latents tell nothing.
        factors: class numbers of the same examples; floats that are whole numbers will do.
        bins: >= 2; 20 is the study's.
    Raises:
        ValueError: wrong shapes, codes that are not finite, factors that are not integers or that
            all are constant.
    References: Chen et al. 2018, arXiv:1802.04942, section 4; bins of Locatello et al. 2019.
    """
    codes, factors = _checked(codes, factors, bins)
    information = mutual_information(codes, factors, bins)  # [D, K]
    entropy = factor_entropies(factors)  # [K]
    second, first = np.sort(information, axis=0)[-2:]  # [K] each
    varied = entropy > 0
    return float(np.mean((first - second)[varied] / entropy[varied]))


def mutual_information(codes, factors, bins: int = 20) -> np.ndarray:
    """Plug-in mutual information of every binned latent and every factor, in nats.

        I_jk = sum_bc p(b, c) log( p(b, c) / (p(b) p(c)) )

    Shapes: [N, D], [N, K] -> [D, K]
    """
    binned = discretized(codes, bins)  # [N, D]
    classes, sizes = _class_numbers(factors)  # [N, K], [K]
    starts = np.cumsum(sizes) - sizes
    height, width = bins * binned.shape[1], sizes.sum()
    # All D * K joint histograms are blocks of one: row (latent, bin), column (factor, class).
    rows = (binned + bins * np.arange(binned.shape[1])) * width  # [N, D]
    counts = sum(
        np.bincount((rows + column[:, None]).ravel(), minlength=height * width)
        for column in (classes + starts).T
    )
    joint = counts.reshape(-1, bins, width) / len(binned)  # [D, bins, classes of all factors]
    of_class = joint.sum(axis=1, keepdims=True)
    of_bin = np.add.reduceat(joint, starts, axis=2).repeat(sizes, axis=2)
    ratio = np.divide(joint, of_class * of_bin, where=joint > 0, out=np.ones_like(joint))
    return np.add.reduceat((joint * np.log(ratio)).sum(axis=1), starts, axis=1)


def factor_entropies(factors) -> np.ndarray:
    """Entropy of each factor in the sample, in nats.  [N, K] -> [K]"""
    classes, sizes = _class_numbers(factors)
    entropies = []
    for column, size in zip(classes.T, sizes, strict=True):
        p = np.bincount(column, minlength=size) / len(column)
        entropies.append(-np.sum(p * np.log(p)))  # every class occurs
    return np.array(entropies)


def discretized(codes, bins: int = 20) -> np.ndarray:
    """Bins of equal width between the extremes of each latent; the maximum is in the last one.

    Shapes: [N, D] -> [N, D] int, 0 … bins - 1
    """
    columns = []
    for code in codes.T:
        edges = np.histogram_bin_edges(code, bins)[1:-1]
        columns.append(np.searchsorted(edges, code, side="right"))
    return np.stack(columns, axis=1)


def _class_numbers(factors):
    """Factors renumbered 0, 1, … over the values that occur, and how many of them there are."""
    found = [np.unique(column, return_inverse=True) for column in factors.T]
    classes = np.stack([inverse.reshape(-1) for _, inverse in found], axis=1)
    return classes, np.array([len(values) for values, _ in found])


def _whole(numbers):
    if numbers.dtype.kind == "f":
        return bool(np.all(np.isfinite(numbers) & (numbers == np.rint(numbers))))
    return numbers.dtype.kind in "iu"


def _checked(codes, factors, bins):
    codes, factors = np.asarray(codes), np.asarray(factors)
    if codes.ndim != 2 or factors.ndim != 2 or len(codes) != len(factors) or not len(codes):
        raise ValueError(
            "mutual_information_gap: codes and factors must be [N, D] and [N, K], got "
            f"{codes.shape} and {factors.shape}."
        )
    if codes.shape[1] < 2 or factors.shape[1] < 1:
        raise ValueError(
            "mutual_information_gap: a gap needs at least 2 latents and 1 factor, got "
            f"{codes.shape[1]} and {factors.shape[1]}."
        )
    if bins < 2:
        raise ValueError(f"mutual_information_gap: bins must be >= 2, got {bins}.")
    if not np.all(np.isfinite(codes)):
        raise ValueError("mutual_information_gap: codes must be finite, got NaN or infinity.")
    if not _whole(factors):
        raise ValueError(
            f"mutual_information_gap: factors must be integers, got {factors.dtype}; pass class "
            "numbers, not values."
        )
    if np.all(factors == factors[0]):
        raise ValueError(
            "mutual_information_gap: every factor has one value only; pass examples that differ."
        )
    return codes, factors
