"""Bodies of `:classify` and `:regress`, which carry tf.Example instead of tensors."""

from dataclasses import dataclass

import numpy as np

from tfkit.serve.rest import numerals
from tfkit.serve.rest.documents import (
    Repeated,
    invalid,
    is_base64,
    kind,
    read_object,
    refuse_overflow,
    shown,
    signature_name_of,
)
from tfkit.serve.rest.responses import text_rows
from tfkit.serve.rest.tensors import to_array

# fields of a feature, as TF Serving's message has them
KINDS = {"bytes_list": "bytes", "float_list": "float", "int64_list": "int64"}


@dataclass(frozen=True)
class ExamplesRequest:
    """What a client wants classified or regressed.

    Args:
        signature_name: None where the body names none.
        examples: each a serialized tf.Example, the context included.
    """

    signature_name: str | None
    examples: list[bytes]


def parse_examples(body: str | bytes) -> ExamplesRequest:
    """The examples of a body of `:classify` or `:regress`.

    Features are bytes where values are strings or {"b64": …}, floats where numbers have a . or an
    e, and int64 elsewhere. Those of `context` go in front of every example's own, as in TF Serving.

    Args:
        body: `{"context": {…}, "examples": [{"x": [1.0, 2.0]}, …]}`.
    Raises:
        RequestError: INVALID_ARGUMENT, with TF Serving's message.
    """
    document = read_object(body)
    name = signature_name_of(document)
    context = _serialized(document["context"]) if "context" in document else b""
    where = f"JSON Value: {shown(document)}"
    if "examples" not in document:
        raise invalid(
            f"{where} When method is classify, key 'examples' is expected and was not found"
        )
    examples = document["examples"]
    if not isinstance(examples, list):
        raise invalid(f"{where} Expecting 'examples' value to be an list/array")
    if not examples:
        raise invalid(f"{where} 'examples' value is an empty array")
    # protocol buffers merge by concatenation
    serialized = [context + _serialized(example) for example in examples]
    if b"\x80\x7f" in b"".join(serialized):  # perhaps an infinity, of +-1e400 or by its name
        refuse_overflow(body)
    return ExamplesRequest(name, serialized)


def render_classifications(labels: np.ndarray | None, scores: np.ndarray | None) -> str:
    """The answer of `:classify`: a list of [label, score] per example.

    Args:
        labels: [B, K] bytes; without them every label is "".
        scores: [B, K] float; without them every score is 0.
    Raises:
        RequestError: no example, sizes that differ, or labels that are not UTF-8.
    """
    given = [array for array in (labels, scores) if array is not None]
    if not given or any(array.ndim != 2 or array.shape != given[0].shape for array in given):
        shapes = ", ".join(str(array.shape) for array in given) or "none"
        raise invalid(f"Labels and scores must have one [batch, classes] shape, got {shapes}")
    batch, classes = given[0].shape
    if batch == 0:
        raise invalid("Cannot convert empty ClassificationResults to JSON")
    words = ['""'] * (batch * classes)
    if labels is not None:
        words = text_rows("labels", labels.reshape(-1))
    numbers = ["0.0"] * (batch * classes)
    if scores is not None:
        numbers = numerals.rows(scores.reshape(-1).astype(np.float32))
    pairs = [f"[{word}, {number}]" for word, number in zip(words, numbers, strict=True)]
    results = (pairs[row * classes : (row + 1) * classes] for row in range(batch))
    lists = ", ".join(f"[{', '.join(row)}]" for row in results)
    return f'{{"results": [{lists}]}}'


def render_regressions(values: np.ndarray) -> str:
    """The answer of `:regress`: a number per example.

    Args:
        values: [B] or [B, 1] float.
    Raises:
        RequestError: another shape, or no example.
    """
    if not (values.ndim == 1 or (values.ndim == 2 and values.shape[1] == 1)):
        raise invalid(f"Regressions must have the shape [batch] or [batch, 1], got {values.shape}")
    if values.size == 0:
        raise invalid("Cannot convert empty RegressionResults to JSON")
    return f'{{"results": {numerals.to_json(values.reshape(-1).astype(np.float32))}}}'


def _serialized(value) -> bytes:
    """A JSON object as a serialized tf.Example; the last of equal keys counts."""
    from tensorflow.core.example import example_pb2

    if not isinstance(value, dict):
        raise invalid(f"Example must be JSON object but got JSON {kind(value)}")
    example = example_pb2.Example()
    for name, content in value.pairs if isinstance(value, Repeated) else value.items():
        which, elements = None, []
        for item in content if isinstance(content, list) else [content]:
            which = _list_of(name, item, which)
            elements.append(_element(name, item, which))
        try:
            feature = example.features.feature[name]
        except UnicodeEncodeError:
            raise invalid(f"Feature: {name} has a name that is not UTF-8") from None
        feature.Clear()
        if which:
            getattr(feature, which).value.extend(elements)
    return example.SerializeToString(deterministic=True)


def _list_of(name: str, item, which: str | None) -> str:
    """The list of a feature that takes `item`, which must be the one of the items before it."""
    wanted = None
    if isinstance(item, str) or is_base64(item):
        wanted = "bytes_list"
    elif isinstance(item, bool):
        wanted = "int64_list"
    elif isinstance(item, (int, float)):
        # to rapidjson an integer of more than 64 bits is a double
        whole = isinstance(item, int) and -(2**63) <= item < 2**64
        wanted = "int64_list" if whole else "float_list"
    if wanted is None:
        raise invalid(f"Feature: {name} has element with unexpected JSON type: {kind(item)}")
    if which not in (None, wanted):
        raise invalid(f"Unexpected element type in feature: {name} expecting type: {KINDS[which]}")
    return wanted


def _element(name: str, item, which: str):
    if which == "bytes_list":
        return to_array(item, np.dtype(object)).item()
    if which == "float_list":
        return to_array(item, np.dtype(np.float32)).item()
    if item >= 2**63:
        raise invalid(f"Feature: {name} has uint64_t element. Only int64_t is supported.")
    return int(item)
