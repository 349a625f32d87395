import keras
import numpy as np
import pytest

from tests.methods.group_robustness.toys import network, task
from tfkit.classification.networks import decayed, features_of, last_dense, logits_of

X, _, _ = task()


def test_features_are_what_the_last_layer_takes():
    made = network((5, 4))
    features = features_of("It", "network", made)(X)
    last = last_dense("It", "network", made)
    np.testing.assert_allclose(made(X), features @ last.kernel.numpy() + last.bias, atol=1e-5)


def test_decay_is_half_the_squared_norm():
    values = [keras.Variable(np.float32([3, 4])), keras.Variable(np.float32([1]))]
    assert float(decayed(np.float32(2), values, 0.5)) == pytest.approx(2 + 0.25 * 26)


def test_networks_without_one_output_of_logits_are_refused():
    inputs = keras.Input((4, 4, 1))
    maps = keras.Model(inputs, keras.layers.Conv2D(2, 3)(inputs))
    with pytest.raises(ValueError, match="one output of logits"):
        logits_of("It", "network", maps)
    assert logits_of("It", "network", network(classes=3)) == 3
