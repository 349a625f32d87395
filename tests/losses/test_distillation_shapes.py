import numpy as np
import pytest
import tensorflow as tf

from tfkit.losses import debiased_distillation_loss, distillation_loss

LOGITS = np.float32([[1, 0, 2], [0, 1, 0]])


def test_a_batch_may_be_unknown_on_one_side_while_a_graph_is_traced():
    def loss(student):
        return distillation_loss(student, tf.constant(LOGITS))

    traced = tf.function(loss, input_signature=[tf.TensorSpec((None, 3))])
    np.testing.assert_allclose(traced(LOGITS[::-1].copy()), loss(tf.constant(LOGITS[::-1].copy())))
    with pytest.raises(ValueError, match=r"the same shape \[B, K\], got \(None, 4\) and \(2, 3\)"):
        tf.function(loss).get_concrete_function(tf.TensorSpec((None, 4)))


@pytest.mark.parametrize("weights", [np.ones((2, 1)), np.ones(1), 1.0])
def test_weights_are_one_for_each_example(weights):
    with pytest.raises(ValueError, match=r"weights must be \[B\], one for each example, got shape"):
        debiased_distillation_loss(LOGITS, LOGITS[::-1], np.array([0, 1]), weights)
