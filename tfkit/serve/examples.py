"""The tf.Examples of Classify and Regress requests, as the graph reads them."""

from __future__ import annotations

from typing import Any

from tfkit.serve.status import RequestError


def serialized(given: Any) -> list[bytes]:
    """The examples of an Input message, each with the shared context merged in.

    Serialized messages that follow each other are read as one, in which the later one's fields win.

    Args:
        given: tensorflow.serving.Input.
    Raises: RequestError for one that is empty.
    """
    if given.WhichOneof("kind") == "example_list_with_context":
        found = given.example_list_with_context
        context = found.context.SerializeToString()
    else:
        found, context = given.example_list, b""
    if not found.examples:
        raise RequestError("INVALID_ARGUMENT", "Input is empty.")
    return [context + example.SerializeToString() for example in found.examples]
