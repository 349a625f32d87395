import numpy as np
import pytest

from tfkit.statistics import selection_transfer
from tfkit.statistics.transfer import transfer_table, win_rates

SETTINGS = np.array([[0.1, 0.2, 0.1], [0.5, 0.6, 0.4], [0.9, 0.8, 0.7]])


def transfer(source, target):
    return selection_transfer(source, win_rates(target))


def slowly(source, target):
    """The definition, pair by pair."""
    wins = []
    for a in range(source.shape[1]):
        best = int(np.argmax(source[:, a]))
        for b in range(source.shape[1]):
            others = np.delete(target[:, b], best)
            if b != a:
                wins.append(np.mean((target[best, b] > others) + 0.5 * (target[best, b] == others)))
    return np.mean(wins)


def test_is_the_definition_pair_by_pair():
    source, target = np.random.default_rng(0).integers(0, 4, (2, 6, 5)).astype(float)
    assert transfer(source, target) == pytest.approx(slowly(source, target))


def test_a_setting_that_is_always_best_always_wins():
    assert transfer(SETTINGS, SETTINGS) == 1.0
    assert transfer(SETTINGS, -SETTINGS) == 0.0


def test_equal_scores_are_half_a_win():
    assert transfer(SETTINGS, np.zeros((3, 3))) == 0.5


def test_noise_is_worth_nothing_although_its_own_luck_looks_good():
    generator = np.random.default_rng(0)
    values = [transfer(noise, noise) for noise in generator.normal(size=(200, 6, 5))]
    assert np.mean(values) == pytest.approx(0.5, abs=0.03)


def test_by_hand_with_a_gap():
    source = np.array([[3.0, 0.0], [1.0, 2.0]])
    target = np.array([[5.0, 1.0], [2.0, np.nan]])
    # seed 0 chooses setting 0, judged with seed 1 against nothing; seed 1 chooses setting 1, which
    # loses with seed 0
    assert transfer(source, target) == 0.0


def test_too_few():
    assert transfer(SETTINGS[:1], SETTINGS[:1]) is None
    assert transfer(SETTINGS[:, :1], SETTINGS[:, :1]) is None


def test_the_table_sorts_pairs_by_what_they_share():
    scores = {("d", "mig"): SETTINGS, ("d", "sap"): -SETTINGS, ("e", "mig"): SETTINGS}
    rows = {(row["metric"], row["data"]): row for row in transfer_table(scores)}
    assert rows["same", "same"]["value"] == 1.0 and rows["same", "same"]["pairs"] == 3
    assert rows["other", "same"]["value"] == 0.0
    assert rows["same", "other"]["value"] == 1.0 and rows["same", "other"]["pairs"] == 2
