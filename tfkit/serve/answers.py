"""What the server says about its models, in TF Serving's messages and in its own."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import numpy as np
from google.protobuf import json_format
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

from tfkit.serve.calls import Call
from tfkit.serve.model import Model, Version
from tfkit.serve.models import Models
from tfkit.serve.servable import Servable
from tfkit.serve.status import NUMBERS, RequestError


def status(versions: list[Version]) -> Any:
    """A GetModelStatusResponse."""
    response = get_model_status_pb2.GetModelStatusResponse()
    for version in versions:
        response.model_version_status.add(
            version=version.number,
            state=version.state,
            status={"error_code": NUMBERS[version.code], "error_message": version.error},
        )
    return response


def status_json(versions: list[Version]) -> str:
    """The same as REST says it."""
    return json_format.MessageToJson(status(versions), always_print_fields_with_no_presence=True)


def signatures(servable: Servable) -> Any:
    """A SignatureDefMap."""
    found = get_model_metadata_pb2.SignatureDefMap()
    for name, definition in servable.definitions.items():
        found.signature_def[name].CopyFrom(definition)
    return found


def metadata_json(servable: Servable) -> str:
    """A version's metadata as REST says it: proto field names, int64 as strings."""
    definitions = json_format.MessageToDict(
        signatures(servable),
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
    )
    spec = {"name": servable.name, "signature_name": "", "version": str(servable.version)}
    return json.dumps({"model_spec": spec, "metadata": {"signature_def": definitions}})


def overview(models: Models) -> list[dict[str, Any]]:
    """Every model with its labels, versions and archives, for the server's page."""
    return [
        {
            "name": model.config.name,
            "labels": model.config.labels,
            "versions": [
                {"version": version.number, "state": version.state, "error": version.error}
                for version in model.versions[::-1]
            ],
            "archives": archives(model),
        }
        for model in models.served()
    ]


def archives(model: Model) -> list[str]:
    """The paths of a model's TF-Hub archives, newest first: 2.tar.gz beside the folder 2."""
    files = model.config.folder.glob("*.tar.gz")
    numbers = sorted((int(f.name[:-7]) for f in files if f.name[:-7].isdecimal()), reverse=True)
    return [f"/{quote(model.config.name, safe='')}/{number}.tar.gz" for number in numbers]


def archive(models: Models, path: str) -> Path | None:
    """The archive at a path, /NAME/1.tar.gz, of a version that need not answer any more."""
    found = re.fullmatch(r"/([^/]+)/(\d+\.tar\.gz)", path, re.ASCII)
    for model in models.served() if found else ():
        file = model.config.folder / found[2]
        if model.config.name == unquote(found[1]) and file.is_file():
            return file
    return None


def count_rows(call: Call, rows: int, most: int) -> None:
    """Note how many rows a request has.

    Raises: RequestError for more than allowed.
    """
    call.rows = rows
    if rows > most:
        raise RequestError(
            "INVALID_ARGUMENT",
            f"The request has {rows} rows, but at most {most} are taken at once",
        )


def rows(tensors: dict[str, np.ndarray]) -> int:
    """The number of rows in a request: the longest first axis."""
    return max((array.shape[0] for array in tensors.values() if array.ndim), default=1)
