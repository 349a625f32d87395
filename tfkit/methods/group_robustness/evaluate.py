"""Accuracy by group."""

from tfkit.classification.evaluation import SCORES, answers, group_figure, group_scores
from tfkit.classification.group_labels import group_labels_used
from tfkit.figure import Figure


def evaluate(model, source, split, metrics, seed) -> dict[str, float]:
    """Accuracy over the groups of a held-out part, by every definition in use.

    Gives:
        average (labels, groups): share of right answers, in [0, 1]; larger is better.
        adjusted (labels, groups): mean of the groups' accuracies, in [0, 1]; larger is better.
        worst_group (labels, groups): least accuracy of a group, in [0, 1]; larger is better.
        train_weighted (labels, groups): accuracies by shares in training; larger is better.
    Raises:
        ValueError: an unknown metric.
    References: Sagawa et al. 2020, arXiv:1911.08731.
    """
    if unknown := set(metrics or ()) - set(SCORES):
        raise ValueError(f"evaluate: metrics must be among {', '.join(SCORES)}, got {unknown}.")
    values = group_scores(answers(model, source, split), source)
    return {name: values[name] for name in SCORES if metrics is None or name in metrics}


def facts(model, source, train, chosen_by) -> dict[str, str]:
    """Where group labels were used."""
    return group_labels_used(model, source, train, chosen_by)


def figures(model, source, seed) -> dict[str, Figure]:
    """Accuracy by group on the test part."""
    return {"groups": group_figure(answers(model, source, "test"), source)}
