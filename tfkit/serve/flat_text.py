"""TF Serving's batching.config, monitoring.config and SSL configuration, read and written.

Their definitions (BatchingParameters, MonitoringConfig, SSLConfig) are in no Python package; they
are flat, and `text_proto` reads their text. What is not known is refused, with file and line.

References: tensorflow_serving/servables/tensorflow/session_bundle_config.proto;
    tensorflow_serving/config/monitoring_config.proto; tensorflow_serving/config/ssl_config.proto.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from tfkit.errors import UsageError
from tfkit.export.batching import Batching
from tfkit.serve.configuration import read_text
from tfkit.serve.text_proto import Field, Value, complaint, parse, quoted

METRICS_PATH = "/monitoring/prometheus/metrics"  # TF Serving's
_BATCHING = {
    "max_batch_size": {"value": int},
    "batch_timeout_micros": {"value": int},
    "max_enqueued_batches": {"value": int},
    "num_batch_threads": {"value": int},
    "thread_pool_name": {"value": str},
    "allowed_batch_sizes": [int],
    "pad_variable_length_inputs": bool,
    "enable_large_batch_splitting": {"value": bool},
    "max_execution_batch_size": {"value": int},
}
_MONITORING = {"prometheus_config": {"enable": bool, "path": str}}
_SSL = {"server_key": str, "server_cert": str, "custom_ca": str, "client_verify": bool}
_WRAPPED = {"value"}
_DEFAULTS = {int: 0, bool: False, str: ""}  # of what a message leaves out
_SPELLINGS = {"true": True, "True": True, "t": True, "1": True}
_SPELLINGS |= {"false": False, "False": False, "f": False, "0": False}


@dataclass(frozen=True)
class Monitoring:
    """Whether and where Prometheus finds the metrics.

    Args:
        enable: whether they are shown.
        path: where, begins with "/".
    """

    enable: bool = False
    path: str = METRICS_PATH

    def __post_init__(self):
        if not self.path.startswith("/"):
            raise UsageError(f'path must begin with "/", got {self.path!r}.')


@dataclass(frozen=True)
class Ssl:
    """Encryption: the contents of PEM files, not their paths.

    Args:
        server_key: the server's private key.
        server_cert: its certificate, and the chain to the authority.
        custom_ca: the authority that clients' certificates are checked against.
        client_verify: whether a client must show a certificate; needs `custom_ca`.
    """

    server_key: str
    server_cert: str
    custom_ca: str = ""
    client_verify: bool = False

    def __post_init__(self):
        for name in ("server_key", "server_cert", "custom_ca"):
            text = getattr(self, name)
            if "-----BEGIN " not in text and (text or name != "custom_ca"):
                raise UsageError(
                    f"{name} must be the contents of a PEM file (-----BEGIN …), not its path."
                )
        if self.client_verify and not self.custom_ca:
            raise UsageError("client_verify needs custom_ca, which clients are checked against.")


def read_batching(path: Path | str) -> Batching:
    """Read a batching.config; UsageError or DataMissing where it cannot be."""
    given = _read(path, _BATCHING, "BatchingParameters")
    sizes = tuple(given.pop("allowed_batch_sizes", ()))
    return _made(Batching, {**given, "allowed_batch_sizes": sizes}, path)


def read_monitoring(path: Path | str) -> Monitoring:
    """Read a monitoring.config; UsageError or DataMissing where it cannot be."""
    given = _read(path, _MONITORING, "MonitoringConfig").get("prometheus_config", {})
    given["path"] = given.get("path") or METRICS_PATH
    return _made(Monitoring, given, path)


def read_ssl(path: Path | str) -> Ssl:
    """Read an SSL configuration; UsageError or DataMissing where it cannot be."""
    given = {"server_key": "", "server_cert": "", **_read(path, _SSL, "SSLConfig")}
    return _made(Ssl, given, path)


def write_batching(batching: Batching) -> str:
    """The text of a batching.config: every option that is not left to a default of None."""
    return _written(_BATCHING, _plain(batching))


def write_monitoring(monitoring: Monitoring) -> str:
    """The text of a monitoring.config."""
    return _written(_MONITORING, {"prometheus_config": _plain(monitoring)})


def write_ssl(ssl: Ssl) -> str:
    """The text of an SSL configuration; it holds the private key."""
    return _written(_SSL, _plain(ssl))


def _plain(options: Any) -> dict[str, Any]:
    found = {field.name: getattr(options, field.name) for field in fields(options)}
    return {name: value for name, value in found.items() if value is not None}


def _made(kind: type, options: dict[str, Any], path: Path | str) -> Any:
    """The object of the options; what it refuses is told with the line of the key to blame."""
    try:
        return kind(**options)
    except UsageError as error:
        line = _line_of(str(error), path)
        place = f"{path}:{line}" if line else f"{path}"
        raise UsageError(f"{place}: {error}") from error


def _line_of(message: str, path: Path | str) -> int | None:
    """Where the first key that a message names stands in the file."""
    found = parse(read_text(path), path)
    inner = [f for field in found if field.value.kind == "message" for f in field.value.content]
    named = [(message.find(f.key), f.place[0]) for f in [*found, *inner] if f.key in message]
    return min(named)[1] if named else None


def _read(path: Path | str, schema: dict, name: str) -> dict[str, Any]:
    return _message(parse(read_text(path), path), schema, name, path)


def _message(given: list[Field], schema: dict, name: str, file) -> dict[str, Any]:
    """The values by their keys, each of its type."""
    found: dict[str, Any] = {}
    for field in given:
        kind = schema.get(field.key)
        if kind is None:
            raise complaint(file, field.place, _unknown(field.key, schema, name))
        if isinstance(kind, list):
            found.setdefault(field.key, []).append(_scalar(field.value, kind[0], field.key, file))
            continue
        if field.key in found:
            raise complaint(file, field.place, f"{field.key} is there twice.")
        if not isinstance(kind, dict):
            found[field.key] = _scalar(field.value, kind, field.key, file)
            continue
        if field.value.kind != "message":
            inside = ", ".join(f"{key}: …" for key in kind)
            raise complaint(file, field.value.place, f"expected {field.key} {{ {inside} }}.")
        inner = _message(field.value.content, kind, field.key, file)
        wrapped = kind.keys() == _WRAPPED
        found[field.key] = inner.get("value", _DEFAULTS[kind["value"]]) if wrapped else inner
    return found


def _unknown(key: str, schema: dict, name: str) -> str:
    close = difflib.get_close_matches(key, schema, n=1)
    hint = f"; did you mean {close[0]}?" if close else "."
    return f"unknown key {key} of {name}{hint} Allowed: {', '.join(schema)}."


def _scalar(value: Value, kind: type, key: str, file) -> Any:
    """The value as a number, truth or text."""
    expected = {int: "an integer", bool: "true or false", str: 'a text in " "'}[kind]
    taken = None
    if kind is str and value.kind == "text":
        taken = value.content
    if kind is bool and value.kind == "word":
        taken = _SPELLINGS.get(value.content)
    if kind is int and value.kind == "word":
        taken = _integer(value.content)
    if taken is None:
        got = "a message" if value.kind == "message" else repr(value.content)
        raise complaint(file, value.place, f"{key} must be {expected}, got {got}.")
    return taken


def _integer(word: str) -> int | None:
    """Decimal, 0x… or, with a leading zero, octal."""
    digits = word.lstrip("-")
    octal = len(digits) > 1 and digits[0] == "0" and digits[1:].isdigit()
    try:
        return int(word, 8 if octal else 0)
    except ValueError:
        return None


def _written(schema: dict, values: dict[str, Any]) -> str:
    lines = []
    for key, kind in schema.items():
        if key not in values:
            continue
        if isinstance(kind, list):
            lines += [f"{key}: {_word(value)}" for value in values[key]]
        elif isinstance(kind, dict):
            inner = values[key] if kind.keys() != _WRAPPED else {"value": values[key]}
            inside = " ".join(f"{name}: {_word(value)}" for name, value in inner.items())
            lines.append(f"{key} {{ {inside} }}")
        else:
            lines.append(f"{key}: {_word(values[key])}")
    return "\n".join(lines) + "\n"


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return quoted(value) if isinstance(value, str) else str(value)
