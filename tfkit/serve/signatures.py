"""One signature of a loaded version: what it takes, and how it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tfkit.export.batching import Batching, batched, merges, reason_against
from tfkit.serve.status import RequestError, code_of

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class ServedSignature:
    """A signature that checks what it is given and raises `RequestError`, nothing else.

    Args:
        name: in the SavedModel.
        inputs: {name: tf.TensorSpec}.
        outputs: the names.
        alone: the SavedModel's own function, inputs as keywords.
        together: the one whose calls are merged, inputs as one dict; None where they are not.
        most_rows: of one merged call; larger requests are cut.
    """

    name: str
    inputs: dict[str, tf.TensorSpec]
    outputs: tuple[str, ...]
    alone: Callable
    together: Callable | None = None
    most_rows: int = 0

    def run(self, tensors: Arrays, output_filter: Iterable[str] = ()) -> Arrays:
        """Answer one request.

        Args:
            tensors: an array for every input, the batch first.
            output_filter: outputs to return; none means all.
        Raises: RequestError in TF Serving's words, or with what TensorFlow said.
        """
        self._check(tensors)
        wanted = self._wanted(list(output_filter))
        answers = self._compute(tensors)
        return {name: answers[name].numpy() for name in wanted}

    def _compute(self, tensors: Arrays) -> dict[str, tf.Tensor]:
        if self.together is None:
            return _run(lambda rows: self.alone(**rows), tensors)
        try:
            return self._merged(tensors)
        except RequestError as error:
            if error.code in ("UNAVAILABLE", "RESOURCE_EXHAUSTED"):
                raise
            # what failed may be another request of the batch: each is judged by itself
            return _run(lambda rows: self.alone(**rows), tensors)

    def _merged(self, tensors: Arrays) -> dict[str, tf.Tensor]:
        sizes = {len(array) for array in tensors.values()}
        if len(sizes) > 1:  # the batch axes need not be one and the same
            return _run(lambda rows: self.alone(**rows), tensors)
        rows = sizes.pop()
        if rows <= self.most_rows:
            return _run(self.together, tensors)
        parts = [
            _run(self.together, {k: a[start : start + self.most_rows] for k, a in tensors.items()})
            for start in range(0, rows, self.most_rows)
        ]
        return {name: tf.concat([part[name] for part in parts], 0) for name in parts[0]}

    def _check(self, tensors: Arrays) -> None:
        """Names, dtypes and shapes, before TensorFlow sees them."""
        if tensors.keys() != self.inputs.keys():
            raise RequestError("INVALID_ARGUMENT", self._other_inputs(set(tensors)))
        for name, spec in self.inputs.items():
            array = tensors[name]
            expected = "bytes" if spec.dtype == tf.string else spec.dtype.name
            given = "bytes" if array.dtype.kind in "OSU" else array.dtype.name
            if given != expected:
                raise RequestError(
                    "INVALID_ARGUMENT", f"Input {name!r} must be {expected}, got {given}."
                )
            if not spec.shape.is_compatible_with(array.shape):
                raise RequestError(
                    "INVALID_ARGUMENT",
                    f"Input {name!r} must have shape {_shape(spec.shape)}, got "
                    f"{list(array.shape)}.",
                )

    def _other_inputs(self, given: set[str]) -> str:
        """TF Serving's sentence about inputs that are missing or too many."""
        known = set(self.inputs)
        joined = [",".join(sorted(names)) for names in (given, known, given - known, known - given)]
        return (
            f"input size does not match signature: {len(given)}!={len(known)} len({{{joined[0]}}}) "
            f"!= len({{{joined[1]}}}). Sent extra: {{{joined[2]}}}. Missing but required: "
            f"{{{joined[3]}}}."
        )

    def _wanted(self, names: list[str]) -> Iterable[str]:
        known = ",".join(sorted(self.outputs))
        for index, name in enumerate(names):
            if name not in self.outputs:
                raise RequestError(
                    "INVALID_ARGUMENT",
                    f"output tensor alias not found in signature: {name} Outputs expected to be in "
                    f"the set {{{known}}}.",
                )
            if name in names[:index]:
                raise RequestError("INVALID_ARGUMENT", f"duplicate output tensor alias: {name}")
        return names or self.outputs


def served(name: str, function: Any, inputs: dict, batching: Batching | None) -> ServedSignature:
    """The signature as it is served.

    Args:
        name: in the SavedModel.
        function: its ConcreteFunction.
        inputs: {name: tf.TensorSpec}.
        batching: merge requests so, where the signature allows it; a signature that an export
            merges by itself, or that has an input or output without batch axis, is left alone.
    """
    outputs = function.structured_outputs
    known = ServedSignature(name, inputs, tuple(sorted(outputs)), function)
    if batching is None or reason_against(inputs, outputs) or merges(function):
        return known
    together = batched(function, inputs, batching).get_concrete_function()
    return ServedSignature(name, inputs, known.outputs, function, together, batching.max_batch_size)


def _run(function: Callable, tensors: Arrays) -> dict[str, tf.Tensor]:
    try:
        return function({name: tf.constant(array) for name, array in tensors.items()})
    except tf.errors.OpError as error:
        raise RequestError(code_of(error), _message(error)) from error
    except (TypeError, ValueError) as error:  # what TensorFlow's Python side refuses
        raise RequestError(
            "INVALID_ARGUMENT", (str(error) or type(error).__name__).splitlines()[0]
        ) from error


def _message(error: tf.errors.OpError) -> str:
    """What went wrong, without the graph's node names and definitions."""
    text = (error.message or type(error).__name__).replace("Graph execution error:", "")
    lines = [line.strip() for line in text.split("[[{{node")[0].splitlines()]
    said = [line for line in lines if line and not line.startswith(("Detected at", "<stack"))]
    return said[0] if said else type(error).__name__


def _shape(shape: tf.TensorShape) -> str:
    if shape.rank is None:
        return "of any rank"
    return "[" + ", ".join("?" if n is None else str(n) for n in shape.as_list()) + "]"
