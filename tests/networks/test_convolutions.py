import pytest

from tfkit.networks.convolutions import convolutions


def test_options_make_the_layers_that_they_name():
    network = convolutions(
        (8, 8, 2), 3, [4, 5], units=[6], pooling="average", normalization="batch"
    )
    assert network.get_layer("relu_2").output.shape == (None, 2, 2, 5)
    assert network.get_layer("pool").output.shape == (None, 5)
    assert network.get_layer("norm_1").axis == -1 and not network.get_layer("conv_1").use_bias
    flat = convolutions((8, 8, 2), 3, [4], strides=1)
    assert flat.get_layer("pool").output.shape == (None, 256) and flat.get_layer("conv_1").use_bias


def test_what_is_no_image_is_refused():
    with pytest.raises(ValueError, match="take perceptron"):
        convolutions((8,), 2)
    with pytest.raises(ValueError, match="filters must be >= 1"):
        convolutions((8, 8, 1), 2, [0])
