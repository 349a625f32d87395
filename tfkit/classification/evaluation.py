"""How a classifier does on the groups of a held-out part."""

from typing import NamedTuple

import numpy as np

from tfkit.figure import Figure
from tfkit.metrics import group_accuracy

SCORES = ("average", "adjusted", "worst_group", "train_weighted")
_ROWS, _BYTES = 500, 1 << 26  # of a batch at the most: pictures of 224 pixels come 111 at a time


class Answers(NamedTuple):
    """What a model says of a part of the data.

    Args:
        labels: [N] int.
        groups: [N] int, or [N, G] bool where groups overlap.
        logits: [N, C] float32.
    """

    labels: np.ndarray
    groups: np.ndarray
    logits: np.ndarray

    @property
    def chosen(self) -> np.ndarray:
        """The class of the largest logit.  [N]"""
        return self.logits.argmax(axis=1)


def rows_at_once(source) -> int:
    """Examples of a batch of a pass over a part."""
    return rows_within(4 * int(np.prod(source.shapes["input_shape"])))


def rows_within(example: int) -> int:
    """Examples of a batch of a pass, where one has so many bytes."""
    return max(1, min(_ROWS, _BYTES // max(1, example)))


def answers(model, source, split: str) -> Answers:
    """A part, in its order, and the logits that a model gives it.

    Args:
        model: a Classifier, or a function of inputs -> [B, C].
        source: a GroupedSource.
        split: name of the part.
    """
    predict = getattr(model, "answer", model)
    parts = [
        (batch["labels"], batch["groups"], np.asarray(predict(batch["inputs"]), "float32"))
        for batch in source.in_order(split, rows_at_once(source))
    ]
    return Answers(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def group_scores(given: Answers, source) -> dict[str, float]:
    """`average`, `adjusted`, `worst_group` and `train_weighted` accuracy, see `group_accuracy`."""
    known = group_accuracy(
        given.labels, given.chosen, given.groups, train_counts=source.group_counts
    )
    return {name: float(known[name]) for name in SCORES}


def group_figure(given: Answers, source) -> Figure:
    """Accuracy by group with 95 % intervals, and how many examples each group has; a group without
    any has no bar.
    """
    known = group_accuracy(
        given.labels, given.chosen, given.groups, train_counts=source.group_counts
    )
    there = np.flatnonzero(known["sizes"])
    names = [
        f"{source.group_names[g]} ({known['sizes'][g]} here, {source.group_counts[g]} in training)"
        for g in there
    ]
    low, high = known["intervals"][there].T
    return Figure(
        kind="bars",
        arrays={"values": known["per_group"][there], "low": low, "high": high},
        caption="Accuracy by group on the test part, with 95 % Wilson intervals. The least of "
        "several small groups lies below the least of their true accuracies on average.",
        alt=f"Accuracies from {low.min():.2f} to {high.max():.2f} over {len(names)} groups.",
        labels={"names": names, "y": "accuracy"},
    )
