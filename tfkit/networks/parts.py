"""The two halves of any network, for methods that cut one."""

import keras

from tfkit.networks.cutting import cut


def lower_part(network: keras.Model, layer: str = "hidden_1") -> keras.Model:
    """A network up to a layer through which all its paths go.

    `upper_part` of the same network and layer is the other half, with weights of its own; in Python
    `tfkit.networks.cutting.cut(model, layer)` gives both with the model's weights.

    Shapes: [B, H, W, C] -> [B, D]
    Args:
        network: inputs -> logits, such as a `perceptron`; functional or Sequential, one input.
        layer: name of the half's last layer.
    Raises:
        ValueError: no such layer, or something passes it by.
    References: Tiwari and Shenoy 2023, arXiv:2301.13293 (where a readout sits).
    """
    return cut(network, layer)[0]


def upper_part(network: keras.Model, layer: str = "hidden_1") -> keras.Model:
    """A network from a layer on, through which all its paths go: features -> logits.

    Shapes: [B, D] -> [B, K]
    Args:
        network: inputs -> logits, such as a `perceptron`; functional or Sequential, one input.
        layer: name of the other half's last layer.
    Raises:
        ValueError: no such layer, or something passes it by.
    References: Tiwari and Shenoy 2023, arXiv:2301.13293 (where a readout sits).
    """
    return cut(network, layer)[1]
