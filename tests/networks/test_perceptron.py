import numpy as np
import pytest

from tfkit.networks.perceptron import perceptron


def test_inputs_of_any_rank_are_flattened():
    network = perceptron((4, 3), 2, [5])
    x = np.random.default_rng(0).random((7, 4, 3)).astype("float32")
    kernel, bias, top, last = network.get_weights()
    hidden = np.maximum(x.reshape(7, 12) @ kernel + bias, 0)
    np.testing.assert_allclose(network(x), hidden @ top + last, atol=1e-5)


def test_its_layers_can_be_named():
    assert perceptron((4,), 2, [5, 6]).get_layer("hidden_2").units == 6


def test_widths_must_be_positive():
    with pytest.raises(ValueError, match="units must be >= 1"):
        perceptron((4,), 2, [5, 0])
