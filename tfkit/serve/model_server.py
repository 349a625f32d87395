"""`--engine tensorflow_model_server`: the real TensorFlow Serving, on PATH or in its container.

References: tensorflow_serving/model_servers/main.cc (its flags);
    tensorflow_serving/tools/docker/Dockerfile (its container's entry point).
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import sys
from dataclasses import replace
from pathlib import Path

from tfkit.errors import TfkitError, UsageError
from tfkit.export.batching import Batching
from tfkit.serve.configuration import read_models, write_models
from tfkit.serve.flat_text import write_batching, write_monitoring, write_ssl
from tfkit.serve.folders import ModelConfig, discover
from tfkit.serve.settings import GRPC_PORT, REST_PORT, Settings

BINARY = "tensorflow_model_server"
IMAGE = "tensorflow/serving:2.20.0"  # of the TensorFlow that tfkit exports with
MARK = "# Written by tfkit serve --engine tensorflow_model_server; the next one overwrites it.\n"
_INSIDE = "/models"  # where the container finds models and configurations


def start(settings: Settings, *, folder: Path | None = None, as_json: bool = False) -> int:
    """Become TensorFlow Serving, or print the command that starts its container.

    Writes `models.config`, `batching.config`, `monitoring.config` and, with TLS, `ssl.config`.
    Where `tensorflow_model_server` is on PATH, this process becomes it and the function never
    returns; else the command goes to stdout. Without `settings.batching` nothing is merged, and
    `batching.config` lies there with the defaults for who adds the flags.

    Args:
        settings: of the server. The container publishes on `host`, the binary itself listens on
            every network; TLS is for gRPC alone.
        folder: for the written files; None: the folder that all models lie in.
        as_json: print {"command": [word, …], "files": [path, …]} instead, also before the binary
            takes over.
    Returns: the exit status, 0.
    Raises: UsageError for what TensorFlow Serving cannot do, or a file there that is someone
        else's; TfkitError where the files cannot be written.
    """
    _refuse_lacking(settings)
    configs = discover(settings.path) if settings.path else read_models(settings.config)
    binary = shutil.which(BINARY)
    place = Path(os.path.abspath(folder)) if folder else _common(configs)
    files = _write(place, _texts(configs if binary else _mounted(configs), settings))
    if settings.ssl:
        print("REST stays unencrypted: TensorFlow Serving encrypts gRPC alone.", file=sys.stderr)
    if binary:
        command = _direct(binary, configs, files, settings)
        if settings.host != "0.0.0.0":
            print(f"{BINARY} listens on every network, not {settings.host} alone.", file=sys.stderr)
        _tell(command, files, as_json, sys.stderr)
        os.execv(binary, command)
    print(f"{BINARY} is not on PATH; its container is started so:", file=sys.stderr, flush=True)
    _tell(_container(configs, files, settings), files, as_json, sys.stdout)
    return 0


_LACKING = ("threads", "token", "grace_seconds", "request_log")


def _refuse_lacking(settings: Settings) -> None:
    """What tfkit's server can do and TensorFlow Serving cannot."""
    usual = type(settings)(path=Path())
    lacking = [name for name in _LACKING if getattr(settings, name) != getattr(usual, name)]
    limits = vars(settings.limits).items()
    lacking += [n for n, v in limits if n != "answer_seconds" and v != getattr(usual.limits, n)]
    if lacking:
        raise UsageError(f"{BINARY} has no {', '.join(lacking)}; leave out what asks for it.")


def _tell(command: list[str], files: dict[str, Path], as_json: bool, stream) -> None:
    if as_json:
        told = {"command": command, "files": [str(path) for path in files.values()]}
        print(json.dumps(told), flush=True)
    else:
        print(shlex.join(command), file=stream, flush=True)


def _common(configs: list[ModelConfig]) -> Path:
    return Path(os.path.commonpath([str(config.folder.parent) for config in configs]))


def _free_port() -> int:
    """TensorFlow Serving takes port 0 for none at all."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def _mounted(configs: list[ModelConfig]) -> list[ModelConfig]:
    """The models as the container sees them."""
    return [replace(config, folder=Path(_mount(config))) for config in configs]


def _mount(config: ModelConfig) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", config.name) or config.name in (".", ".."):
        raise UsageError(f"model {config.name!r}: the container cannot have a folder of that name.")
    return f"{_INSIDE}/{config.name}"


def _texts(configs: list[ModelConfig], settings: Settings) -> dict[str, str]:
    """The files' contents by the flag that takes them."""
    texts = {
        "model_config_file": write_models(configs),
        "batching_parameters_file": write_batching(_understood(settings.batching or Batching())),
        "monitoring_config_file": write_monitoring(settings.metrics),
    }
    return texts | ({"ssl_config_file": write_ssl(settings.ssl)} if settings.ssl else {})


def _understood(batching: Batching) -> Batching:
    """The same with everything said that TensorFlow Serving does not conclude by itself."""
    sizes = batching.allowed_batch_sizes
    if sizes and sizes[-1] != batching.max_batch_size:
        raise UsageError(
            f"batching: TensorFlow Serving wants allowed_batch_sizes to end with max_batch_size "
            f"({batching.max_batch_size}), got {sizes[-1]}."
        )
    limit = batching.limit if batching.splits else None
    return replace(
        batching, enable_large_batch_splitting=batching.splits, max_execution_batch_size=limit
    )


_NAMES = {
    "model_config_file": "models.config",
    "batching_parameters_file": "batching.config",
    "monitoring_config_file": "monitoring.config",
    "ssl_config_file": "ssl.config",
}


def _write(place: Path, texts: dict[str, str]) -> dict[str, Path]:
    """The written files by their flags; a file that is not ours stays as it is."""
    files = {flag: place / _NAMES[flag] for flag in texts}
    try:
        place.mkdir(parents=True, exist_ok=True)
        for path in files.values():
            if path.exists() and not path.read_bytes().startswith(MARK.encode()):
                raise UsageError(
                    f"{path} is not tfkit's to overwrite; name another folder (--write)."
                )
        for flag, path in files.items():
            partial = path.with_name(f".{path.name}.tmp")
            partial.unlink(missing_ok=True)
            mode = 0o600 if flag == "ssl_config_file" else 0o644  # it holds the private key
            with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
                file.write(MARK + texts[flag])
            os.replace(partial, path)
    except OSError as error:
        reason = error.strerror or error
        raise TfkitError(
            f"The configurations could not be written to {place}: {reason}."
        ) from error
    return files


def _flags(configs, files: dict[str, Path | str], settings: Settings) -> list[str]:
    """All but the ports, which the container's entry point fixes."""
    batching = "batching_parameters_file"
    flags = [f"--{f}={path}" for f, path in files.items() if f != batching or settings.batching]
    if settings.batching:
        flags.append("--enable_batching=true")
    flags += [
        f"--file_system_poll_wait_seconds={_whole(settings.poll_seconds)}",
        f"--rest_api_timeout_in_ms={round(settings.limits.answer_seconds * 1000)}",
    ]
    if settings.cors:
        flags.append("--rest_api_enable_cors_support=true")
    if any(config.labels for config in configs):  # else none may be set before its version is up
        flags.append("--allow_version_labels_for_unavailable_models=true")
    return flags


def _whole(seconds: float) -> int:
    """Whole seconds are all it takes, and 0 is never again."""
    return round(seconds) or int(seconds > 0)


def _direct(binary: str, configs, files: dict[str, Path], settings: Settings) -> list[str]:
    """The binary's command."""
    ports = _ports(settings)
    ports = [f"--port={ports[GRPC_PORT]}", f"--rest_api_port={ports[REST_PORT]}"]
    return [binary, *ports, *_flags(configs, files, settings)]


def _container(configs, files: dict[str, Path], settings: Settings) -> list[str]:
    """The command; models and files are mounted so that the container cannot change them."""
    command, address = ["docker", "run", "--rm"], _address(settings.host)
    for inside, outside in _ports(settings).items():
        command += ["-p", f"{address}:{outside}:{inside}"]
    inside = {flag: f"{_INSIDE}/{path.name}" for flag, path in files.items()}
    mounts = {str(config.folder): _mount(config) for config in configs}
    mounts |= {str(path): inside[flag] for flag, path in files.items()}
    for outside, target in mounts.items():
        if ":" in outside:
            raise UsageError(f"{outside}: a container cannot mount a path with a colon.")
        command += ["-v", f"{outside}:{target}:ro"]
    return [*command, IMAGE, *_flags(configs, inside, settings)]


def _ports(settings: Settings) -> dict[int, int]:
    """{usual port: the one that is wanted}; TensorFlow Serving takes 0 for none at all."""
    wanted = {GRPC_PORT: settings.grpc_port, REST_PORT: settings.rest_port}
    return {usual: port or _free_port() for usual, port in wanted.items()}


def _address(host: str) -> str:
    """A host as docker publishes on it: an address, in brackets where it has colons."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0]
    except OSError as error:
        raise UsageError(f"--host {host}: {error.strerror or error}.") from error
    return f"[{found}]" if ":" in found else found
