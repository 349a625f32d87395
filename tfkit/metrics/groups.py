"""Accuracy by group, and the averages over groups that papers report."""

import numpy as np
from scipy.special import ndtri  # scipy.stats would cost a second of import for one quantile

DEFINITIONS = {
    "average": "share of right answers among all examples of the part",
    "adjusted": "mean of the groups' accuracies, each group alike",
    "worst_group": "least of the groups' accuracies; of several small groups it lies below the "
    "least of their true accuracies on average",
    "train_weighted": "mean of the groups' accuracies, each by its share of the training examples",
}


def group_accuracy(y_true, y_pred, groups, train_counts=None, confidence: float = 0.95) -> dict:
    """How often answers are right in each group, and what is made of that.

        accuracy_g     = right_g / n_g                              n_g examples of group g
        average        = sum_i [answer i is right] / N
        adjusted       = mean_g accuracy_g
        worst_group    = min_g accuracy_g
        train_weighted = sum_g m_g accuracy_g / sum_g m_g           m_g = train_counts_g

    The average of papers on Waterbirds is train_weighted: their test part has other shares of the
    groups than training. The least accuracy of several groups is biased low, the more the smaller
    they are: read it beside `sizes` and `intervals`. A group without examples has no accuracy, and
    is left out of the others. Groups may overlap (16 of CivilComments): an example counts in each.

    Intervals are Wilson's: with z = Phi^-1((1 + confidence) / 2) and p = accuracy_g,

        (p + z^2 / 2n ± z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n);  [0, 1] where n = 0

    Shapes: [N] int, [N] int, [N] int -> dict: "average", "adjusted" (and the same as
        "group_accuracy"), "worst_group"; "train_weighted", NaN without counts; "per_group" [G], NaN
        for an empty group; "sizes" [G]; "intervals" [G, 2]; "definitions", a text
    Args:
        y_true: class numbers.
        y_pred: the answers, class numbers.
        groups: numbers of groups, or [N, G] bool where they may overlap.
        train_counts: training examples of each group [G]; None where that is not known.
        confidence: of the intervals, in (0, 1).
    Raises:
        ValueError: wrong shapes, what are no class or group numbers, counts for other groups.
    References: Sagawa et al. 2020, arXiv:1911.08731; Koh et al. 2021, arXiv:2012.07421 (overlapping
        groups); Wilson 1927, https://doi.org/10.1080/01621459.1927.10502953.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"group_accuracy: confidence must be in (0, 1), got {confidence}.")
    truth, answers = _numbers("y_true", y_true), _numbers("y_pred", y_pred)
    counts = _counts(train_counts)
    members = _members(groups, None if counts is None else len(counts))  # [N, G]
    if not len(truth) == len(answers) == len(members) or not len(truth):
        raise ValueError(
            "group_accuracy: y_true, y_pred and groups must have the same N >= 1, got "
            f"{len(truth)}, {len(answers)} and {len(members)}."
        )
    right = truth == answers  # [N]
    sizes = members.sum(axis=0)  # [G]
    rights = (members & right[:, None]).sum(axis=0)
    accuracy = np.where(sizes > 0, rights / np.maximum(sizes, 1), np.nan)
    known = sizes > 0
    if not known.any():
        raise ValueError("group_accuracy: groups has no example in any group.")
    return {
        "average": float(right.mean()),
        "adjusted": float(accuracy[known].mean()),
        "group_accuracy": float(accuracy[known].mean()),
        "worst_group": float(accuracy[known].min()),
        "train_weighted": _weighted(accuracy[known], counts, known),
        "per_group": accuracy,
        "sizes": sizes,
        "intervals": _wilson(rights, sizes, confidence),
        "definitions": "\n".join(f"{name}: {text}" for name, text in DEFINITIONS.items()),
    }


def _weighted(accuracy, counts, known):
    """The mean by training shares; NaN where they are unknown or all zero."""
    if counts is None or not counts[known].sum():
        return float("nan")
    return float(np.average(accuracy, weights=counts[known]))


def _wilson(rights, sizes, confidence):
    """Intervals of shares.  [G], [G] -> [G, 2]"""
    z = ndtri((1 + confidence) / 2)
    n = np.maximum(sizes, 1)
    share = rights / n
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    low, high = ((share + z**2 / (2 * n) + sign * half) / (1 + z**2 / n) for sign in (-1, 1))
    low, high = np.where(sizes > 0, low, 0.0), np.where(sizes > 0, high, 1.0)
    return np.stack([np.clip(low, 0, 1), np.clip(high, 0, 1)], axis=1)


def _members(groups, count):
    """Who is in which group.  [N] int or [N, G] bool -> [N, G] bool"""
    groups = np.asarray(groups)
    if groups.ndim == 2 and (
        groups.dtype == bool or (groups.shape[1] > 1 and np.isin(groups, (0, 1)).all())
    ):
        members = groups.astype(bool)
    elif groups.ndim == 1:
        numbers = _numbers("groups", groups)
        if numbers.size and numbers.min() < 0:
            raise ValueError(f"group_accuracy: groups must be >= 0, got {numbers.min()}.")
        total = max(int(numbers.max(initial=-1)) + 1, count or 0)
        members = numbers[:, None] == np.arange(total)
    else:
        raise ValueError(
            "group_accuracy: groups must be [N] group numbers or [N, G] bool, got "
            f"{groups.dtype} of shape {groups.shape}."
        )
    if count is not None and members.shape[1] != count:
        raise ValueError(
            f"group_accuracy: train_counts has {count} groups, groups {members.shape[1]}."
        )
    return members


def _counts(train_counts):
    if train_counts is None:
        return None
    counts = np.asarray(train_counts, np.float64)
    if counts.ndim != 1 or not np.all(np.isfinite(counts)) or np.any(counts < 0):
        raise ValueError(
            f"group_accuracy: train_counts must be one number >= 0 a group, got {train_counts}."
        )
    return counts


def _numbers(name, values):
    """Class or group numbers as int64; floats that are whole numbers will do.  -> [N]"""
    values = np.asarray(values)
    if values.ndim != 1 or values.dtype.kind not in "iubf":
        raise ValueError(
            f"group_accuracy: {name} must be [N] numbers of classes, got {values.dtype} of shape "
            f"{values.shape}; pass the argmax of logits."
        )
    if values.dtype.kind == "f" and not np.all(np.isfinite(values) & (values == np.rint(values))):
        raise ValueError(f"group_accuracy: {name} must be whole and finite numbers.")
    return values.astype(np.int64)
