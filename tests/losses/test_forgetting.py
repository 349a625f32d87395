from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfkit.losses import forgetting_loss

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "feature_sieve.npz")


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-12), (np.float32, 1e-5)])
def test_golden(dtype, rtol):
    """Logits of scales 0, 1, 30 and 300: large, but finite."""
    logits = tf.constant(GOLDEN["loss/logits"].astype(dtype))
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = tf.reduce_mean(forgetting_loss(logits))
    np.testing.assert_allclose(loss, GOLDEN["loss/value"], rtol=rtol)
    np.testing.assert_allclose(loss - np.log(5), GOLDEN["loss/kl_uniform_p"], rtol=rtol)
    gradient = tape.gradient(loss, logits)
    np.testing.assert_allclose(gradient, GOLDEN["loss/grad"], rtol=1e-4, atol=rtol / 16)


def test_who_knows_nothing_pays_log_k_and_nobody_pays_less():
    logits = np.random.default_rng(0).normal(size=(50, 7))
    np.testing.assert_allclose(forgetting_loss(np.zeros((3, 7))), np.log(7), rtol=1e-12)
    assert (np.asarray(forgetting_loss(logits)) > np.log(7)).all()


def test_is_the_cross_entropy_to_soft_labels_of_1_over_k():
    logits = np.random.default_rng(1).normal(size=(6, 4))
    soft = np.full((6, 4), 0.25)
    wanted = keras.losses.categorical_crossentropy(soft, logits, from_logits=True)
    np.testing.assert_allclose(forgetting_loss(logits), wanted, rtol=1e-6)


def test_a_constant_added_to_a_row_changes_nothing_and_gradients_sum_to_zero():
    logits = tf.constant(np.random.default_rng(2).normal(size=(6, 4)))
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = forgetting_loss(logits)
    shifted = forgetting_loss(logits + np.arange(6.0)[:, None])
    np.testing.assert_allclose(shifted, loss, rtol=1e-12)
    np.testing.assert_allclose(
        tf.reduce_sum(tape.gradient(loss, logits), 1), np.zeros(6), atol=1e-12
    )


@pytest.mark.parametrize("shape", [(4,), (4, 1), (4, 3, 2)])
def test_refuses_what_is_not_a_row_of_classes(shape):
    with pytest.raises(ValueError, match=r"forgetting_loss: .*\[B, K\]"):
        forgetting_loss(np.zeros(shape))
