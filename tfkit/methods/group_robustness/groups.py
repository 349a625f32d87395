"""Groups as a batch, a training set and a constructor give them."""

import numpy as np
from keras import ops


def has_groups(given) -> bool:
    """Whether a batch has a group for each example: held-out ones may have none, or several."""
    return given.third is not None and len(given.third.shape) == 1


def groups_of(model, given):
    """The groups of a batch as int32 [B]."""
    if given.third is None:
        raise ValueError(f"{type(model).__name__}: a batch must be (x, y, groups).")
    return ops.cast(ops.reshape(given.third, (-1,)), "int32")


def checked_groups(owner: str, groups, counts) -> None:
    """Refuse arrays that are no numbers of groups.

    Raises:
        ValueError: they are not [N] whole numbers below the number of groups.
    """
    groups = np.asarray(groups)
    whole = groups.ndim == 1 and groups.dtype.kind in "iu"
    if not whole or (groups.size and not 0 <= groups.min() <= groups.max() < len(counts)):
        raise ValueError(
            f"{owner}: groups must be [N] whole numbers in 0 to {len(counts) - 1}, got "
            f"{groups.dtype} of shape {groups.shape}"
            + (f", {groups.min()} to {groups.max()}." if groups.size else ".")
        )


def checked_counts(owner: str, counts) -> list[int]:
    """Training examples of each group, as a list of at least two numbers.

    Raises:
        ValueError: they are not.
    """
    counts = [int(count) for count in counts]
    if len(counts) < 2 or min(counts) < 0 or not any(counts):
        raise ValueError(
            f"{owner}: group_counts must be the training examples of each of at least two groups, "
            f"got {counts}."
        )
    return counts
