"""Binned codes, class numbers, and the joint histograms of all pairs at once."""

import numpy as np


def checked_bins(caller: str, bins: int) -> int:
    """The number of bins, or why it is none."""
    if bins < 2:
        raise ValueError(f"{caller}: bins must be >= 2, got {bins}.")
    return bins


def discretized(codes, bins: int = 20) -> np.ndarray:
    """Bins of equal width between the extremes of each latent; the maximum is in the last one.

    Shapes: [N, D] -> [N, D] int, 0 … bins - 1
    """
    columns = []
    for code in codes.T:
        edges = np.histogram_bin_edges(code, bins)[1:-1]
        columns.append(np.searchsorted(edges, code, side="right"))
    return np.stack(columns, axis=1)


def class_numbers(factors) -> tuple[np.ndarray, np.ndarray]:
    """Factors renumbered 0, 1, … over the values that occur, and how many of them there are.

    Shapes: [N, K] -> [N, K] int, [K] int
    """
    found = [np.unique(column, return_inverse=True) for column in factors.T]
    classes = np.stack([inverse.reshape(-1) for _, inverse in found], axis=1)
    return classes, np.array([len(values) for values, _ in found])


def factor_entropies(factors) -> np.ndarray:
    """Entropy of each factor in the sample, in nats.  [N, K] -> [K]"""
    classes, sizes = class_numbers(factors)
    entropies = []
    for column, size in zip(classes.T, sizes, strict=True):
        p = np.bincount(column, minlength=size) / len(column)
        entropies.append(-np.sum(p * np.log(p)))  # every class occurs
    return np.array(entropies)


def mutual_information(codes, factors, bins: int = 20) -> np.ndarray:
    """Plug-in mutual information of every binned latent and every factor, in nats.

        I_jk = sum_bc p(b, c) log( p(b, c) / (p(b) p(c)) )

    Shapes: [N, D], [N, K] -> [D, K]
    """
    binned = discretized(codes, bins)
    return pairwise_information(binned, np.full(binned.shape[1], bins), *class_numbers(factors))


def pairwise_information(left, left_sizes, right, right_sizes) -> np.ndarray:
    """Plug-in mutual information of every column of `left` with every column of `right`, in nats.

    Shapes: [N, D] int, [D], [N, K] int, [K] -> [D, K]
    """
    left_starts = np.cumsum(left_sizes) - left_sizes
    right_starts = np.cumsum(right_sizes) - right_sizes
    height, width = left_sizes.sum(), right_sizes.sum()
    # All D * K joint histograms are blocks of one: row (column, class) of left, and of right.
    rows = (left + left_starts) * width  # [N, D]
    counts = sum(
        np.bincount((rows + column[:, None]).ravel(), minlength=height * width)
        for column in (right + right_starts).T
    )
    joint = counts.reshape(height, width) / len(left)
    of_left = np.add.reduceat(joint, right_starts, axis=1).repeat(right_sizes, axis=1)
    of_right = np.add.reduceat(joint, left_starts, axis=0).repeat(left_sizes, axis=0)
    ratio = np.divide(joint, of_left * of_right, where=joint > 0, out=np.ones_like(joint))
    terms = np.add.reduceat(joint * np.log(ratio), left_starts, axis=0)
    return np.add.reduceat(terms, right_starts, axis=1)
