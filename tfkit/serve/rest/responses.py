"""Arrays of outputs -> the body of an answer, under TF Serving's rules.

Strings are text, or {"b64": …} where the output's name ends in `_bytes`.
"""

import base64
import json
from collections.abc import Mapping

import numpy as np

from tfkit.serve.rest import numerals
from tfkit.serve.rest.documents import invalid

BYTES_SUFFIX = "_bytes"


def render_response(tensors: Mapping[str, np.ndarray], format: str) -> str:
    """The body of an answer: one output bare, several by name.

    Args:
        tensors: an array per output, in the order of the answer; strings as bytes.
        format: of the request, "row" (predictions) or "column" (outputs).
    Raises:
        RequestError: outputs that have no such form, or strings that are not UTF-8 and whose name
            does not end in `_bytes`.
    """
    if not tensors:
        raise invalid("Cannot convert empty tensor map to JSON")
    arrays = {name: _as_array(tensor) for name, tensor in tensors.items()}
    if format == "row":
        return _predictions(arrays)
    values = [_to_json(name, array) for name, array in arrays.items()]
    if len(arrays) == 1:
        return f'{{"outputs": {values[0]}}}'
    members = (f"{_key(name)}: {value}" for name, value in zip(arrays, values, strict=True))
    return f'{{"outputs": {{{", ".join(members)}}}}}'


def _as_array(tensor) -> np.ndarray:
    """An array; NumPy alone would strip zeros from the end of single bytes."""
    if isinstance(tensor, (bytes, str)):
        return np.array(tensor, dtype=object)
    return np.asarray(tensor)


def _to_json(name: str, array: np.ndarray) -> str:
    if array.dtype.kind in "OSU":
        return text_to_json(name, array)
    _refuse_type(array)
    return numerals.to_json(array)


def _rows(name: str, array: np.ndarray) -> list[str]:
    if array.dtype.kind in "OSU":
        return text_rows(name, array)
    _refuse_type(array)
    return numerals.rows(array)


def _refuse_type(array: np.ndarray) -> None:
    if array.dtype.kind not in "fiub" and array.dtype.name != "bfloat16":
        raise invalid(f"Failed to write JSON value for tensor type: {array.dtype.name}")


def _key(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)


def _predictions(arrays: dict[str, np.ndarray]) -> str:
    """The row form, for which all outputs have the same first dimension."""
    size = None
    for name, array in arrays.items():
        if array.ndim == 0:
            raise invalid(f"Tensor name: {name} has no shape information ")
        if size is not None and len(array) != size:
            raise invalid(
                f"Tensor name: {name} has inconsistent batch size: {len(array)} expecting: {size}"
            )
        size = len(array)
    if len(arrays) == 1:
        ((name, array),) = arrays.items()
        return f'{{"predictions": {_to_json(name, array)}}}'
    texts = [_rows(name, array) for name, array in arrays.items()]
    # a name may have a % in it
    row = ", ".join(f"{_key(name)}: ".replace("%", "%%") + "%s" for name in arrays)
    rows = ", ".join(f"{{{row}}}" % values for values in zip(*texts, strict=True))
    return f'{{"predictions": [{rows}]}}'


def text_to_json(name: str, array: np.ndarray) -> str:
    """JSON text of an array of strings, nested as its axes are.

    Args:
        name: of the output; TF Serving answers {"b64": …} where it ends in `_bytes`.
        array: of bytes or str.
    Raises:
        RequestError: bytes that are not UTF-8 under another name.
    """
    return json.dumps(_values(name, array).tolist(), ensure_ascii=False)


def text_rows(name: str, array: np.ndarray) -> list[str]:
    """JSON text of each row, as `text_to_json` has it.

    Args:
        name: of the output.
        array: of bytes or str, of rank 1 or more.
    Raises:
        RequestError: bytes that are not UTF-8.
    """
    return [json.dumps(row, ensure_ascii=False) for row in _values(name, array).tolist()]


def _values(name: str, array: np.ndarray) -> np.ndarray:
    """An array of what json.dumps takes."""
    convert = _base64_object if name.endswith(BYTES_SUFFIX) else _text
    values = np.empty(array.size, dtype=object)
    try:
        # item by item, for NumPy would take a list of objects apart
        for index, item in enumerate(array.ravel().tolist()):
            values[index] = convert(item)
    except UnicodeDecodeError:
        raise invalid(
            f"Failed to write JSON value: output '{name}' has bytes that are not UTF-8; "
            f"an output that is named '{name}{BYTES_SUFFIX}' is answered in base64"
        ) from None
    return values.reshape(array.shape)


def _text(item: bytes | str) -> str:
    data = item if isinstance(item, bytes) else str(item).encode("utf-8", "surrogateescape")
    return data.decode("utf-8")


def _base64_object(item: bytes | str) -> dict:
    data = item if isinstance(item, bytes) else str(item).encode("utf-8", "surrogateescape")
    return {"b64": base64.b64encode(data).decode("ascii")}
