"""Two methods on the same seeds: is the difference more than chance?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_RESAMPLES = 9999  # sign patterns drawn where there are more; 2**13 and fewer are all tried
_SEED = 0
_BITS = 40  # of the largest value that differences keep: 12 digits


def paired_tests(x: Sequence[float], y: Sequence[float], confidence: float = 0.95) -> dict:
    """The mean of x - y over common seeds, its t interval, and three tests of "no difference".

        t          mean / (s / sqrt(n)) against Student's t; supposes normal differences
        wilcoxon   signed ranks; supposes symmetric differences
        sign_flip  share of sign patterns of the differences whose mean is as far from 0; supposes
                   symmetric differences, and is exact for up to 13 seeds

    All are two-sided. `least` is the smallest value that sign_flip can take with so many seeds,
    2 / 2**n: five seeds cannot reach 0.05, six can. One seed has no test and no interval: these
    are None. Nor have differences that are all the same, but for 0, an interval or a t test, as a
    spread of zero would look like certainty. Differences are rounded to 2**-40 of the largest
    value, lest rounding noise break their ties.

    Shapes: [n], [n] -> dict of n, difference, low, high, t, wilcoxon, sign_flip, least
    Args:
        x: one figure per seed.
        y: the other method's, of the same seeds in the same order.
        confidence: probability that the interval covers, in (0, 1).
    Raises:
        ValueError: not as many values, or not finite.
    References: Student 1908; Wilcoxon 1945; Fisher 1935, The design of experiments, section 21.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"paired_tests: confidence must be in (0, 1), got {confidence}.")
    differences = _differences(x, y)  # [n]
    n = len(differences)
    found = {"n": n, "difference": float(differences.mean()), "low": None, "high": None}
    if n == 1:
        return found | {"t": None, "wilcoxon": None, "sign_flip": None, "least": None}
    least = max(2.0 ** (1 - n), 2 / (_RESAMPLES + 1))
    if not differences.any():
        return found | dict(low=0.0, high=0.0, t=1.0, wilcoxon=1.0, sign_flip=1.0, least=least)
    return found | _tested(differences, confidence) | {"least": least}


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values of several tests, adjusted so that any false alarm among them is as rare as one.

        p_(i) -> max over j <= i of min(1, (m - j + 1) p_(j)),    p_(1) <= … <= p_(m)

    Shapes: [m] -> [m]
    Args:
        p_values: one per comparison, in any order.
    Raises:
        ValueError: a value outside [0, 1].
    References: Holm 1979, Scandinavian Journal of Statistics 6(2).
    """
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"holm: p_values must be a list of numbers in [0, 1], got {p_values}.")
    order = np.argsort(p, kind="stable")
    stepped = np.minimum(1.0, (len(p) - np.arange(len(p))) * p[order])
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(stepped)
    return adjusted.tolist()


def _differences(x: Sequence[float], y: Sequence[float]) -> np.ndarray:
    one, other = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if one.ndim != 1 or one.shape != other.shape or one.size == 0:
        raise ValueError(
            "paired_tests: x and y must be lists of one figure per common seed, got shapes "
            f"{one.shape} and {other.shape}."
        )
    differences = one - other
    if not np.isfinite(differences).all():
        raise ValueError("paired_tests: x and y must be finite; leave the seed out, and say so.")
    unit = np.frexp(np.abs([one, other]).max())[1] - _BITS  # a power of two adds no noise itself
    return np.ldexp(np.round(np.ldexp(differences, -unit)), unit)


def _tested(differences: np.ndarray, confidence: float) -> dict[str, float | None]:
    from scipy import stats  # costs a second of import, which only those who test should pay

    found: dict[str, float | None] = {"low": None, "high": None, "t": None}
    if np.ptp(differences) > 0:
        student = stats.ttest_1samp(differences, 0.0)
        low, high = student.confidence_interval(confidence)
        found = {"low": float(low), "high": float(high), "t": float(student.pvalue)}
    ranks = stats.wilcoxon(differences)
    flips = stats.permutation_test(
        (differences,),
        lambda values, axis: values.mean(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=_RESAMPLES,
        rng=np.random.default_rng(_SEED),
    )
    return found | {"wilcoxon": float(ranks.pvalue), "sign_flip": float(flips.pvalue)}
