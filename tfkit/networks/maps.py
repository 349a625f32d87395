"""A classifier in two at its last feature maps, which is where Grad-CAM looks."""

from collections.abc import Callable

import keras

from tfkit.networks.cutting import around, cut


def at_last_maps(model) -> tuple[Callable, Callable] | None:
    """Two functions, inputs -> maps [B, h, w, C] and maps -> logits [B, K]: a model cut behind the
    last layer that gives maps and that nothing passes by, also where that is in a model within it.
    None where there is no such layer.

    Args:
        model: Sequential or functional, one input, one output of logits.
    """
    parted = (_parted(model, layer) for layer in reversed(model.layers))
    return next((halves for halves in parted if halves is not None), None)


def _parted(model, layer):
    """The two functions at a layer, or at one within it; None where it is no place for a cut."""
    try:
        if isinstance(layer, keras.layers.InputLayer):
            return None
        if _are_maps(layer.output):
            return cut(model, layer.name)
        if isinstance(layer, keras.Model) and (inner := at_last_maps(layer)) is not None:
            before, after = around(model, layer.name)
            return _chain(before, inner[0]), _chain(inner[1], after)
    except ValueError:  # something passes it by, as within a residual block
        return None


def _are_maps(tensor) -> bool:
    """Whether it has more places than one."""
    shape = tuple(getattr(tensor, "shape", ()))
    return len(shape) == 4 and shape[1:3] != (1, 1)


def _chain(first, second):
    return lambda given: second(first(given))
