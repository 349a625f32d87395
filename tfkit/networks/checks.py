"""What constructors of networks, and of what is made of them, refuse."""

import keras

_OF_PROBABILITIES = (keras.activations.softmax, keras.activations.sigmoid)


def require_logits(told: str, network) -> None:
    """Refuse a network, or a model of networks, that ends in a softmax or sigmoid: a loss of its
    logits would take another one.

    Args:
        told: what the message begins with, such as "cut: model".
        network: a layer or model.
    Raises:
        ValueError: it does.
    """
    last = network
    while isinstance(last, keras.Model) and last.layers:
        last = last.layers[-1]
    activation = getattr(last, "activation", None)
    if isinstance(last, keras.layers.Softmax) or activation in _OF_PROBABILITIES:
        ends = getattr(activation, "__name__", "softmax")
        raise ValueError(
            f"{told} must give logits, but layer {last.name} ends in a {ends}; make it without "
            "(keras.applications: classifier_activation=None)."
        )


def positive(owner: str, **widths) -> None:
    """Lists of widths, or single ones, must be positive."""
    for name, given in widths.items():
        values = given if isinstance(given, (list, tuple)) else (given,)
        if any(value < 1 for value in values):
            raise ValueError(f"{owner}: {name} must be >= 1, got {given}.")
