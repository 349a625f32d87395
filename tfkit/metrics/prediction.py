"""The classifiers of the downstream tasks, one factor at a time."""

import warnings

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.model_selection import KFold

from tfkit.metrics.parallel import in_processes

MODELS = ("logistic_regression", "gradient_boosting")
FOLDS = 5
# seconds to fit, per row, code and class (and per class at least), on a core of 2020
COSTS = {"logistic_regression": (4e-6, 0.05), "gradient_boosting": (5e-5, 0.1)}


def checked_model(caller: str, model: str) -> str:
    """The classifier's name, or why it is none."""
    if model not in MODELS:
        raise ValueError(
            f"{caller}: model must be logistic_regression or gradient_boosting, got {model!r}."
        )
    return model


def predicted(jobs, model: str, seed: int, workers: int) -> list[list[np.ndarray]]:
    """What classifiers answer, one for each job, in parallel processes.

    Args:
        jobs: (codes [N, D], classes [N], sets of codes [M, D] to answer for) of each classifier.
        model: the classifier's name.
        seed: of the trees.
        workers: processes at most.
    """
    per_entry, least = COSTS[model]
    counts = [len(np.unique(classes)) for _, classes, _ in jobs]
    sizes = [codes.size for codes, _, _ in jobs]
    costs = [n * (per_entry * size + least) for n, size in zip(counts, sizes, strict=True)]
    return in_processes(_answers, [(*job, model, seed) for job in jobs], workers, costs)


def _answers(codes, classes, asked, model, seed):
    classifier = fitted(codes, classes, model, seed)
    return [classifier.predict(rows) for rows in asked]


def fitted(codes, classes, model: str, seed: int):
    """A classifier that has learned; one that has seen a single class answers with it."""
    if np.all(classes == classes[0]):  # scikit-learn refuses
        return Constant(classes[0])
    if model == "gradient_boosting":
        return GradientBoostingClassifier(random_state=seed).fit(codes, classes)
    with warnings.catch_warnings():  # about defaults that a coming version changes
        warnings.simplefilter("ignore", FutureWarning)
        return _regression(classes).fit(codes, classes)


def _regression(classes):
    """Logistic regression whose penalty is chosen by five folds, where there are five."""
    if len(classes) < FOLDS:
        return LogisticRegression()
    return LogisticRegressionCV(Cs=10, cv=KFold(n_splits=FOLDS), scoring="accuracy")


class Constant:
    """A classifier that knows one class."""

    def __init__(self, only):
        self.only = only

    def predict(self, codes) -> np.ndarray:
        """The class, for every row."""
        return np.full(len(codes), self.only)
