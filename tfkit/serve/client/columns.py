"""Arrays to the column form of TF Serving's REST and back, by what the metadata say."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from tfkit.errors import TfkitError
from tfkit.export.fitting import Spec
from tfkit.serve.rest import numerals

# TensorFlow's names of types where they are not NumPy's in capitals
_TYPES = {"FLOAT": "float32", "DOUBLE": "float64", "HALF": "float16"}


class SignatureSpecs(NamedTuple):
    """What a signature takes and gives, {name: Spec} each."""

    inputs: dict[str, Spec]
    outputs: dict[str, Spec]


def signatures(metadata: Mapping[str, Any]) -> dict[str, SignatureSpecs]:
    """{name: SignatureSpecs} of what `GET …/metadata` answers; TensorFlow's internal ones left out.

    Raises: TfkitError where it is something else.
    """
    try:
        found = metadata["metadata"]["signature_def"]["signature_def"]
        return {
            name: SignatureSpecs(_specs(signature, "inputs"), _specs(signature, "outputs"))
            for name, signature in sorted(found.items())
            if not name.startswith("__")
        }
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise TfkitError(f"The metadata are not those of TF Serving: {error!r}.") from error


def _specs(signature: Mapping[str, Any], side: str) -> dict[str, Spec]:
    return {name: _spec(tensor) for name, tensor in sorted(signature.get(side, {}).items())}


def _spec(tensor: Mapping[str, Any]) -> Spec:
    word = tensor["dtype"].removeprefix("DT_")
    dtype = _TYPES.get(word, word.lower())
    shape = tensor.get("tensor_shape", {})
    if shape.get("unknown_rank"):
        return Spec(dtype, None)
    sizes = [int(dim.get("size", 0)) for dim in shape.get("dim", [])]
    return Spec(dtype, tuple(None if size < 0 else size for size in sizes))


def write(arrays: Mapping[str, np.ndarray], signature: str | None) -> str:
    """The body of a request, every input by its name."""
    # NaN and Infinity are written as such, which TF Serving reads
    inputs = ",".join(f"{_quoted(name)}:{_plain(array)}" for name, array in arrays.items())
    named = "" if signature is None else f'"signature_name":{_quoted(signature)},'
    return f'{{{named}"inputs":{{{inputs}}}}}'


def _quoted(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _plain(array: np.ndarray) -> str:
    if array.dtype != object:
        return numerals.to_json(array)
    flat = np.empty(array.size, object)
    flat[:] = [_text(value) for value in array.ravel()]
    return _quoted(flat.reshape(array.shape).tolist())


def _text(value: bytes) -> str | dict[str, str]:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(value).decode()}


def read(answer: Any, outputs: Mapping[str, Spec]) -> dict[str, np.ndarray]:
    """The arrays of an answer, in the types that the metadata say; text as bytes.

    Args:
        answer: the parsed JSON.
        outputs: {output name: Spec}.
    Raises: TfkitError where the two do not fit.
    """
    found = answer.get("outputs") if isinstance(answer, dict) else None
    if len(outputs) == 1:  # TF Serving writes a single output without its name
        found = {next(iter(outputs)): found}
    if not isinstance(found, dict) or set(found) != set(outputs) or None in found.values():
        raise TfkitError(
            f"The server's answer has not the outputs of its metadata, {', '.join(outputs)}."
        )
    return {name: _array(name, found[name], spec) for name, spec in outputs.items()}


def _array(name: str, value: Any, spec: Spec) -> np.ndarray:
    try:
        array = _bytes_array(value) if spec.dtype == "string" else np.array(value, spec.array_dtype)
    except (ValueError, TypeError, OverflowError, AttributeError, binascii.Error) as error:
        raise TfkitError(f"The output {name} is no {spec.dtype} array: {error}.") from error
    if array.size == 0 and spec.shape is not None and array.ndim < len(spec.shape):
        # [] tells nothing of the axes behind the empty one
        array = array.reshape(*array.shape, *(size or 0 for size in spec.shape[array.ndim :]))
    if not spec.takes(array.shape):
        raise TfkitError(
            f"The output {name} has shape {list(array.shape)}, by its metadata {spec.words}."
        )
    return array


def _bytes_array(value: Any) -> np.ndarray:
    shape, level = [], [value]
    while level and isinstance(level[0], list):
        shape.append(len(level[0]))
        if any(not isinstance(part, list) or len(part) != shape[-1] for part in level):
            raise ValueError("lists of unequal lengths")
        level = [item for part in level for item in part]
    flat = np.empty(len(level), object)
    flat[:] = [_bytes(item) for item in level]
    return flat.reshape(shape)


def _bytes(item: Any) -> bytes:
    if isinstance(item, dict):
        return base64.b64decode(item["b64"], validate=True)
    return item.encode("utf-8", "surrogateescape")
