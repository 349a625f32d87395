"""Small convolutional networks: a classifier, and its two halves for methods that cut it."""

from typing import Literal

import keras
from keras import layers

from tfkit.networks.checks import positive


def convolutions(
    input_shape,
    classes,
    filters: list[int] = (16, 32),
    strides: int = 2,
    units: list[int] = (64,),
    pooling: Literal["flatten", "average"] = "flatten",
    normalization: Literal["batch", "none"] = "none",
) -> keras.Model:
    """Convolutional classifier: 3 x 3 convolutions with ReLU, then hidden layers, then logits.

        filters x (Conv 3 x 3 - [BatchNorm] - relu) - pooling - units x (Dense relu) - Dense K

    The convolutions are called conv_1, conv_2 … (their outputs after the ReLU relu_1, relu_2 …),
    the hidden layers hidden_1 …, the last layer logits.

    Shapes: [B, H, W, C] -> [B, K]
    Args:
        input_shape: (H, W, C), told by the data.
        classes: K, told by the data.
        filters: of each convolution, >= 1.
        strides: of each convolution, >= 1.
        units: widths of the hidden layers, >= 1; none for a linear head.
        pooling: "flatten" keeps the places, "average" takes the mean over them.
        normalization: "batch" normalises before each ReLU of the convolutions.
    """
    trunk = convolutional_trunk(input_shape, filters, strides, normalization)
    inputs = keras.Input(input_shape, name="inputs")
    features = inputs
    for layer in trunk.layers[1:]:
        features = layer(features)
    logits = _classify(features, classes, units, pooling)
    return keras.Model(inputs, logits, name="convolutions")


def convolutional_trunk(
    input_shape,
    filters: list[int] = (16,),
    strides: int = 2,
    normalization: Literal["batch", "none"] = "none",
) -> keras.Model:
    """The lower half of `convolutions`: its first convolutions.

    Shapes: [B, H, W, C] -> [B, H, W, C]
    Args:
        input_shape: (H, W, C), told by the data.
        filters: of each convolution, >= 1.
        strides: of each convolution, >= 1.
        normalization: "batch" normalises before each ReLU.
    """
    _check("convolutional_trunk", input_shape, filters, strides)
    inputs = keras.Input(input_shape, name="inputs")
    features = _convolve(inputs, filters, strides, normalization)
    return keras.Model(inputs, features, name="convolutional_trunk")


def convolutional_head(
    feature_shape,
    classes,
    filters: list[int] = (32,),
    strides: int = 2,
    units: list[int] = (64,),
    pooling: Literal["flatten", "average"] = "flatten",
    normalization: Literal["batch", "none"] = "none",
) -> keras.Model:
    """The upper half of `convolutions`: its last convolutions, hidden layers and logits.

    Shapes: [B, H, W, C] -> [B, K]
    Args:
        feature_shape: (H, W, C) of the lower half's features, told by the lower half.
        classes: K, told by the data.
        filters: of each convolution, >= 1; none for a head without.
        strides: of each convolution, >= 1.
        units: widths of the hidden layers, >= 1; none for a linear head.
        pooling: "flatten" keeps the places, "average" takes the mean over them.
        normalization: "batch" normalises before each ReLU of the convolutions.
    """
    _check("convolutional_head", feature_shape, filters, strides)
    features = keras.Input(feature_shape, name="features")
    hidden = _convolve(features, filters, strides, normalization)
    logits = _classify(hidden, classes, units, pooling)
    return keras.Model(features, logits, name="head")


def _convolve(features, filters, strides, normalization):
    for number, width in enumerate(filters, start=1):
        features = layers.Conv2D(
            width,
            3,
            strides,
            padding="same",
            use_bias=normalization == "none",
            name=f"conv_{number}",
        )(features)
        if normalization == "batch":
            features = layers.BatchNormalization(name=f"norm_{number}")(features)
        features = layers.ReLU(name=f"relu_{number}")(features)
    return features


def _classify(features, classes, units, pooling):
    positive("convolutions", units=units)
    flat = layers.Flatten if pooling == "flatten" else layers.GlobalAveragePooling2D
    hidden = flat(name="pool")(features)
    for number, width in enumerate(units, start=1):
        hidden = layers.Dense(width, activation="relu", name=f"hidden_{number}")(hidden)
    return layers.Dense(classes, name="logits")(hidden)


def _check(owner, shape, filters, strides):
    if len(shape) != 3:
        raise ValueError(
            f"{owner}: needs images of shape (H, W, C), the data's are {tuple(shape)}; take "
            "perceptron for others."
        )
    positive(owner, filters=filters, strides=strides)
