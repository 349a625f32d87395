import numpy as np
import pytest

from tfkit.networks.convolutions import convolutional_head, convolutional_trunk, convolutions


@pytest.mark.parametrize("normalization", ["none", "batch"])
@pytest.mark.parametrize("pooling", ["flatten", "average"])
def test_trunk_and_head_are_the_classifier_cut_in_two(normalization, pooling):
    options = {"strides": 2, "normalization": normalization}
    whole = convolutions((8, 8, 2), 3, [4, 5], units=[6], pooling=pooling, **options)
    trunk = convolutional_trunk((8, 8, 2), [4], **options)
    shape = tuple(trunk.output.shape[1:])
    head = convolutional_head(shape, 3, [5], units=[6], pooling=pooling, **options)
    count = len(trunk.weights)
    trunk.set_weights(whole.get_weights()[:count])
    head.set_weights(whole.get_weights()[count:])
    x = np.random.default_rng(0).random((7, 8, 8, 2)).astype("float32")
    np.testing.assert_allclose(head(trunk(x)), whole(x), atol=1e-6)


def test_what_is_no_image_is_refused():
    with pytest.raises(ValueError, match="take perceptron"):
        convolutional_trunk((8,), [4])
    with pytest.raises(ValueError, match="filters must be >= 1"):
        convolutional_trunk((8, 8, 1), [0])
