"""From a room's signatures to graphs with named inputs and named outputs, checked."""

from __future__ import annotations

import difflib
import re
from typing import Any

import tensorflow as tf

from tfkit.errors import UsageError
from tfkit.export.batching import Batching, batched, reason_against
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


def check_batching(name: str, signature: Signature) -> None:
    """Refuse `export.batching` for a signature whose requests cannot be merged."""
    if reason := reason_against(signature.inputs):
        raise UsageError(
            f"export.batching: requests of signature {name!r} cannot be merged: {reason}. Leave "
            "export.batching out, or this signature out of export.signatures."
        )


def trace(name: str, signature: Signature, batching: Batching | None = None) -> Any:
    """The concrete function of one signature: inputs by their names, outputs a dict of names.

    With `batching` its simultaneous calls are merged, wherever it is loaded; a call that fills a
    batch, or more than one, is computed by itself.
    """
    if batching is not None:
        check_batching(name, signature)
    specs = {}
    for key, spec in signature.inputs.items():
        if _GENERIC.match(key) or spec.shape.rank in (None, 0) or spec.shape[0] is not None:
            raise ValueError(
                f"export: input {key!r} of signature {name!r} must have a name of its own and an "
                f"open batch first, got {spec}."
            )
        specs[key] = tf.TensorSpec(spec.shape, spec.dtype, name=key)

    def answered(**tensors):
        outputs = signature.function(**tensors)
        if not isinstance(outputs, dict) or not outputs:
            raise ValueError(
                f"export: signature {name!r} must return a dict of tensors, got {type(outputs)}."
            )
        return {key: as_served(value) for key, value in outputs.items()}

    answers = answered
    if batching is not None:
        together = batched(answered, specs, batching, alone_from=batching.limit)

        def answers(**tensors):
            return together(tensors)

    @tf.function(autograph=False)
    def served(**tensors):
        return {key: tf.identity(value, name=key) for key, value in answers(**tensors).items()}

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
