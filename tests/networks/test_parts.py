import numpy as np
import pytest

from tfkit.networks.convolutions import convolutions
from tfkit.networks.parts import lower_part, upper_part


def test_the_halves_are_the_network():
    whole = convolutions((8, 8, 2), 3, [4, 5], normalization="batch")
    lower, upper = lower_part(whole, "relu_1"), upper_part(whole, "relu_1")
    assert upper.inputs[0].shape == lower.outputs[0].shape == (None, 4, 4, 4)
    x = np.random.default_rng(0).random((7, 8, 8, 2)).astype("float32")
    np.testing.assert_allclose(upper(lower(x)), whole(x), atol=1e-6)


def test_a_layer_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(ValueError, match="relu_1, pool"):
        lower_part(convolutions((8, 8, 2), 3, [4]), "relu_9")
