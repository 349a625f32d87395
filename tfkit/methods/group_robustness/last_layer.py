"""A last layer fitted to features, with all groups alike."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from tfkit.methods.group_robustness.balance import balanced_rows
from tfkit.metrics import group_accuracy

STRENGTHS = (1.0, 0.7, 0.3, 0.1, 0.07, 0.03, 0.01)  # C of the paper's search


def refitted(features, labels, groups, classes: int, repeats: int, seed: int):
    """Kernel [D, K] and bias [K] of a linear layer on features as they are.

    Args:
        features: [N, D].
        labels: class numbers [N].
        groups: numbers of groups [N].
        classes: K.
        repeats: regressions that are averaged.
        seed: of all draws.
    Raises:
        ValueError: a class that no example has.
    """
    if len(found := np.unique(labels)) < classes:
        raise ValueError(f"DFR: examples of all {classes} classes are needed, got {found}.")
    strength = _chosen(features, labels, groups, classes, seed)
    fitted = [
        _fitted(features, labels, groups, strength, (seed, number)) for number in range(repeats)
    ]
    kernel, bias = (np.mean(part, axis=0) for part in zip(*fitted, strict=True))
    return kernel.astype("float32"), bias.astype("float32")


def _chosen(features, labels, groups, classes, seed):
    """The strength whose layer, fitted to one half, has the best worst group on the other."""
    order = np.random.default_rng(seed).permutation(len(labels))
    half = len(order) // 2
    fit, judge = order[:half], order[half:]
    if len(np.unique(labels[fit])) < classes:  # too few to choose by
        return STRENGTHS[0]

    def worst(strength):
        kernel, bias = _fitted(features[fit], labels[fit], groups[fit], strength, (seed, 0))
        answers = (features[judge] @ kernel + bias).argmax(axis=1)
        return group_accuracy(labels[judge], answers, groups[judge])["worst_group"]

    return max(STRENGTHS, key=worst)  # the first, weakest penalty of equals


def _fitted(features, labels, groups, strength, seed):
    """One regression on a balanced draw, for features that are not standardised."""
    rows = balanced_rows(groups, "subsample", seed)
    scaler = StandardScaler().fit(features)
    standard = scaler.transform(features[rows])
    solver = "liblinear" if len(np.unique(labels)) == 2 else "saga"
    regression = LogisticRegression(C=strength, l1_ratio=1.0, solver=solver, random_state=0)
    with warnings.catch_warnings():  # the average over draws forgives an unfinished one
        warnings.simplefilter("ignore", ConvergenceWarning)
        regression.fit(standard, labels[rows])
    kernel, bias = regression.coef_.T, regression.intercept_  # [D, K or 1], [K or 1]
    if kernel.shape[1] == 1:  # two classes: half of the difference to either side
        kernel = np.concatenate([-kernel, kernel], axis=1) / 2
        bias = np.concatenate([-bias, bias]) / 2
    kernel = kernel / scaler.scale_[:, None]
    return kernel, bias - scaler.mean_ @ kernel
