"""Fully connected networks: a classifier, and its two halves for methods that cut it."""

from math import prod

import keras
from keras import layers

from tfkit.networks.checks import positive


def perceptron(input_shape, classes, units: list[int] = (64, 64)) -> keras.Model:
    """Fully connected classifier: hidden layers with ReLU, then logits.

        flatten - units x (Dense relu) - Dense classes

    The hidden layers are called hidden_1, hidden_2 …, the last layer logits.

    Shapes: [B, H, W, C] -> [B, K]
    Args:
        input_shape: of an example, told by the data.
        classes: K, told by the data.
        units: widths of the hidden layers, each >= 1.
    """
    positive("perceptron", units=units)
    inputs = keras.Input(input_shape, name="inputs")
    hidden = _hidden(layers.Reshape((prod(input_shape),))(inputs), units)
    return keras.Model(inputs, layers.Dense(classes, name="logits")(hidden), name="perceptron")


def perceptron_trunk(input_shape, units: list[int] = (64,)) -> keras.Model:
    """The lower half of a `perceptron`: its first hidden layers.

    Shapes: [B, H, W, C] -> [B, D]
    Args:
        input_shape: of an example, told by the data.
        units: widths of the hidden layers, each >= 1; the last is D.
    """
    positive("perceptron_trunk", units=units)
    inputs = keras.Input(input_shape, name="inputs")
    hidden = _hidden(layers.Reshape((prod(input_shape),))(inputs), units)
    return keras.Model(inputs, hidden, name="perceptron_trunk")


def perceptron_head(feature_shape, classes, units: list[int] = (64,)) -> keras.Model:
    """The upper half of a `perceptron`: its last hidden layers and the logits.

    Shapes: [B, D] -> [B, K]
    Args:
        feature_shape: of the lower half's features, which are flattened; told by the lower half.
        classes: K, told by the data.
        units: widths of the hidden layers, each >= 1; none for a linear head.
    """
    positive("perceptron_head", units=units)
    features = keras.Input(feature_shape, name="features")
    hidden = _hidden(layers.Reshape((prod(feature_shape),))(features), units)
    return keras.Model(features, layers.Dense(classes, name="logits")(hidden), name="head")


def _hidden(hidden, units):
    for number, width in enumerate(units, start=1):
        hidden = layers.Dense(width, activation="relu", name=f"hidden_{number}")(hidden)
    return hidden
