"""The stratified bootstrap: golden intervals, strata, one run, refusals."""

import json
from pathlib import Path

import numpy as np
import pytest

from tfkit.statistics import aggregate, bootstrap_interval

GOLDEN = json.loads((Path(__file__).parent.parent / "golden" / "toolkit_stats.json").read_text())


@pytest.mark.parametrize("case", GOLDEN.values(), ids=GOLDEN)
@pytest.mark.parametrize("seed", [0, 1])
def test_golden(case, seed):
    got = bootstrap_interval(case["scores"], seed=seed)
    assert got == pytest.approx(case["iqm_percentile_ci95"], rel=0, abs=0.01)


def test_draws_runs_within_each_task():
    # no run differs within a task: whatever is drawn, the aggregate stays; mixed tasks would not
    scores = np.tile([[0.1, 0.5, 0.9]], (4, 1))
    for statistic, value in aggregate(scores).items():
        assert bootstrap_interval(scores, statistic=statistic) == pytest.approx((value, value))


def test_draws_the_tasks_independently():
    # one good and one bad run on each of 20 tasks: whole runs drawn together would swing from
    # 0 to 1, independent ones average out
    low, high = bootstrap_interval(np.repeat([[0.0], [1.0]], 20, axis=1), statistic="mean")
    assert 0.3 < low < 0.42 and 0.58 < high < 0.7


def test_the_mean_has_the_spread_of_theory():
    draws = np.random.default_rng(0).normal(size=(50, 1))
    low, high = bootstrap_interval(draws, statistic="mean", resamples=20_000, confidence=0.9)
    error = draws.std() / np.sqrt(50)
    assert high - low == pytest.approx(2 * 1.645 * error, rel=0.05)
    assert (low + high) / 2 == pytest.approx(draws.mean(), abs=0.1 * error)


def test_same_seed_same_interval_wider_with_more_confidence():
    scores = GOLDEN["c0"]["scores"]
    assert bootstrap_interval(scores, seed=3) == bootstrap_interval(scores, seed=3)
    assert bootstrap_interval(scores, seed=3) != bootstrap_interval(scores, seed=4)
    narrow, wide = (bootstrap_interval(scores, confidence=c) for c in (0.5, 0.99))
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_blocks_change_nothing_but_memory(monkeypatch):
    monkeypatch.setattr("tfkit.statistics.bootstrap._AT_ONCE", 100)
    got = bootstrap_interval(GOLDEN["c0"]["scores"], resamples=1003)
    assert got == pytest.approx(GOLDEN["c0"]["iqm_percentile_ci95"], abs=0.02)


def test_one_run_has_no_interval():
    assert bootstrap_interval([[0.1, 0.2]]) == (None, None)


@pytest.mark.parametrize(
    "options, said",
    [
        ({"statistic": "mode"}, "statistic must be one of mean, median, iqm, optimality_gap"),
        ({"resamples": 0}, "resamples must be >= 1"),
        ({"confidence": 1.0}, r"confidence must be in \(0, 1\)"),
        ({"scores": [[np.nan], [1.0]]}, "scores must be finite"),
    ],
)
def test_refuses(options, said):
    with pytest.raises(ValueError, match=f"^bootstrap_interval: {said}"):
        bootstrap_interval(**{"scores": [[0.1], [0.2]], **options})
