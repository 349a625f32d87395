"""Accuracy by group, and where the early readout was wrong."""

import numpy as np

from tfkit.classification import evaluation
from tfkit.classification.group_labels import group_labels_used
from tfkit.figure import Figure
from tfkit.losses.distillation import margins

_KNOWN = (
    *evaluation.SCORES,
    "readout_conflict",
    "effective_sample_size",
    "teacher_worst_group",
    "readout_worst_group",
    "error_ratio",
    "margin_ratio",
)
_LARGEST = 1e6  # of a ratio whose denominator is nothing


def evaluate(model, source, split, metrics, seed) -> dict[str, float]:
    """How the student does on a held-out part: in all, by group, and where the readout errs.

    `readout_conflict` needs no groups, and so chooses a model where nobody labelled them.
    The ratios compare groups that training has more of than of others of their label with those
    that it has fewer of: the shortcut agrees with the label in the first, and contradicts it in the
    second. What needs a readout is 0 before the first round.

    Gives:
        average (labels, groups): share of right answers, in [0, 1]; larger is better.
        adjusted (labels, groups): mean accuracy of the groups, in [0, 1]; larger is better.
        worst_group (labels, groups): least accuracy of a group, in [0, 1]; larger is better.
        train_weighted (labels, groups): mean of the groups by their share of training, in [0, 1];
            larger is better.
        readout_conflict (labels): accuracy where the early readout errs, in [0, 1]; larger is
            better.
        effective_sample_size: of the weights of the training set, (sum w)^2 / sum w^2.
        teacher_worst_group (labels, groups): the teacher's least accuracy of a group, in [0, 1];
            larger is better.
        readout_worst_group (labels, groups): the readout's least accuracy of a group, in [0, 1].
        error_ratio (labels, groups): the readout's errors where the shortcut contradicts, over its
            errors where it agrees.
        margin_ratio (labels, groups): mean margins of these errors, likewise.
    Raises:
        ValueError: an unknown metric.
    References: Tiwari et al. 2024, arXiv:2310.18590; Sagawa et al. 2020, arXiv:1911.08731.
    """
    if unknown := set(metrics or ()) - set(_KNOWN):
        raise ValueError(f"evaluate: metrics must be among {', '.join(_KNOWN)}, got {unknown}.")
    names = [name for name in _KNOWN if metrics is None or name in metrics]
    values = {"effective_sample_size": float(model.ledger.effective.numpy())}
    student = evaluation.answers(model, source, split)
    values |= evaluation.group_scores(student, source)
    if {"teacher_worst_group"} & set(names):
        teacher = evaluation.answers(lambda x: model.teacher(x, training=False), source, split)
        scores = evaluation.group_scores(teacher, source)
        values["teacher_worst_group"] = scores["worst_group"]
    if set(names) & {"readout_conflict", "readout_worst_group", "error_ratio", "margin_ratio"}:
        values |= readout_scores(model, source, split, student)
    return {name: float(values[name]) for name in names}


def readout_scores(model, source, split, student) -> dict[str, float]:
    """What the early readout says of a held-out part, and the student where it errs."""
    if not model.ledger.rounds.numpy():
        nothing = ("readout_conflict", "readout_worst_group", "error_ratio", "margin_ratio")
        return dict.fromkeys(nothing, 0.0)
    readout = evaluation.answers(model.probe, source, split)
    margin, wrong = (np.asarray(v) for v in margins(readout.logits, readout.labels))
    right = student.chosen == student.labels
    errors, sizes = {}, {}
    against = contradicted(student, source)
    for name, rows in (("against", against), ("with", ~against)):
        errors[name] = wrong[rows].mean() if rows.any() else 0.0
        sizes[name] = margin[rows & wrong].mean() if (rows & wrong).any() else 0.0
    return {
        "readout_conflict": float(right[wrong].mean()) if wrong.any() else 1.0,
        "readout_worst_group": evaluation.group_scores(readout, source)["worst_group"],
        "error_ratio": ratio(errors["against"], errors["with"]),
        "margin_ratio": ratio(sizes["against"], sizes["with"]),
    }


def contradicted(given, source) -> np.ndarray:
    """Examples of groups that are rarer in training than their label's largest group.  -> [N] bool

    Where groups overlap, those in no group that is their label's largest.
    """
    member = np.asarray(given.groups)
    if member.ndim == 1:
        member = np.eye(len(source.group_names), dtype=bool)[member]  # [N, G]
    counts = np.asarray(source.group_counts)
    largest = np.zeros(len(given.labels), bool)
    for label in np.unique(given.labels):
        rows = given.labels == label
        present = member[rows].any(axis=0)
        top = np.argmax(np.where(present, counts, -1))
        largest |= rows & member[:, top]
    return ~largest


def ratio(one: float, other: float) -> float:
    """one / other, cut where the other is nothing."""
    return float(min(one / other, _LARGEST)) if other > 0 else (_LARGEST if one > 0 else 1.0)


def facts(model, source, train, chosen_by) -> dict[str, str]:
    """Where group labels were used."""
    return group_labels_used(model, source, train, chosen_by)


def figures(model, source, seed) -> dict[str, Figure]:
    """Accuracy by group on the test part, and the weights of the training set by group."""
    given = evaluation.answers(model, source, "test")
    groups, weights = source.group_ids("train"), model.sample_weights.numpy()
    names = [str(name) for name in source.disjoint.names]
    means = [weights[groups == k].mean() if (groups == k).any() else 1.0 for k in range(len(names))]
    by_group = Figure(
        kind="bars",
        arrays={"values": np.asarray(means)},
        caption="Mean weight of the training examples by group; 1 is what an example weighs that "
        "the early readout gets right. Groups were not used in training.",
        alt=f"Mean weights from {min(means):.2f} to {max(means):.2f} over {len(names)} groups.",
        labels={"names": names, "y": "mean weight"},
    )
    return {"groups": evaluation.group_figure(given, source), "weights": by_group}
