"""Small convolutional classifiers."""

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
    References: LeCun et al. 1998, https://doi.org/10.1109/5.726791
    """
    if len(input_shape) != 3:
        raise ValueError(
            f"convolutions: needs images of shape (H, W, C), the data's are {tuple(input_shape)}; "
            "take perceptron for others."
        )
    for name, given, known in (
        ("pooling", pooling, ("flatten", "average")),
        ("normalization", normalization, ("batch", "none")),
    ):
        if given not in known:
            raise ValueError(f"convolutions: {name} must be {' or '.join(known)}, got {given!r}.")
    positive("convolutions", filters=filters, strides=strides, units=units)
    features = inputs = keras.Input(input_shape, name="inputs")
    for number, width in enumerate(filters, start=1):
        biased = normalization == "none"
        convolve = layers.Conv2D(
            width, 3, strides, padding="same", use_bias=biased, name=f"conv_{number}"
        )
        features = convolve(features)
        if normalization == "batch":
            features = layers.BatchNormalization(name=f"norm_{number}")(features)
        features = layers.ReLU(name=f"relu_{number}")(features)
    pool = layers.Flatten if pooling == "flatten" else layers.GlobalAveragePooling2D
    hidden = pool(name="pool")(features)
    for number, width in enumerate(units, start=1):
        hidden = layers.Dense(width, activation="relu", name=f"hidden_{number}")(hidden)
    logits = layers.Dense(classes, name="logits")(hidden)
    return keras.Model(inputs, logits, name="convolutions")
