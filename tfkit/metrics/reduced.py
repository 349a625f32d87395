"""What is left to predict a factor from once its most important latents are gone."""

from typing import Literal

import numpy as np

from tfkit.metrics.boosting import COSTS, boosted_factor, checked_method
from tfkit.metrics.inputs import checked, train_and_test
from tfkit.metrics.parallel import checked_workers, in_processes
from tfkit.metrics.prediction import checked_model, predicted


def reduced_downstream_accuracy(
    codes,
    factors,
    *,
    seed: int = 0,
    codes_test=None,
    factors_test=None,
    removed: int = 1,
    model: Literal["logistic_regression", "gradient_boosting"] = "gradient_boosting",
    method: Literal["exact", "fast"] = "exact",
    workers: int | None = None,
) -> dict:
    """Test accuracy on a factor without the latents that matter most to it, averaged.

        for each factor k:  `removed` times, fit trees of factor k and drop the latent of largest
        importance; then train a classifier of every factor on the latents that are left

    The lower the accuracy on the factor itself and the higher on the others, the more the factor
    was in these latents alone. Trees and classifiers are those of `dci` and `downstream_accuracy`.

    Without a test set a third of the rows, drawn from the seed, is held out. The order of rows
    matters: folds and equally good splits follow it.

    Shapes: [N, D], [N, K] int -> dict: "reduced_downstream_accuracy", on the factor itself;
        "other_accuracy", mean over the other factors; "accuracy" [K, K], row: whose latents are
        gone, column: what is predicted; "removed" [K, R] int, the latents, the first first;
        "method"
    Args:
        codes: representation of N examples.
        factors: class numbers of the same examples, K >= 2.
        seed: random_state of the trees, and which rows are held out where there is no test set.
        codes_test: representation of the test examples [M, D].
        factors_test: their class numbers [M, K].
        removed: latents that go, >= 1, fewer than there are.
        model: which classifier; see `downstream_accuracy`.
        method: whose importances; see `dci`.
        workers: processes, >= 1; as many as there are processors if left out.
    Raises:
        ValueError: wrong shapes, codes that are not finite, factors that are not integers, as many
            latents to remove as there are.
        UsageError: "fast" without LightGBM.
    References: disentanglement_lib, reduced_downstream_task; Locatello et al. 2020,
        arXiv:2010.14766.
    """
    name = "reduced_downstream_accuracy"
    checked_model(name, model)
    checked_method(name, method)
    workers = checked_workers(name, workers)
    codes, factors = checked(name, codes, factors, latents=2, fewest=2)
    if not 1 <= removed < codes.shape[1]:
        raise ValueError(
            f"{name}: removed must be >= 1 and below the {codes.shape[1]} latents, got {removed}."
        )
    train, test = train_and_test(name, (codes, factors), codes_test, factors_test, seed)
    gone = _most_important(*train, removed, method, seed, workers)  # [K, R]
    left = [np.setdiff1d(np.arange(codes.shape[1]), row) for row in gone]
    jobs = [
        (train[0][:, latents], column, (test[0][:, latents],))
        for latents in left
        for column in train[1].T
    ]
    answers = np.array([told for (told,) in predicted(jobs, model, seed, workers)])
    width = factors.shape[1]
    right = (answers.reshape(width, width, -1) == test[1].T).mean(axis=2)  # [K, K]
    return {
        name: float(np.trace(right) / width),
        "other_accuracy": float((right.sum() - np.trace(right)) / (width * width - width)),
        "accuracy": right,
        "removed": gone,
        "method": method,
    }


def _most_important(codes, factors, count, method, seed, workers):
    """Each factor's most important latents, found one after the other.  [K, count]"""
    jobs = [(codes, column, count, method, seed) for column in factors.T]
    costs = [COSTS[method] * codes.size * len(np.unique(column)) * count for column in factors.T]
    return np.array(in_processes(_of_factor, jobs, workers, costs))


def _of_factor(codes, classes, count, method, seed):
    left, gone = list(range(codes.shape[1])), []
    for _ in range(count):
        rows = np.ascontiguousarray(codes[:, left], dtype="float32")
        importance = boosted_factor(rows, classes, rows[:1], method, seed).importance
        gone.append(left.pop(int(importance.argmax())))
    return gone
