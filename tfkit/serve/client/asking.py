"""`tfkit predict --url`: answers from a server, files in, files out. No TensorFlow is loaded."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from tfkit.errors import TfkitError
from tfkit.export.answers import check_output, summary, write_output
from tfkit.export.fitting import chosen_signature
from tfkit.export.questions import read_input, require_input
from tfkit.serve import settings
from tfkit.serve.client import columns
from tfkit.serve.client.models import Client, address

_ROWS = 64  # a request, as the in-process command has them
_NUMBERS = 500_000  # a request: some 10 MB of JSON


def ask(
    client: Client,
    model: str,
    input: str | os.PathLike,
    output: str | os.PathLike | None = None,
    signature: str | None = None,
    *,
    version: int | None = None,
    label: str | None = None,
) -> dict[str, Any]:
    """Run one signature of a served model over the rows of a file, as `tfkit predict` does.

    All requests go to the version that answers the first, whatever is published meanwhile.

    Args:
        client: of the server.
        model: its name there.
        input: .npy, .npz, an image, or a folder of images.
        output: .npz, .json, .png or a folder; None writes nothing.
        signature: a name; None is `predict`.
        version: a number; None is the newest.
        label: instead of a version.
    Returns: server, signature, rows, written, outputs {name: dtype, shape, values (or None)}.
    Raises: UsageError, DataMissing, and the client's own.
    """
    if output is not None:
        check_output(Path(output))
    require_input(Path(input))
    metadata = client.metadata(model, version, label=label)
    pinned = _version(metadata)
    where = f"{client.url}{address(model, pinned)}"
    known = columns.signatures(metadata)
    name = chosen_signature(where, list(known), signature)
    arrays, names = read_input(Path(input), known[name].inputs)
    outputs = _answers(client, model, pinned, name, arrays)
    written = [] if output is None else write_output(Path(output), outputs, names, name)
    return {
        "server": where,
        "signature": name,
        "rows": len(names),
        "outputs": {key: summary(value) for key, value in outputs.items()},
        "written": [str(file) for file in written],
    }


def _version(metadata: dict[str, Any]) -> int:
    try:
        return int(metadata["model_spec"]["version"])
    except (KeyError, TypeError, ValueError) as error:
        raise TfkitError("The metadata do not say which version they are of.") from error


def connect(
    url: str,
    *,
    token_file: str | os.PathLike | None = None,
    ca_file: str | os.PathLike | None = None,
    cert_file: str | os.PathLike | None = None,
    timeout: float | None = None,
) -> Client:
    """A client, from what the command line has; None is the client's default."""
    token = None if token_file is None else settings.read_token(token_file)
    patience = {} if timeout is None else {"timeout": timeout}
    return Client(url, token=token, ca_file=ca_file, cert_file=cert_file, **patience)


def _answers(
    client: Client, model: str, version: int, signature: str, arrays: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    rows = len(next(iter(arrays.values())))
    largest = max(array.size // rows for array in arrays.values())
    step = max(1, min(_ROWS, _NUMBERS // max(1, largest)))
    parts: dict[str, list[np.ndarray]] = {}
    for start in range(0, rows, step):
        batch = {name: array[start : start + step] for name, array in arrays.items()}
        answer = client.predict(model, batch, signature=signature, version=version)
        for key, value in answer.items():
            parts.setdefault(key, []).append(value)
    scalars = [key for key, values in parts.items() if values[0].ndim == 0]
    if scalars:
        raise TfkitError(f"{signature}: the output {scalars[0]} is one value, not one a row.")
    return {key: np.concatenate(values) for key, values in parts.items()}
