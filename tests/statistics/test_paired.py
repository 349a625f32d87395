"""Paired tests: against the textbook, by enumeration, at their limits."""

import itertools

import numpy as np
import pytest
from scipy import stats

from tfkit.statistics import holm, mean_interval, paired_tests

X = np.array([0.21, 0.25, 0.19, 0.28, 0.24])
Y = np.array([0.18, 0.20, 0.20, 0.21, 0.22])


def test_interval_is_that_of_the_mean_difference():
    got = paired_tests(X, Y)
    expected = mean_interval(X - Y)
    assert got["difference"] == pytest.approx(expected["mean"])
    assert (got["low"], got["high"]) == pytest.approx((expected["low"], expected["high"]))
    assert got["t"] == pytest.approx(stats.ttest_rel(X, Y).pvalue)


def test_sign_flips_by_enumeration():
    differences = X - Y
    signs = np.array(list(itertools.product([1, -1], repeat=5)))
    means = np.abs((signs * differences).mean(axis=1))
    expected = np.mean(means >= abs(differences.mean()) - 1e-12)
    assert paired_tests(X, Y)["sign_flip"] == pytest.approx(expected)


def test_ranks_by_enumeration():
    differences = np.array([0.5, -0.1, 0.4, 0.3, 0.9, -0.2])
    ranks = stats.rankdata(np.abs(differences))
    signs = np.array(list(itertools.product([0, 1], repeat=6)))
    sums = signs @ ranks
    got = min(ranks[differences > 0].sum(), ranks[differences < 0].sum())
    expected = 2 * np.mean(sums <= got)
    assert paired_tests(differences, np.zeros(6))["wilcoxon"] == pytest.approx(expected)


def test_turned_round_it_says_the_same():
    got, turned = paired_tests(X, Y), paired_tests(Y, X)
    assert (turned["difference"], turned["low"]) == pytest.approx(
        (-got["difference"], -got["high"])
    )
    for test in ("t", "wilcoxon", "sign_flip"):
        assert turned[test] == pytest.approx(got[test])


def test_order_of_seeds_does_not_matter_but_the_pairing_does():
    order = [3, 0, 4, 2, 1]
    assert paired_tests(X[order], Y[order]) == pytest.approx(paired_tests(X, Y))
    assert paired_tests(X[order], Y)["t"] != pytest.approx(paired_tests(X, Y)["t"])


@pytest.mark.parametrize("n, least", [(3, 0.25), (5, 0.0625), (6, 0.03125), (30, 2 / 10_000)])
def test_the_least_a_sign_test_can_say(n, least):
    got = paired_tests(np.arange(1.0, n + 1), np.zeros(n))  # every seed better
    assert got["least"] == got["sign_flip"] == pytest.approx(least)


def test_no_difference_and_equal_differences():
    none = paired_tests(X, X)
    assert none["t"] == none["wilcoxon"] == none["sign_flip"] == 1
    assert none["low"] == none["high"] == none["difference"] == 0
    equal = paired_tests([1.0, 2.0, 3.0], [0.0, 1.0, 2.0])
    assert equal["low"] is equal["high"] is equal["t"] is None, "a spread of 0 is no certainty"
    assert equal["difference"] == 1 and equal["sign_flip"] == equal["wilcoxon"] == 0.25


@pytest.mark.parametrize("scale", [0.01, 0.1, 1e9])
def test_rounding_breaks_no_ties(scale):
    """Shares of a hundred images: the ranks are those of the whole numbers."""
    x, y = np.array([91, 88, 95, 86, 90, 93, 89]), np.array([90, 90, 92, 84, 91, 90, 87])
    got, whole = paired_tests(x * scale, y * scale), paired_tests(x, y)
    for test in ("t", "wilcoxon", "sign_flip"):
        assert got[test] == pytest.approx(whole[test], rel=1e-9)
    tied = paired_tests([0.3, 0.4, 0.5], [0.2, 0.3, 0.4])
    assert tied["low"] is None and tied["wilcoxon"] == 0.25


def test_one_seed_has_no_test():
    assert paired_tests([0.3], [0.1]) == {
        "n": 1, "difference": pytest.approx(0.2), "low": None, "high": None,
        "t": None, "wilcoxon": None, "sign_flip": None, "least": None,
    }  # fmt: skip


def test_false_alarms_are_as_rare_as_promised():
    draws = np.random.default_rng(0).normal(size=(400, 6))
    alarms = [paired_tests(d, np.zeros(6))["t"] < 0.05 for d in draws]
    assert 0.02 < np.mean(alarms) < 0.08


def test_holm_against_the_textbook():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([0.03]) == [0.03] and holm([]) == []


@pytest.mark.parametrize(
    "x, y, said",
    [
        ([1.0], [1.0, 2.0], r"one figure per common seed, got shapes \(1,\) and \(2,\)"),
        ([], [], "one figure per common seed"),
        ([1.0, np.nan], [1.0, 2.0], "must be finite"),
    ],
)
def test_refuses(x, y, said):
    with pytest.raises(ValueError, match=f"^paired_tests: .*{said}"):
        paired_tests(x, y)
    with pytest.raises(ValueError, match=r"^holm: .*\[0, 1\]"):
        holm([0.1, np.nan])
    with pytest.raises(ValueError, match="confidence"):
        paired_tests([1.0], [2.0], confidence=0)
