"""Probability of improvement: golden numbers, identities, refusals."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from tfkit.statistics import probability_of_improvement

GOLDEN = json.loads((Path(__file__).parent.parent / "golden" / "toolkit_stats.json").read_text())
RNG = np.random.default_rng(0)
X, Y = RNG.integers(0, 5, (4, 3)).astype(float), RNG.integers(0, 5, (6, 3)).astype(float)


@pytest.mark.parametrize("case", GOLDEN.values(), ids=GOLDEN)
def test_golden(case):
    got = probability_of_improvement(case["scores"], case["other"])
    assert got == pytest.approx(case["probability_of_improvement"], rel=0, abs=1e-15)


def test_is_mann_and_whitneys_u_over_all_pairs_ties_by_half():
    u = [mannwhitneyu(X[:, t], Y[:, t]).statistic / (4 * 6) for t in range(3)]
    assert probability_of_improvement(X, Y) == pytest.approx(np.mean(u))


def test_identities():
    assert probability_of_improvement(X, Y) + probability_of_improvement(Y, X) == pytest.approx(1)
    assert probability_of_improvement(X, X) == 0.5
    assert probability_of_improvement(X, np.roll(Y, 1, axis=0)) == probability_of_improvement(X, Y)
    # only the order within a task counts
    assert probability_of_improvement(X**3, Y**3) == probability_of_improvement(X, Y)
    assert probability_of_improvement(X * [1, 9, 99], Y * [1, 9, 99]) == (
        probability_of_improvement(X, Y)
    )
    assert probability_of_improvement([[5.0, 5.0]], [[1.0, 9.0]]) == 0.5


@pytest.mark.parametrize(
    "y, said",
    [
        ([[1.0, 2.0]], "the same tasks, got 3 and 2"),
        ([[1.0, np.nan, 2.0]], "y must be finite"),
        ([1.0], "y must be"),
    ],
)
def test_refuses(y, said):
    with pytest.raises(ValueError, match=f"^probability_of_improvement: .*{said}"):
        probability_of_improvement(X, y)
