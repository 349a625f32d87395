import numpy as np
import pytest

from tfkit.statistics import variance_explained


def test_groups_that_say_all_and_groups_that_say_nothing():
    assert variance_explained([1, 1, 5, 5], ["a", "a", "b", "b"]) == (1.0, pytest.approx(1 / 3))
    assert variance_explained([1, 5, 1, 5], ["a", "a", "b", "b"])[0] == 0.0
    assert variance_explained([2, 2, 2], ["a", "b", "b"])[0] == 0.0


def test_is_the_regression_on_indicators():
    generator = np.random.default_rng(0)
    values, groups = generator.normal(size=40), generator.integers(0, 5, 40)
    indicators = np.eye(5)[groups]
    fitted = indicators @ np.linalg.lstsq(indicators, values, rcond=None)[0]
    expected = 1 - np.sum((values - fitted) ** 2) / np.sum((values - values.mean()) ** 2)
    assert variance_explained(values, groups)[0] == pytest.approx(expected)


def test_chance_is_what_random_groups_explain_on_average():
    generator = np.random.default_rng(0)
    groups = np.repeat(np.arange(6), 3)
    found = [variance_explained(generator.normal(size=18), groups) for _ in range(2000)]
    assert np.mean([share for share, _ in found]) == pytest.approx(found[0][1], abs=0.01)


@pytest.mark.parametrize(("values", "groups"), [([1.0], ["a"]), ([1.0, 2.0], ["a"])])
def test_refused(values, groups):
    with pytest.raises(ValueError, match="a group for each of at least 2 values"):
        variance_explained(values, groups)
