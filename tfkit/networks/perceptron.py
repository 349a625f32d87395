"""Fully connected classifiers."""

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
    References: Goodfellow et al. 2016, https://www.deeplearningbook.org, chapter 6.
    """
    positive("perceptron", units=units)
    inputs = keras.Input(input_shape, name="inputs")
    hidden = layers.Reshape((prod(input_shape),))(inputs)
    for number, width in enumerate(units, start=1):
        hidden = layers.Dense(width, activation="relu", name=f"hidden_{number}")(hidden)
    return keras.Model(inputs, layers.Dense(classes, name="logits")(hidden), name="perceptron")
