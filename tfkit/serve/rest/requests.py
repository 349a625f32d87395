"""The tensors of a body of `:predict`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from tfkit.serve.rest.documents import (
    Repeated,
    invalid,
    is_base64,
    read_object,
    refuse_overflow,
    shown,
    signature_name_of,
)
from tfkit.serve.rest.tensors import kind_of, stack, to_array


@dataclass(frozen=True)
class PredictRequest:
    """What a client wants predicted.

    Args:
        signature_name: None where the body names none.
        format: "row" for `instances`, "column" for `inputs`; the answer takes the same.
        tensors: an array per input, of its type; object arrays of bytes for strings.
    """

    signature_name: str | None
    format: str
    tensors: dict[str, np.ndarray]


def parse_request(
    body: str | bytes,
    inputs: Mapping | Callable[[str | None], Mapping],
    *,
    max_rows: int | None = None,
) -> PredictRequest:
    """The tensors of a body of `:predict`.

    Args:
        body: JSON; what follows its first document is ignored.
        inputs: the signature's inputs, {name: tf.TensorSpec}; or a function that gives them for
            a signature's name, None for the default one.
        max_rows: most instances, or most elements along the first axis of an input.
    Raises:
        RequestError: INVALID_ARGUMENT, with TF Serving's message.
    """
    document = read_object(body)
    name = signature_name_of(document)
    specs = inputs(name) if callable(inputs) else inputs
    if not specs:
        raise invalid(f"Failed to get input map for signature: {name or 'DEFAULT'}")
    dtypes = {key: _numpy_dtype(spec) for key, spec in specs.items()}
    row = "instances" in document
    if row and "inputs" in document:
        raise invalid(
            f"JSON Value: {shown(document)} Not formatted correctly expecting only one of "
            "'inputs' or 'instances' keys to exist "
        )
    if not row and "inputs" not in document:
        raise invalid("Missing 'inputs' or 'instances' key")
    read = _instances if row else _columns
    tensors = read(document, dtypes, max_rows)
    if any(_has_infinity(tensor) for tensor in tensors.values()):
        refuse_overflow(body)
    return PredictRequest(name, "row" if row else "column", tensors)


def _numpy_dtype(spec) -> np.dtype:
    """The type of a specification's array, whether TensorFlow's or NumPy's."""
    return np.dtype(getattr(spec.dtype, "as_numpy_dtype", spec.dtype))


def _has_infinity(tensor: np.ndarray) -> bool:
    return kind_of(tensor.dtype).floats and bool(np.isinf(tensor).any())


def _too_many(rows: int, most: int | None) -> None:
    if most is not None and rows > most:
        raise invalid(f"The request has {rows} rows, but at most {most} are taken at once")


def _instances(document: dict, dtypes: dict, max_rows: int | None) -> dict:
    """The row form: every instance is a value, or an object of one value per input."""
    instances = document["instances"]
    if not isinstance(instances, list):
        raise invalid(f"JSON Value: {shown(document)} Expecting 'instances' to be an list/array")
    if not instances:
        raise invalid(f"JSON Value: {shown(document)} No values in 'instances' array")
    _too_many(len(instances), max_rows)
    named = _is_named(instances[0])
    if not named and len(dtypes) > 1:
        raise invalid(
            "instances is a plain list, but expecting list of objects as multiple input tensors "
            "required as per tensorinfo_map"
        )
    for number, instance in enumerate(instances):
        if _is_named(instance) != named:
            wanted, got = ("object", "list") if named else ("value/list", "object")
            raise invalid(f"Expecting {wanted} but got {got} at item {number} of input list")
        if named:
            _check_keys(number, instance, dtypes)
    if not named:
        ((name, dtype),) = dtypes.items()
        where = "Failed to process element: {} of 'instances' list."
        return {name: stack(instances, dtype, where.format)}
    where = "Failed to process element: {} key: %s of 'instances' list."
    return {
        name: stack([row[name] for row in instances], dtype, (where % name).format)
        for name, dtype in dtypes.items()
    }


def _is_named(instance) -> bool:
    return isinstance(instance, dict) and not is_base64(instance)


def _check_keys(number: int, instance: dict, dtypes: dict) -> None:
    """Refuses an instance whose keys are not the signature's inputs, each once."""
    if instance.keys() == dtypes.keys() and not isinstance(instance, Repeated):
        return
    where = f"Failed to process element: {number}"
    for key in instance:
        if key not in dtypes:
            raise invalid(
                f"{where} key: {key} of 'instances' list. Error: INVALID_ARGUMENT: "
                f"JSON object: does not have named input: {key}"
            )
    raise invalid(
        f"{where} of 'instances' list. JSON object: {shown(instance)} keys must be equal to: "
        f"{','.join(sorted(dtypes))}"
    )


def _columns(document: dict, dtypes: dict, max_rows: int | None) -> dict:
    """The column form: one value per input, or one alone where there is one input."""
    value = document["inputs"]
    if not _is_named(value):
        if len(dtypes) > 1:
            raise invalid(
                "inputs is a plain value/list, but expecting an object as multiple input tensors "
                "required as per tensorinfo_map"
            )
        value = dict.fromkeys(dtypes, value)
    for name in dtypes:
        if name not in value:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
        if isinstance(value[name], list):
            _too_many(len(value[name]), max_rows)
    return {name: to_array(value[name], dtype) for name, dtype in dtypes.items()}
