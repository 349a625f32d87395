"""A classifier in two at its last feature maps, which is where Grad-CAM looks."""

from collections.abc import Callable

import keras

from tfkit.networks.cutting import around, cut


def at_last_maps(model) -> tuple[Callable, Callable] | None:
    """Two functions, inputs -> maps [B, h, w, C] and maps -> logits [B, K]: a model cut behind the
    last layer that gives maps, also where that is in a model within it. None where no layer does.

    Args:
        model: Sequential or functional, one input, one output of logits.
    Raises:
        ValueError: something passes the maps beside them.
    """
    for layer in reversed(model.layers):
        if _are_maps(layer.output):
            return None if isinstance(layer, keras.layers.InputLayer) else cut(model, layer.name)
        if isinstance(layer, keras.Model) and (inner := at_last_maps(layer)) is not None:
            before, after = around(model, layer.name)
            return _chain(before, inner[0]), _chain(inner[1], after)
    return None


def _are_maps(tensor) -> bool:
    """Whether it has more places than one."""
    shape = tuple(getattr(tensor, "shape", ()))
    return len(shape) == 4 and shape[1:3] != (1, 1)


def _chain(first, second):
    return lambda given: second(first(given))
