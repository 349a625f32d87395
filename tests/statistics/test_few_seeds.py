"""Fewer than three seeds show no interval, anywhere."""

import pytest

from tfkit.statistics import mean_interval
from tfkit.statistics.few_seeds import as_shown
from tfkit.terminal import print_result


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_three_seeds_are_the_fewest(n, capsys):
    spread = mean_interval([0.1, 0.2, 0.4, 0.3][:n])
    got = as_shown(spread)
    if n < 3:
        assert got == {**spread, "low": None, "high": None}
    else:
        assert got == spread and got["low"] is not None
    print_result({"metrics": {"mig": spread}}, False)
    printed = capsys.readouterr().out
    assert (f"(n={n})" in printed) == (n < 3) == ("[" not in printed)


def test_a_mean_that_is_not_finite_has_its_number_of_seeds(capsys):
    print_result({"metrics": {"mig": mean_interval([0.1, float("nan"), 0.2])}}, False)
    assert "nan (n=3)" in capsys.readouterr().out
