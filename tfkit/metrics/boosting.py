"""Gradient-boosted trees of one factor at a time: predictions and importances."""

from typing import NamedTuple

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier

from tfkit.extras import need
from tfkit.metrics.histogram_boosting import HistogramBoosting
from tfkit.metrics.parallel import in_processes

METHODS = ("exact", "fast")
# seconds to fit, per row, code and class, on a core of 2020; they only decide whether processes pay
COSTS = {"exact": 5e-5, "fast": 1e-6}


class Fitted(NamedTuple):
    """What is kept of a factor's trees."""

    importance: np.ndarray  # [D], its sum is 1, or 0 for a factor with one value
    train: float  # accuracy
    predictions: np.ndarray  # [M] class numbers of the test rows


def checked_method(caller: str, method: str) -> str:
    """The booster's name, or why it is none; the fast one must be installed."""
    if method not in METHODS:
        raise ValueError(f"{caller}: method must be exact or fast, got {method!r}.")
    if method == "fast":
        need(f"{caller}(method='fast')", "boosting", "lightgbm")
    return method


def boosted(codes, factors, codes_test, method: str, seed: int, workers: int) -> list[Fitted]:
    """The trees of every factor, the factors in parallel processes.

    Shapes: [N, D], [N, K], [M, D] -> K results
    """
    # what scikit-learn would convert to: here once
    codes, codes_test = (
        np.ascontiguousarray(rows, dtype="float32") for rows in (codes, codes_test)
    )
    jobs = [(codes, column, codes_test, method, seed) for column in factors.T]
    classes = [len(np.unique(column)) for column in factors.T]
    trees = [count * (count > 2) + (count == 2) for count in classes]  # two classes need one tree
    costs = [COSTS[method] * codes.size * count for count in trees]
    return in_processes(boosted_factor, jobs, workers, costs)


def boosted_factor(codes, classes, codes_test, method: str, seed: int) -> Fitted:
    """100 trees of depth 3, rate 0.1, for each class of one factor; a single class is the answer.

    Shapes: [N, D] float32, [N], [M, D] float32 -> importance [D], accuracy, predictions [M]
    """
    if np.all(classes == classes[0]):  # boosters refuse what has one class
        constant = np.full(len(codes_test), classes[0])
        return Fitted(np.zeros(codes.shape[1]), 1.0, constant)
    model = _model(method, seed).fit(codes, classes)
    importance = np.abs(np.asarray(model.feature_importances_, "float64"))
    importance /= importance.sum() or 1.0
    accuracy = float(np.mean(model.predict(codes) == classes))
    return Fitted(importance, accuracy, model.predict(codes_test))


def _model(method, seed):
    """The study's trees, scikit-learn's with its defaults, or the fast ones."""
    if method == "exact":  # the seed decides between equally good splits
        return GradientBoostingClassifier(random_state=seed)
    return HistogramBoosting(seed)
