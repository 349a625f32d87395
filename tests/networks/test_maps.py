"""Where Grad-CAM cuts a classifier."""

import keras
import numpy as np
import pytest

from tfkit.networks.maps import at_last_maps
from tfkit.networks.resnet import resnet

X = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype("float32")


def convolutions(shape=(8, 8, 3), last=None):
    layers = [keras.Input(shape), keras.layers.Conv2D(4, 3, name="first")]
    layers += [keras.layers.Conv2D(5, 3, name="second"), keras.layers.ReLU(name="maps")]
    head = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)]
    return keras.Sequential([*layers, *(head if last is None else last)])


def within(*parts):
    """A model of models."""
    inputs = keras.Input((8, 8, 3))
    made = inputs
    for part in parts:
        made = part(made)
    return keras.Model(inputs, made)


HEAD = keras.Sequential(
    [keras.Input((4, 4, 5)), keras.layers.Flatten(), keras.layers.Dense(3), keras.layers.Dense(2)]
)
MODELS = {
    "flat": convolutions,
    "maps in the lower of two": lambda: within(convolutions(last=[]), HEAD),
    "maps in the upper of two": lambda: within(keras.layers.Rescaling(0.5), convolutions()),
    "two models deep": lambda: within(within(convolutions()), keras.layers.Dense(2)),
}


@pytest.mark.parametrize("name", MODELS)
def test_the_two_functions_are_the_model(name):
    model = MODELS[name]()
    features, head = at_last_maps(model)
    maps = features(X)
    assert maps.shape == (2, 4, 4, 5) and np.min(maps) == 0  # behind the ReLU
    np.testing.assert_allclose(head(maps), model(X), rtol=1e-5, atol=1e-6)


def test_a_network_without_maps_has_none():
    layers = [keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)]
    assert at_last_maps(keras.Sequential(layers)) is None


def test_a_layer_that_something_passes_by_is_no_place_for_a_cut():
    """At one place a map is none any more, and the last map before it is in a residual block."""
    model = resnet((32, 32, 3), 2)
    features, head = at_last_maps(model)
    rows = np.random.default_rng(1).random((2, 32, 32, 3)).astype("float32")
    maps = features(rows)
    assert maps.shape[1:3] == (2, 2)
    np.testing.assert_allclose(head(maps), model(rows), rtol=1e-5, atol=1e-6)
