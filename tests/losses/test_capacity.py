import json
import re
from pathlib import Path

import numpy as np
import pytest

from tfkit.losses import annealed_capacity

GOLDEN = Path(__file__).parents[1] / "golden"
NUMBERS = json.loads((GOLDEN / "disentanglement_losses.json").read_text())


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-10), (np.float32, 1e-5)])
@pytest.mark.parametrize("case", "abc")
def test_golden(case, dtype, rtol):
    kl = np.asarray(NUMBERS[case]["kl"], dtype)
    cases = [name for name in NUMBERS[case]["reg"] if name.startswith("annealed")]
    assert len(cases) == 42
    for name in cases:
        c_max, step = map(int, re.findall(r"\d+", name))
        found = annealed_capacity(kl, step, 1000, c_max, 100_000)
        # in float32, kl - C is the difference of numbers up to 100
        np.testing.assert_allclose(
            found, NUMBERS[case]["reg"][name], rtol=rtol, atol=0 if dtype == np.float64 else 1e-2
        )


def test_pulls_from_both_sides_to_the_capacity_and_no_further_than_c_max():
    for step, capacity in ((0, 0.0), (5, 4.0), (10, 8.0), (11, 8.0), (10**9, 8.0)):
        for away in (-3.0, 0.0, 3.0):
            found = annealed_capacity(capacity + away, step, 2.0, 8.0, 10)
            assert float(found) == pytest.approx(2 * abs(away), abs=1e-5)


@pytest.mark.parametrize(
    ("option", "value"), [("gamma", -1.0), ("c_max", float("nan")), ("iteration_threshold", 0)]
)
def test_bad_arguments(option, value):
    with pytest.raises(ValueError, match=f"annealed_capacity: {option} must be .* got {value}"):
        annealed_capacity(1.0, 0, **{option: value})
