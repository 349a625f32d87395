import numpy as np
import pytest

from tfkit.losses import kl_to_standard_normal


@pytest.mark.parametrize(
    ("mean", "logvar", "expected"),
    [(0, 0, 0.0), (1, 0, 5.0), (1, 1, 5 * (np.e - 1)), (0, -2, 5.6767)],
)
def test_known_values_summed_over_ten_latents(mean, logvar, expected):
    shape = np.ones((3, 10), np.float32)
    kl = np.sum(kl_to_standard_normal(mean * shape, logvar * shape), axis=1)
    np.testing.assert_allclose(kl, expected, rtol=1e-5)


def test_keeps_float64_and_lifts_half_precision_to_float32():
    ones = np.ones((2, 3))
    assert kl_to_standard_normal(ones, ones).dtype == "float64"
    assert kl_to_standard_normal(ones.astype("float16"), ones.astype("float16")).dtype == "float32"


def test_shapes_that_differ_are_refused():
    with pytest.raises(ValueError, match=r"same shape, got \(2, 3\) and \(2, 1\)"):
        kl_to_standard_normal(np.ones((2, 3)), np.ones((2, 1)))
