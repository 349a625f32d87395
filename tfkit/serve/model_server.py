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
from typing import TYPE_CHECKING

from tfkit.errors import TfkitError, UsageError
from tfkit.export.batching import Batching
from tfkit.serve.configuration import read_models, write_models
from tfkit.serve.flat_text import Monitoring, Ssl, write_batching, write_monitoring, write_ssl
from tfkit.serve.folders import ModelConfig, discover

if TYPE_CHECKING:
    from tfkit.serve.settings import Settings

BINARY = "tensorflow_model_server"
IMAGE = "tensorflow/serving:2.20.0"  # of the TensorFlow that tfkit exports with
MARK = "# Written by tfkit serve --engine tensorflow_model_server; the next one overwrites it.\n"
_INSIDE = "/models"  # where the container finds models and configurations
_GRPC, _REST = 8500, 8501  # the container's ports, which its entry point fixes


def run(settings: Settings, *, folder: Path | None = None, as_json: bool = False) -> int:
    """`start` with the settings of a server; UsageError for what TensorFlow Serving has not."""
    usual = type(settings)(path=Path())
    lacking = [name for name in _LACKING if getattr(settings, name) != getattr(usual, name)]
    limits = vars(settings.limits).items()
    lacking += [n for n, v in limits if n != "answer_seconds" and v != getattr(usual.limits, n)]
    if lacking:
        raise UsageError(f"{BINARY} has no {', '.join(lacking)}; leave out what asks for it.")
    found = discover(settings.path) if settings.path else read_models(settings.config)
    return start(
        found,
        host=settings.host,
        rest_port=settings.rest_port,
        grpc_port=settings.grpc_port,
        batching=settings.batching,
        monitoring=settings.metrics,
        ssl=settings.ssl,
        cors=settings.cors,
        poll_seconds=settings.poll_seconds,
        timeout_seconds=settings.limits.answer_seconds,
        folder=folder,
        as_json=as_json,
    )


_LACKING = ("threads", "token", "grace_seconds", "request_log")


def start(
    configs: list[ModelConfig],
    *,
    host: str = "127.0.0.1",
    rest_port: int = _REST,
    grpc_port: int = _GRPC,
    batching: Batching | None = None,
    monitoring: Monitoring | None = None,
    ssl: Ssl | None = None,
    cors: bool = False,
    poll_seconds: float = 1.0,
    timeout_seconds: float = 30.0,
    folder: Path | str | None = None,
    as_json: bool = False,
) -> int:
    """Become TensorFlow Serving, or print the command that starts its container.

    Writes `models.config` and, as far as they are asked for, `batching.config`,
    `monitoring.config` and `ssl.config`. Where `tensorflow_model_server` is on PATH, this process
    becomes it and the function never returns; else the command goes to stdout.

    Args:
        configs: the models.
        host: published by the container; the binary itself always listens on every network.
        rest_port: 0 takes any free one.
        grpc_port: likewise.
        batching: merge requests so; None: not at all.
        monitoring: whether and where Prometheus finds metrics.
        ssl: encrypts gRPC; REST stays plain, TensorFlow Serving cannot do otherwise.
        cors: answer browsers of other origins.
        poll_seconds: between looks for new versions; 0 looks once.
        timeout_seconds: of a REST request.
        folder: for the written files; None: the folder that all models lie in.
        as_json: print {"command": [word, …], "files": [path, …]} instead, also before the binary
            takes over.
    Returns: the exit status, 0.
    Raises: UsageError for what TensorFlow Serving cannot do, or a file there that is someone
        else's; TfkitError where the files cannot be written.
    """
    place = Path(os.path.abspath(folder)) if folder else _common(configs)
    ports = {"rest": rest_port or _free_port(), "grpc": grpc_port or _free_port()}
    binary = shutil.which(BINARY)
    served = configs if binary else _mounted(configs)
    texts = _texts(served, batching, monitoring, ssl)
    options = _options(configs, cors, poll_seconds, timeout_seconds)
    files = _write(place, texts)
    if ssl:
        print("REST stays unencrypted: TensorFlow Serving encrypts gRPC alone.", file=sys.stderr)
    if binary:
        flags = [f"--port={ports['grpc']}", f"--rest_api_port={ports['rest']}"]
        command = [binary, *flags, *_file_flags(files), *options]
        if host != "0.0.0.0":
            print(f"{BINARY} listens on every network, not on {host} alone.", file=sys.stderr)
        _tell(command, files, as_json, sys.stderr)
        os.execv(binary, command)
    command = _container(configs, files, host, ports, options)
    print(f"{BINARY} is not on PATH; its container is started so:", file=sys.stderr, flush=True)
    _tell(command, files, as_json, sys.stdout)
    return 0


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


def _texts(configs, batching, monitoring, ssl) -> dict[str, str]:
    """The files' contents by the flag that takes them."""
    texts = {"model_config_file": write_models(configs)}
    if batching:
        texts["batching_parameters_file"] = write_batching(_understood(batching))
    if monitoring:
        texts["monitoring_config_file"] = write_monitoring(monitoring)
    if ssl:
        texts["ssl_config_file"] = write_ssl(ssl)
    return texts


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


def _file_flags(files: dict[str, Path | str]) -> list[str]:
    flags = [f"--{flag}={path}" for flag, path in files.items()]
    return flags + (["--enable_batching=true"] if "batching_parameters_file" in files else [])


def _options(configs, cors: bool, poll_seconds: float, timeout_seconds: float) -> list[str]:
    options = [
        f"--file_system_poll_wait_seconds={_whole(poll_seconds)}",
        f"--rest_api_timeout_in_ms={round(timeout_seconds * 1000)}",
    ]
    if cors:
        options.append("--rest_api_enable_cors_support=true")
    if any(config.labels for config in configs):  # else none may be set before its version is up
        options.append("--allow_version_labels_for_unavailable_models=true")
    return options


def _whole(seconds: float) -> int:
    """Whole seconds are all it takes, and 0 is never again."""
    return round(seconds) or int(seconds > 0)


def _container(configs, files: dict[str, Path], host, ports, options) -> list[str]:
    """The command; models and files are mounted so that the container cannot change them."""
    command = ["docker", "run", "--rm"]
    command += ["-p", f"{host}:{ports['grpc']}:{_GRPC}", "-p", f"{host}:{ports['rest']}:{_REST}"]
    inside = {flag: f"{_INSIDE}/{path.name}" for flag, path in files.items()}
    mounts = {str(config.folder): _mount(config) for config in configs}
    mounts |= {str(path): inside[flag] for flag, path in files.items()}
    for outside, target in mounts.items():
        if ":" in outside:
            raise UsageError(f"{outside}: a container cannot mount a path with a colon.")
        command += ["-v", f"{outside}:{target}:ro"]
    return [*command, IMAGE, *_file_flags(inside), *options]
