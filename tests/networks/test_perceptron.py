import numpy as np
import pytest

from tfkit.networks.perceptron import perceptron, perceptron_head, perceptron_trunk


def test_trunk_and_head_are_a_perceptron_cut_in_two():
    whole = perceptron((4, 3), 2, [5, 6])
    trunk = perceptron_trunk((4, 3), [5])
    head = perceptron_head((5,), 2, [6])
    trunk.set_weights(whole.get_weights()[:2])
    head.set_weights(whole.get_weights()[2:])
    x = np.random.default_rng(0).random((7, 4, 3)).astype("float32")
    np.testing.assert_allclose(head(trunk(x)), whole(x), atol=1e-6)


def test_its_layers_can_be_named():
    assert perceptron((4,), 2, [5, 6]).get_layer("hidden_2").units == 6


@pytest.mark.parametrize("make", [perceptron_trunk, lambda s, u: perceptron(s, 2, u)])
def test_widths_must_be_positive(make):
    with pytest.raises(ValueError, match="units must be >= 1"):
        make((4,), [5, 0])
