"""How well factors are predicted from codes, from many examples and from few."""

from typing import Literal

import numpy as np

from tfkit.metrics.inputs import checked, train_and_test
from tfkit.metrics.parallel import checked_workers
from tfkit.metrics.prediction import checked_model, predicted

FULL = 10_000  # examples of the study's largest task


def downstream_accuracy(
    codes,
    factors,
    *,
    seed: int = 0,
    codes_test=None,
    factors_test=None,
    model: Literal["logistic_regression", "gradient_boosting"] = "logistic_regression",
    workers: int | None = None,
) -> dict:
    """Test accuracy of a classifier of each factor that learns from the codes, averaged.

        accuracy = mean_k mean_i [f_k(codes_i) = factor k of i]

    The study's classifiers: LogisticRegressionCV(Cs=10, cv=KFold(5)), of which the folds follow
    the order of rows, or GradientBoostingClassifier(). Where a factor has one value in the training
    rows, that value is the answer; with fewer than five rows the regression keeps its default
    penalty. The study trains on 10, 100, 1000 and 10000 examples. Factors are fitted in parallel
    processes, whose number changes no result.

    Without a test set a third of the rows, drawn from the seed, is held out. The order of rows
    matters: folds and equally good splits follow it.

    Shapes: [N, D], [N, K] int -> dict: "downstream_accuracy", its "minimum" over the factors and
        "per_factor" [K] on the test rows; "train_accuracy" and "train_per_factor" [K]
    Args:
        codes: representation of the N examples to learn from.
        factors: their class numbers.
        seed: random_state of the trees, and which rows are held out where there is no test set.
        codes_test: representation of the test examples [M, D].
        factors_test: their class numbers [M, K].
        model: which classifier.
        workers: processes, >= 1; as many as there are processors if left out.
    Raises:
        ValueError: wrong shapes, codes that are not finite, factors that are not integers.
    References: Locatello et al. 2019, arXiv:1811.12359, section 5.5.
    """
    name = "downstream_accuracy"
    checked_model(name, model)
    workers = checked_workers(name, workers)
    codes, factors = checked(name, codes, factors, fewest=1)
    train, test = train_and_test(name, (codes, factors), codes_test, factors_test, seed)
    jobs = [(train[0], column, (train[0], test[0])) for column in train[1].T]
    answers = predicted(jobs, model, seed, workers)
    right = np.array([_right(pair, train[1], test[1], k) for k, pair in enumerate(answers)])
    return {
        name: float(right[:, 1].mean()),
        "minimum": float(right[:, 1].min()),
        "per_factor": right[:, 1],
        "train_accuracy": float(right[:, 0].mean()),
        "train_per_factor": right[:, 0],
    }


def _right(answers, train, test, factor):
    """Share of right answers of one factor's classifier, on training and test rows."""
    truths = train[:, factor], test[:, factor]
    return [np.mean(told == truth) for told, truth in zip(answers, truths, strict=True)]


def statistical_efficiency(
    codes,
    factors,
    *,
    seed: int = 0,
    codes_test=None,
    factors_test=None,
    model: Literal["logistic_regression", "gradient_boosting"] = "logistic_regression",
    few: int = 100,
    many: int = FULL,
    workers: int | None = None,
) -> dict:
    """How much of the accuracy that many examples give is reached with few.

        efficiency = downstream accuracy from the first `few` rows / from the first `many` rows

    1 where a few examples suffice. The order of rows matters: the first of them count, and should
    be independent draws like the others.

    Without a test set a third of the rows, drawn from the seed, is held out.

    Shapes: [N, D], [N, K] int -> dict: "statistical_efficiency", "few_accuracy", "many_accuracy"
    Args:
        codes: representation of the examples to learn from, at least `many` of them.
        factors: their class numbers.
        seed: random_state of the trees, and which rows are held out where there is no test set.
        codes_test: representation of the test examples [M, D].
        factors_test: their class numbers [M, K].
        model: which classifier; see `downstream_accuracy`.
        few: rows of the small task, >= 1; 100 is the study's.
        many: rows of the large task, >= 1; 10000 is the study's.
        workers: processes, >= 1; as many as there are processors if left out.
    Raises:
        ValueError: as `downstream_accuracy`; fewer rows to learn from than `many`; more `few` than
            `many`.
    References: Locatello et al. 2019, arXiv:1811.12359, section 5.5.
    """
    name = "statistical_efficiency"
    for option, value in {"few": few, "many": many}.items():
        if value < 1:
            raise ValueError(f"{name}: {option} must be >= 1, got {value}.")
    checked_model(name, model)
    workers = checked_workers(name, workers)
    codes, factors = checked(name, codes, factors, fewest=1)
    train, test = train_and_test(name, (codes, factors), codes_test, factors_test, seed)
    if not few <= many <= len(train[0]):
        raise ValueError(
            f"{name}: needs few <= many <= rows to learn from, got {few}, {many} and "
            f"{len(train[0])}; pass more rows or a smaller many."
        )
    accuracies = [
        downstream_accuracy(
            train[0][:rows],
            train[1][:rows],
            seed=seed,
            codes_test=test[0],
            factors_test=test[1],
            model=model,
            workers=workers,
        )["downstream_accuracy"]
        for rows in (few, many)
    ]
    ratio = accuracies[0] / accuracies[1] if accuracies[1] > 0 else 0.0
    return {name: ratio, "few_accuracy": accuracies[0], "many_accuracy": accuracies[1]}
