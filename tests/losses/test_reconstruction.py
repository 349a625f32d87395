from pathlib import Path

import numpy as np
import pytest

from tfkit.losses import bernoulli_reconstruction

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "disentanglement_losses.npz")


def test_golden_of_the_study():
    errors = bernoulli_reconstruction(GOLDEN["x"], GOLDEN["logits"])
    np.testing.assert_allclose(errors, GOLDEN["ref_f32_bernoulli_logits_plain"], rtol=1e-5)


def test_is_a_sum_over_pixels_of_each_image():
    zeros = np.zeros((3, 4, 4, 1), np.float32)
    np.testing.assert_allclose(bernoulli_reconstruction(zeros, zeros), 16 * np.log(2), rtol=1e-6)


def test_does_not_overflow_where_the_decoder_is_certain():
    images = np.array([[0.0], [1.0]], np.float32)
    np.testing.assert_allclose(bernoulli_reconstruction(images, 0 * images + 1000), [1000, 0])


def test_shapes_that_differ_are_refused():
    with pytest.raises(ValueError, match=r"same shape, got \(2, 4, 4, 1\) and \(2, 4, 4, 3\)"):
        bernoulli_reconstruction(np.zeros((2, 4, 4, 1)), np.zeros((2, 4, 4, 3)))
