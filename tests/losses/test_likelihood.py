from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tfkit.losses import bernoulli_reconstruction, reconstruction

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "disentanglement_losses.npz")
X, LOGITS = GOLDEN["x"], GOLDEN["logits"]


def in_numpy(x, logits, kind, activation, subtract):
    """The study's formulas, in float64."""
    q = 1 / (1 + np.exp(-logits)) if activation == "logits" else np.tanh(logits) / 2 + 0.5
    if kind == "l2":
        return np.square(x - q).sum(axis=(1, 2, 3))
    q = q if activation == "logits" else np.clip(q, 1e-6, 1 - 1e-6)
    error = -(x * np.log(q) + (1 - x) * np.log1p(-q)).sum(axis=(1, 2, 3))
    p = np.clip(x, 1e-6, 1 - 1e-6)
    return error + subtract * (p * np.log(p) + (1 - p) * np.log1p(-p)).sum(axis=(1, 2, 3))


@pytest.mark.parametrize("activation", ("logits", "tanh"))
@pytest.mark.parametrize(
    ("kind", "subtract", "key"),
    [
        ("bernoulli", False, "ref_f32_bernoulli_{}_plain"),
        ("bernoulli", True, "ref_f32_bernoulli_{}_minus_entropy"),
        ("l2", False, "ref_f32_l2_{}"),
    ],
)
def test_golden_of_the_study(kind, activation, subtract, key):
    options = {"kind": kind, "activation": activation, "subtract_entropy": subtract}
    loose = kind == "bernoulli" and activation == "tanh"  # the reference is wrong by 1.7e-4 there
    expected = GOLDEN[key.format(activation)]
    np.testing.assert_allclose(
        reconstruction(X, LOGITS, **options), expected, rtol=1e-3 if loose else 1e-5
    )
    exact = in_numpy(X.astype(float), LOGITS.astype(float), kind, activation, subtract)
    np.testing.assert_allclose(reconstruction(X, LOGITS, **options), exact, rtol=1e-5)
    double = reconstruction(X.astype(float), LOGITS.astype(float), **options)
    assert double.dtype == "float64"
    np.testing.assert_allclose(double, exact, rtol=1e-10)


def test_the_default_is_the_plain_bernoulli():
    np.testing.assert_array_equal(bernoulli_reconstruction(X, LOGITS), reconstruction(X, LOGITS))


def test_is_a_sum_over_pixels_of_each_image():
    zeros = np.zeros((3, 4, 4, 1), np.float32)
    np.testing.assert_allclose(bernoulli_reconstruction(zeros, zeros), 16 * np.log(2), rtol=1e-6)
    np.testing.assert_allclose(reconstruction(zeros, zeros, kind="l2"), 4.0)


def test_does_not_overflow_where_the_decoder_is_certain():
    images = np.array([[0.0], [1.0]], np.float32)
    np.testing.assert_allclose(bernoulli_reconstruction(images, 0 * images + 1000), [1000, 0])


def test_clipped_probabilities_cost_no_more_and_have_no_gradient():
    images, logits = tf.zeros((1, 2)), tf.constant([[50.0, 1.0]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        error = reconstruction(images, logits, activation="tanh")
    assert float(error[0]) == pytest.approx(-np.log(1e-6) + np.log1p(np.exp(2.0)), rel=1e-6)
    gradient = tape.gradient(error, logits).numpy()[0]
    assert gradient[0] == 0 and gradient[1] > 0


def test_entropy_is_what_the_best_logits_leave():
    x = np.array([[0.2, 0.7, 0.5]])
    best = np.log(x) - np.log1p(-x)
    assert abs(reconstruction(x, best, subtract_entropy=True)[0]) < 1e-12


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"logits": np.zeros((2, 4, 4, 3))}, r"same shape, got \(2, 4, 4, 1\) and \(2, 4, 4, 3\)"),
        ({"kind": "l1"}, "kind must be one of bernoulli, l2, got 'l1'"),
        ({"activation": "relu"}, "activation must be one of logits, tanh, got 'relu'"),
        ({"kind": "l2", "subtract_entropy": True}, "subtract_entropy=True needs kind"),
    ],
)
def test_bad_arguments(change, message):
    zeros = np.zeros((2, 4, 4, 1))
    with pytest.raises(ValueError, match=message):
        reconstruction(**{"images": zeros, "logits": zeros, **change})
