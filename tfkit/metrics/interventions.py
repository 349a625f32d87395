"""Predictions from codes of images in which one factor was set by hand."""

import functools
from typing import Literal

import numpy as np

from tfkit.metrics.encoding import encoded, factor_sizes
from tfkit.metrics.parallel import checked_workers
from tfkit.metrics.prediction import checked_model, predicted


def strong_generalization(
    representation,
    dataset,
    *,
    seed: int = 0,
    num_train: int = 10_000,
    num_eval: int = 5_000,
    repeats: int = 10,
    model: Literal["logistic_regression", "gradient_boosting"] = "gradient_boosting",
    workers: int | None = None,
) -> dict:
    """Test accuracy where training showed one value of another factor and the test shows the rest.

        for each factor k, `repeats` times:  draw another factor and a value v of it; train a
        classifier of factor k on images that all have v; test it on images that have any other

    `accuracy` is that of classifiers without interventions, and gap = 1 - strong / accuracy. Of a
    factor that is encoded apart from the rest the gap is 0.

    Shapes: representation [B, H, W, C] -> [B, D], dataset -> dict: "strong_generalization", "gap",
        "accuracy"; "per_factor" [K], of the interventions
    Args:
        representation: function images -> codes, in NumPy.
        dataset: anything with `factor_sizes` (the number of values of each factor) and
            `observe(factors [B, K], random_state) -> images`.
        seed: of NumPy's RandomState, which everything is drawn from, and of the trees.
        num_train: images a classifier learns from, >= 1; 10000 is the study's.
        num_eval: images it is judged on, >= 1; 5000 is the study's.
        repeats: interventions for each factor, >= 1; 10 is the reference's.
        model: which classifier; see `downstream_accuracy`.
        workers: processes, >= 1; as many as there are processors if left out.
    Raises:
        ValueError: counts below 1, a data set without a full grid of factors or with fewer than two
            factors that vary, codes that are not [B, D] or not finite.
    References: disentanglement_lib, strong_downstream_task; Locatello et al. 2020,
        arXiv:2010.14766, section 5.
    """
    name = "strong_generalization"
    counts = {"num_train": num_train, "num_eval": num_eval, "repeats": repeats}
    sizes = _varied_sizes(name, dataset, **counts)
    checked_model(name, model)
    workers, state = checked_workers(name, workers), np.random.RandomState(seed)
    encode = functools.partial(encoded, name, representation, dataset, state)
    plain = _drawn(state, sizes, num_train), _drawn(state, sizes, num_eval)
    sets = [(target, *plain) for target in range(len(sizes))]
    for target in np.repeat(np.arange(len(sizes)), repeats):
        sets.append((target, *_intervened(state, sizes, target, *plain)))
    jobs = _jobs(encode, sets, len(sizes))
    answers = predicted(jobs, model, seed, workers)
    right = [
        np.mean(told == test[:, target])
        for (told,), (target, _, test) in zip(answers, sets, strict=True)
    ]
    without, strong = np.mean(right[: len(sizes)]), np.array(right[len(sizes) :])
    gap = 1 - strong.mean() / without if without > 0 else 0.0
    return {
        name: float(strong.mean()),
        "gap": float(gap),
        "accuracy": float(without),
        "per_factor": strong.reshape(len(sizes), repeats).mean(axis=1),
    }


def _jobs(encode, sets, plain):
    """Codes of every set; the first `plain` of them share theirs."""
    jobs, known = [], None
    for number, (target, train, test) in enumerate(sets):
        if number >= plain or known is None:
            known = encode(train), encode(test)
        jobs.append((known[0], train[:, target], known[1:]))
    return jobs


def _intervened(state, sizes, target, train, test):
    """One factor beside the target set to a value in training and to the others in the test."""
    others = [k for k, size in enumerate(sizes) if k != target and size > 1]
    factor = others[state.randint(len(others))]
    value = state.randint(sizes[factor])
    train, test = train.copy(), test.copy()
    train[:, factor] = value
    rest = np.delete(np.arange(sizes[factor]), value)
    test[:, factor] = rest[state.randint(len(rest), size=len(test))]
    return train, test


def unfairness(
    representation,
    dataset,
    *,
    seed: int = 0,
    num_train: int = 10_000,
    num_eval: int = 100,
    model: Literal["logistic_regression", "gradient_boosting"] = "gradient_boosting",
    workers: int | None = None,
) -> dict:
    """How far predictions of one factor move when another, sensitive one is set by hand.

        TV_ks(v)   = sum_c |p(c | factor s set to v) - mean_v p(c | factor s set to v)| / 2
        unfairness = mean over k and s != k of mean_v TV_ks(v)

    p is the share of class c among a classifier's answers for factor k. In [0, 1]: 0 for a
    classifier whose answers owe nothing to the sensitive factor. Smaller is fairer.

    Shapes: representation [B, H, W, C] -> [B, D], dataset -> dict: "unfairness"; "mean" and
        "maximum" over v [K, K], row: what is predicted, column: the sensitive factor, 0 where both
        are one
    Args:
        representation: function images -> codes, in NumPy.
        dataset: anything with `factor_sizes` (the number of values of each factor) and
            `observe(factors [B, K], random_state) -> images`.
        seed: of NumPy's RandomState, which everything is drawn from, and of the trees.
        num_train: images a classifier learns from, >= 1; 10000 is the reference's.
        num_eval: images for each value of a sensitive factor, >= 1; 100 is the reference's.
        model: which classifier; see `downstream_accuracy`.
        workers: processes, >= 1; as many as there are processors if left out.
    Raises:
        ValueError: counts below 1, a data set without a full grid of factors or with fewer than two
            factors that vary, codes that are not [B, D] or not finite.
    References: Locatello et al. 2019, arXiv:1905.13662, section 4.
    """
    name = "unfairness"
    sizes = _varied_sizes(name, dataset, num_train=num_train, num_eval=num_eval)
    checked_model(name, model)
    workers, state = checked_workers(name, workers), np.random.RandomState(seed)
    encode = functools.partial(encoded, name, representation, dataset, state)
    train = _drawn(state, sizes, num_train)
    codes = encode(train)
    asked = [
        [(s, encode(_set_by_hand(state, sizes, s, num_eval))) for s in range(len(sizes)) if s != k]
        for k in range(len(sizes))
    ]
    jobs = [(codes, train[:, k], [rows for _, rows in sets]) for k, sets in enumerate(asked)]
    mean, maximum = np.zeros((2, len(sizes), len(sizes)))
    for k, answers in enumerate(predicted(jobs, model, seed, workers)):
        for (sensitive, _), told in zip(asked[k], answers, strict=True):
            moved = total_variations(told.reshape(sizes[sensitive], num_eval), sizes[k])
            mean[k, sensitive], maximum[k, sensitive] = moved.mean(), moved.max()
    pairs = len(sizes) * (len(sizes) - 1)
    return {name: float(mean.sum() / pairs), "mean": mean, "maximum": maximum}


def total_variations(answers, classes: int) -> np.ndarray:
    """Distance of the answers' distribution in each row from that in all rows.

    Shapes: [V, B] int -> [V]
    Args:
        answers: class numbers below `classes`, as many in each row.
        classes: how many there are.
    """
    shares = np.stack([np.bincount(row, minlength=classes) for row in answers]) / answers.shape[1]
    return np.abs(shares - shares.mean(axis=0)).sum(axis=1) / 2


def _set_by_hand(state, sizes, factor, count):
    """The same draws with one factor at each of its values.  [size * count, K]"""
    drawn = np.tile(_drawn(state, sizes, count), (sizes[factor], 1))
    drawn[:, factor] = np.repeat(np.arange(sizes[factor]), count)
    return drawn


def _drawn(state, sizes, count):
    """Independent factors, column by column as in the study's code.  [count, K]"""
    return np.stack([state.randint(size, size=count) for size in sizes], axis=1)


def _varied_sizes(name, dataset, **counts):
    sizes = factor_sizes(name, dataset, **counts)
    if sum(size > 1 for size in sizes) < 2:
        raise ValueError(
            f"{name}: needs at least two factors with several values, got factor_sizes {sizes}."
        )
    return sizes
