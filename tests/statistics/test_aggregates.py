"""Aggregates over runs and tasks: golden numbers, identities, refusals."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import trim_mean

from tfkit.statistics import aggregate

GOLDEN = json.loads((Path(__file__).parent.parent / "golden" / "toolkit_stats.json").read_text())
SCORES = arrays(
    float,
    st.tuples(st.integers(1, 6), st.integers(1, 5)),
    elements=st.floats(-2, 2, allow_subnormal=False),
)


@pytest.mark.parametrize("case", GOLDEN.values(), ids=GOLDEN)
def test_golden(case):
    assert aggregate(case["scores"]) == pytest.approx(case["aggregates"], rel=0, abs=1e-12)


@settings(deadline=None, max_examples=60)
@given(SCORES)
def test_identities(scores):
    got = aggregate(scores)
    assert got["iqm"] == pytest.approx(trim_mean(scores.ravel(), 0.25), abs=1e-12)
    assert got["mean"] == pytest.approx(scores.mean(), abs=1e-12)
    assert min(scores.min(), 1) - 1e-9 <= 1 - got["optimality_gap"] <= min(scores.max(), 1) + 1e-9
    shuffled = np.random.default_rng(0).permuted(scores, axis=0)  # each task's runs on their own
    assert aggregate(shuffled) == pytest.approx(got, abs=1e-12)
    assert aggregate(scores[:, ::-1]) == pytest.approx(got, abs=1e-12)


def test_constant_scores_are_their_own_aggregate():
    got = aggregate(np.full((3, 4), 0.25))
    assert got == {"mean": 0.25, "median": 0.25, "iqm": 0.25, "optimality_gap": 0.75}


def test_the_gap_rewards_nothing_above_one():
    assert aggregate([[1.0], [3.0]])["optimality_gap"] == 0
    assert aggregate([[0.5], [3.0]])["optimality_gap"] == 0.25


def test_the_iqm_ignores_the_outer_quarters_and_the_median_is_over_tasks():
    assert aggregate([[-100.0, 1.0, 2.0, 100.0]])["iqm"] == 1.5
    # means of tasks 4, 1, 1: the median run would be 0
    assert aggregate([[0, 0, 0], [12, 3, 3], [0, 0, 0]])["median"] == 1.0


@pytest.mark.parametrize(
    "scores, said",
    [
        ([[0.1, np.nan]], "must be finite, got nan in run 0 of task 1"),
        ([[0.1], [np.inf]], "must be finite, got inf in run 1 of task 0"),
        ([[0.1, 0.2], [0.3]], "must be a rectangle"),
        ([["good"]], "must be a rectangle of numbers"),
        ([0.1, 0.2], r"must be \[runs, tasks\].*got shape \(2,\); one task alone"),
        ([[]], "at least one of each"),
    ],
)
def test_refuses(scores, said):
    with pytest.raises(ValueError, match=f"^aggregate: scores.*{said}"):
        aggregate(scores)
