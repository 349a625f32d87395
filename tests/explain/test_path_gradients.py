import numpy as np
import pytest
import tensorflow as tf

from tfkit.explain import gradient_times_input, integrated_gradients

GENERATOR = np.random.default_rng(0)
INPUTS = GENERATOR.normal(size=(7, 6)).astype("float32")
FIRST = GENERATOR.normal(size=(6, 8)).astype("float32")
SECOND = GENERATOR.normal(size=(8, 3)).astype("float32")
CLASSES = np.array([0, 1, 2, 0, 1, 2, 1])


def smooth(x):
    return tf.tanh(x @ FIRST) @ SECOND


def linear(x):
    return x @ FIRST


def chosen(logits):
    return np.asarray(logits)[np.arange(len(CLASSES)), CLASSES]


@pytest.mark.parametrize("baseline", [None, np.full(6, 0.5), GENERATOR.normal(size=(7, 6))])
def test_integrated_gradients_sum_to_the_difference(baseline):
    found = integrated_gradients(smooth, INPUTS, CLASSES, baseline, steps=200)
    start = np.broadcast_to(0.0 if baseline is None else baseline, INPUTS.shape)
    wanted = chosen(smooth(INPUTS)) - chosen(smooth(start.astype("float32")))
    np.testing.assert_allclose(found.sum(axis=1), wanted, atol=2e-3)


def test_more_steps_are_nearer_to_the_difference():
    wanted = chosen(smooth(INPUTS)) - chosen(smooth(0 * INPUTS))
    errors = [
        np.abs(integrated_gradients(smooth, INPUTS, CLASSES, steps=n).sum(axis=1) - wanted).max()
        for n in (1, 4, 16, 64)
    ]
    assert errors[0] > 4 * errors[1] > 16 * errors[2] > errors[3]  # the rule of midpoints


def test_of_a_linear_model_both_are_weight_times_input():
    wanted = INPUTS * FIRST[:, CLASSES].T
    for found in (
        integrated_gradients(linear, INPUTS, CLASSES, steps=1),
        gradient_times_input(linear, INPUTS, CLASSES),
    ):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)


def test_without_classes_the_largest_logit_is_explained_on_the_whole_way():
    top = np.asarray(smooth(INPUTS)).argmax(axis=1)
    for explain in (integrated_gradients, gradient_times_input):
        found, wanted = explain(smooth, INPUTS, batch_size=3), explain(smooth, INPUTS, top)
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_an_input_that_the_logit_does_not_see_gets_nothing():
    found = integrated_gradients(lambda x: smooth(x * [1, 1, 0, 1, 1, 1]), INPUTS, CLASSES)
    assert not found[:, 2].any() and found[:, 0].any()
    constant = integrated_gradients(lambda x: tf.ones((len(x), 3)), INPUTS, CLASSES)
    assert not constant.any()


def test_half_precision_gives_float32():
    found = gradient_times_input(lambda x: tf.cast(linear(x), tf.bfloat16), INPUTS, CLASSES)
    assert found.dtype == np.float32


def test_what_is_refused():
    with pytest.raises(ValueError, match="steps must be >= 1, got 0"):
        integrated_gradients(smooth, INPUTS, steps=0)
    with pytest.raises(ValueError, match=r"baseline must be of shape \(7, 6\) or \(6,\), got"):
        integrated_gradients(smooth, INPUTS, baseline=np.zeros(5))
    with pytest.raises(ValueError, match="inputs must be floats .*of token ids pass their embed"):
        gradient_times_input(smooth, np.zeros((2, 6), int))
