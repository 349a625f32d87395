"""The time that is left for another trial."""

import pytest

from tfkit.recipe.durations import seconds
from tfkit.search.clock import Clock


def test_a_trial_must_leave_room_for_the_confirmation(monkeypatch):
    clock = Clock(100, confirmations=3, workers=2)
    elapsed = [0.0]
    monkeypatch.setattr(clock, "elapsed", lambda: elapsed[0])
    assert clock.allows([], []) and clock.allows([10, 12], [10, 20])  # 11 + 2 rounds of 20
    elapsed[0] = 49.0
    assert clock.allows([10, 12], [10, 20])
    elapsed[0] = 49.1
    assert not clock.allows([10, 12], [10, 20])
    elapsed[0] = 99.0
    assert clock.allows([], [])  # nothing is known yet
    elapsed[0] = 100.0
    assert not clock.allows([], [])
    assert Clock(None, 1, 1).allows([1e9], [1e9])


@pytest.mark.parametrize(
    "span, wanted",
    [
        ("2h", 7200),
        ("90m", 5400),
        ("1h30m", 5400),
        ("45s", 45),
        ("1d", 86400),
        (12, 12),
        (None, None),
    ],
)
def test_spans_of_time(span, wanted):
    assert seconds(span) == wanted


@pytest.mark.parametrize("span", ["", "2", "h", "2 h", "-2h", "0s", 0, -1, float("inf"), "2h!"])
def test_what_is_no_time(span):
    with pytest.raises(ValueError, match="must be a time > 0 like 2h"):
        seconds(span)
