"""Student's interval, its limits and its coverage."""

import numpy as np
import pytest

from tfkit.statistics.intervals import mean_interval


def test_equals_the_textbook():
    # t(4, 0.975) = 2.7764451
    values = [0.2, 0.3, 0.25, 0.4, 0.35]
    got = mean_interval(values)
    half = 2.7764451051977987 * np.std(values, ddof=1) / np.sqrt(5)
    assert got["mean"] == pytest.approx(0.3)
    assert got["low"] == pytest.approx(0.3 - half)
    assert got["high"] == pytest.approx(0.3 + half)
    assert got["values"] == values


def test_one_seed_has_no_interval():
    assert mean_interval([0.5]) == {"mean": 0.5, "low": None, "high": None, "values": [0.5]}


def test_not_finite_has_no_interval():
    got = mean_interval([0.5, float("nan")])
    assert np.isnan(got["mean"]) and got["low"] is None and got["high"] is None


def test_covers_the_mean_as_often_as_it_says():
    draws = np.random.default_rng(0).normal(3.0, 2.0, size=(4000, 4))
    hits = [i["low"] <= 3.0 <= i["high"] for i in map(mean_interval, draws)]
    assert np.mean(hits) == pytest.approx(0.95, abs=0.012)  # normal quantiles would give 0.85


@pytest.mark.parametrize("values, confidence", [([], 0.95), ([[1.0]], 0.95), ([1.0], 1.0)])
def test_refuses(values, confidence):
    with pytest.raises(ValueError, match="mean_interval"):
        mean_interval(values, confidence)
