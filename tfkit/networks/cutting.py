"""A classifier cut in two behind a layer."""

import keras

from tfkit.networks.checks import require_logits


def cut(model, layer):
    """The part up to a layer and the part behind it, as functional models of the same layers.

    Args:
        model: Sequential or functional, one input, one output of logits.
        layer: name of the last layer of the lower part, its position in `model.layers`, or itself;
            a list of these, in order, for a lower part in several segments.
    Returns:
        lower (a list where `layer` is one), upper.
    Raises:
        ValueError: not such a model, no such layer, or something passes a cut beside it.
    """
    _check_model(model)
    several = isinstance(layer, (list, tuple))
    names = [_name(model, one) for one in (layer if several else [layer])]
    if not names:
        raise ValueError("cut: layer must be a name or a list of names, got none.")
    start, segments = model.inputs[0], []
    for name in names:
        end = _output(model, name)
        if _key(end) == _key(model.outputs[0]):
            raise ValueError(f"cut: layer {name} is the last one, nothing would be left above.")
        segments.append(_between(start, end, name))
        start = end
    upper = _between(start, model.outputs[0], names[-1])
    return (segments if several else segments[0]), upper


def around(model, layer):
    """What a model does before a layer and after it, as two functions; that of nothing is identity.

    Args:
        model: as of `cut`.
        layer: name of a layer with one input.
    Raises:
        ValueError: as of `cut`.
    """
    made = _output(model, layer)
    (taken,) = _parents(made)
    spans = (model.inputs[0], taken), (made, model.outputs[0])
    return tuple(
        (lambda same: same) if _key(start) == _key(end) else _between(start, end, layer)
        for start, end in spans
    )


def _check_model(model):
    if not isinstance(model, keras.Model) or not getattr(model, "inputs", None):
        raise ValueError(
            "cut: model must be a functional or Sequential keras.Model that knows its "
            f"input's shape, got {type(model).__name__}; start it with keras.Input(shape)."
        )
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ValueError(
            f"cut: model must have one input and one output, got {len(model.inputs)} and "
            f"{len(model.outputs)}."
        )
    require_logits("cut: model", model)


def _name(model, layer):
    """A layer's name, from that, its position or itself."""
    if isinstance(layer, int) and -len(model.layers) <= layer < len(model.layers):
        return model.layers[layer].name
    return getattr(layer, "name", layer)


def _output(model, name):
    """The tensor that a layer makes in this model."""
    known = {layer.name: layer for layer in model.layers}
    if name not in known or isinstance(known[name], keras.layers.InputLayer):
        names = [n for n, one in known.items() if not isinstance(one, keras.layers.InputLayer)]
        inner = [n for n, one in known.items() if isinstance(one, keras.Model)]
        within = f" (not a layer within {' or '.join(inner)})" if inner else ""
        raise ValueError(f"cut: layer must be one of {', '.join(names)}{within}; got {name!r}.")
    made = [t for t in _ancestry(model.outputs[0]) if _maker(t) is known[name]]
    if len(made) != 1:
        raise ValueError(
            f"cut: layer {name} makes {len(made)} tensors of this model's logits; cut "
            "behind a layer that is called once."
        )
    return made[0]


def _between(start, end, name):
    """The functional model from one tensor to another, if all of `end` comes through `start`."""
    ends = [t for t in _ancestry(end, stop=start) if not _parents(t)]
    beside = [t for t in ends if _key(t) != _key(start)]
    if _key(start) == _key(end):
        raise ValueError(f"cut: layer {name} is named twice.")
    if beside:
        raise ValueError(
            f"cut: the cut at layer {name} does not part the model: a path from "
            f"{_maker(beside[0]).name} passes it by (a skip connection across the cut, a mask that "
            "a layer above takes, or layers out of order); cut where all paths meet, such as "
            "behind the addition."
        )
    return keras.Model(start, end)


def _ancestry(tensor, stop=None):
    """A tensor and all that it is made of, not beyond `stop`."""
    found, open_ends = {}, [tensor]
    while open_ends:
        one = open_ends.pop()
        if _key(one) not in found:
            found[_key(one)] = one
            past = stop is not None and _key(one) == _key(stop)
            open_ends += [] if past else _parents(one)
    return list(found.values())


def _parents(tensor):
    """What the layer that made a tensor took."""
    return _node(tensor).input_tensors


def _key(tensor):
    """The same for the same tensor of a graph, which may be several objects."""
    history = tensor._keras_history
    return id(history.operation), history.node_index, history.tensor_index


def _maker(tensor):
    """The layer that made a tensor."""
    return tensor._keras_history.operation


def _node(tensor):
    history = tensor._keras_history
    return history.operation._inbound_nodes[history.node_index]
