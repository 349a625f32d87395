import numpy as np
import pytest

from tfkit.metrics import draws
from tfkit.metrics.draws import batches_in_order


def by_loop(random_state, sizes, count, batch_size, halves):
    fixed = np.empty(count, int)
    factors = np.empty((count, halves, batch_size, len(sizes)), int)
    for number in range(count):
        fixed[number] = random_state.randint(len(sizes))
        for half in range(halves):
            for column, size in enumerate(sizes):
                factors[number, half, :, column] = random_state.randint(size, size=batch_size)
    return fixed, factors


@pytest.mark.parametrize("sizes", [[3, 6, 40, 32, 32], [2], [1, 5, 1], [4, 24, 183], [70_000, 3]])
@pytest.mark.parametrize("halves", [1, 2])
@pytest.mark.parametrize("rows", [1, 9, 700])
@pytest.mark.parametrize("at_once", [1, 200, 1 << 20])
def test_is_the_loop(sizes, halves, at_once, rows, monkeypatch):
    monkeypatch.setattr(draws, "_AT_ONCE", at_once)
    states = [np.random.RandomState(7), np.random.RandomState(7)]
    for state in states:
        state.normal()  # leaves half a pair behind, and the words at an odd place
    wanted = by_loop(states[0], sizes, 50, rows, halves)
    found = batches_in_order(states[1], sizes, 50, rows, halves)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(one, other)
    assert states[0].normal() == states[1].normal()
    assert states[0].randint(10**9) == states[1].randint(10**9)
