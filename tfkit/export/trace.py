"""From a room's signatures to graphs with named inputs and named outputs, checked."""

from __future__ import annotations

import difflib
import re
from typing import Any

import tensorflow as tf

from tfkit.errors import UsageError
from tfkit.export.hub import as_served
from tfkit.signature import Signature

_GENERIC = re.compile(r"(args|output|inputs?)_\d+$|args$")  # names that TensorFlow makes up


def choose(available: dict[str, Signature], wanted: list[str] | None) -> dict[str, Signature]:
    """The signatures to export, `predict` first whether it was asked for or not."""
    if "predict" not in available:
        raise ValueError(f"export: a room must serve `predict`, got {sorted(available)}.")
    for name in wanted or ():
        if name not in available:
            close = difflib.get_close_matches(name, available, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise UsageError(
                f"export.signatures: the model has no signature {name!r}{hint} "
                f"It has: {', '.join(available)}."
            )
    names = list(available) if wanted is None else wanted
    return {n: available[n] for n in dict.fromkeys(["predict", *names])}


def trace(name: str, signature: Signature) -> Any:
    """The concrete function of one signature: inputs by their names, outputs a dict of names."""
    specs = {}
    for key, spec in signature.inputs.items():
        if _GENERIC.match(key) or spec.shape.rank in (None, 0) or spec.shape[0] is not None:
            raise ValueError(
                f"export: input {key!r} of signature {name!r} must have a name of its own and an "
                f"open batch first, got {spec}."
            )
        specs[key] = tf.TensorSpec(spec.shape, spec.dtype, name=key)

    @tf.function(autograph=False)
    def served(**tensors):
        outputs = signature.function(**tensors)
        if not isinstance(outputs, dict) or not outputs:
            raise ValueError(
                f"export: signature {name!r} must return a dict of tensors, got {type(outputs)}."
            )
        return {key: tf.identity(as_served(value), name=key) for key, value in outputs.items()}

    concrete = served.get_concrete_function(**specs)
    _check_outputs(name, specs, concrete.structured_outputs)
    return concrete


def _check_outputs(name: str, inputs: dict, outputs: dict) -> None:
    """Every output has the batch first; with static inputs nothing else may be open."""
    static = all(spec.shape[1:].is_fully_defined() for spec in inputs.values())
    for key, output in outputs.items():
        shape = output.shape
        if _GENERIC.match(key):
            raise ValueError(
                f"export: output {key!r} of signature {name!r} needs a name of its own."
            )
        if shape.rank in (None, 0) or shape[0] is not None:
            raise ValueError(
                f"export: output {key!r} of signature {name!r} must have the open batch first, got "
                f"shape {shape}; use ops.shape(x)[0], never a Python batch size."
            )
        if static and not shape[1:].is_fully_defined():
            raise ValueError(
                f"export: output {key!r} of signature {name!r} has an open size besides the batch, "
                f"shape {shape}; reshape it to static sizes."
            )


def describe(concrete: Any) -> dict:
    """{"inputs": {name: {"dtype", "shape"}}, "outputs": …}, the batch is null."""

    def words(specs):
        return {
            key: {"dtype": specs[key].dtype.name, "shape": specs[key].shape.as_list()}
            for key in specs
        }

    return {
        "inputs": words(concrete.structured_input_signature[1]),
        "outputs": words(concrete.structured_outputs),
    }
