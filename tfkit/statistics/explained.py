"""How much of the variance of some values their groups explain."""

from collections.abc import Hashable, Sequence

import numpy as np


def variance_explained(values: Sequence[float], groups: Sequence[Hashable]) -> tuple[float, float]:
    """R^2 of a regression on the group as a category, and what it would be by chance.

        R^2     1 - sum of squares within groups / sum of squares about the mean
        chance  (G - 1) / (N - 1), its mean where the groups mean nothing

    What is left is due to what differs within groups, such as the seed. With few values per group
    R^2 is large by chance alone: look at both. (0, chance) where all values are equal.

    Args:
        values: N >= 2 finite numbers.
        groups: the group of each.
    References: Locatello et al. 2019, arXiv:1811.12359, section 5.4.
    """
    values = np.asarray(values, float)
    if len(values) != len(groups) or len(values) < 2:
        raise ValueError(
            f"variance_explained: needs a group for each of at least 2 values, got {len(values)} "
            f"values and {len(groups)} groups."
        )
    _, numbers = np.unique([repr(group) for group in groups], return_inverse=True)
    counts = np.bincount(numbers)
    means = np.bincount(numbers, values) / counts
    total = np.sum((values - values.mean()) ** 2)
    within = np.sum((values - means[numbers]) ** 2)
    chance = (len(counts) - 1) / (len(values) - 1)
    return (float(1 - within / total) if total > 0 else 0.0), float(chance)
