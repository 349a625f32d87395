import keras
import numpy as np
import pytest

from tfkit.optimizers import cosine, exponential, linear, piecewise


def rates(schedule, steps):
    return np.array([float(schedule(step)) for step in range(steps)])


def test_cosine_falls_to_its_floor():
    schedule = cosine(100, learning_rate=2.0, floor=0.1)
    t = np.arange(101)
    expected = 2.0 * (0.1 + 0.9 * (1 + np.cos(np.pi * t / 100)) / 2)
    np.testing.assert_allclose(rates(schedule, 101), expected, rtol=1e-5)


def test_the_last_step_is_one_before_the_floor():
    last, floor = rates(cosine(10, learning_rate=1.0, floor=0.1), 11)[-2:]
    assert floor == pytest.approx(0.1) and last == pytest.approx(
        0.1 + 0.9 * (1 + np.cos(np.pi * 9 / 10)) / 2, rel=1e-5
    )
    assert "reached at the last step" not in cosine.__doc__ and "step `steps`" in cosine.__doc__


def test_cosine_warms_up_without_a_step_of_zero():
    schedule = cosine(20, learning_rate=1.0, warmup_steps=4)
    found = rates(schedule, 21)
    np.testing.assert_allclose(found[:5], [0.2, 0.4, 0.6, 0.8, 1.0], rtol=1e-6)
    expected = (1 + np.cos(np.pi * np.arange(17) / 16)) / 2
    np.testing.assert_allclose(found[4:], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("steps", [1, 2, 8])
@pytest.mark.parametrize("warmup", [0, 1, 8, 500])
def test_cosine_works_however_short_the_training(steps, warmup):
    found = rates(cosine(steps, learning_rate=1.0, warmup_steps=warmup), steps)
    assert np.all(np.isfinite(found)) and np.all(found >= 0) and found.max() <= 1 + 1e-6
    if warmup >= steps:
        expected = (np.arange(steps) + 1) / (warmup + 1)
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_exponential_reaches_its_last_rate():
    t = np.arange(11)
    smooth = rates(exponential(10, learning_rate=3.0, last=0.1), 11)
    np.testing.assert_allclose(smooth, 3.0 * 0.1 ** (t / 10), rtol=1e-5)
    stairs = rates(exponential(10, learning_rate=3.0, last=0.1, staircase=2), 11)
    np.testing.assert_allclose(stairs, 3.0 * 0.1 ** (t // 5 / 2), rtol=1e-5)


def test_linear_falls_to_its_floor():
    found = rates(linear(8, learning_rate=2.0, floor=0.25), 9)
    np.testing.assert_allclose(found, 2.0 - 1.5 * np.arange(9) / 8, rtol=1e-6)


@pytest.mark.parametrize("schedule", [exponential, linear, piecewise])
@pytest.mark.parametrize("steps", [1, 2, 3, 8])
def test_others_work_however_short_the_training(schedule, steps):
    found = rates(schedule(steps), steps)
    assert np.all(np.isfinite(found)) and np.all(np.diff(found) <= 0) and found.min() > 0


def test_piecewise_drops_at_each_boundary():
    found = rates(piecewise(8, learning_rate=1.0, boundaries=(0.75, 0.5), factor=0.1), 8)
    np.testing.assert_allclose(found, [1, 1, 1, 1, 0.1, 0.1, 0.01, 0.01], rtol=1e-5)


@pytest.mark.parametrize("schedule", [cosine, exponential, piecewise])
def test_is_restored_from_its_config(schedule):
    first = keras.optimizers.SGD(schedule(10))
    again = keras.optimizers.SGD.from_config(first.get_config())
    np.testing.assert_allclose(rates(again._learning_rate, 10), rates(first._learning_rate, 10))
