"""What a server is told when it starts: places, ports, limits, secrets."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field
from pathlib import Path

from tfkit.errors import UsageError
from tfkit.export.batching import Batching
from tfkit.serve.configuration import read_text
from tfkit.serve.flat_text import Monitoring, Ssl

REST_PORT = 8501  # TF Serving's own
GRPC_PORT = 8500
MEBIBYTE = 2**20
MOST_THREADS = 1000
_LARGEST_MESSAGE = 2047 * MEBIBYTE  # a protocol buffer cannot be larger


@dataclass(frozen=True)
class Limits:
    """What one sender may ask of the server. Lists in JSON are at most 31 deep, always.

    Args:
        body_bytes: of a request, also after gunzip; REST and gRPC; > 0 and below 2 GiB.
        header_bytes: of a request's line and headers; more is HTTP 431.
        rows: of one request.
        concurrent: requests that are computed or wait for it; more are refused with
            RESOURCE_EXHAUSTED (429).
        buffered_bytes: of all requests that arrive, before gunzip, until they are answered; one
            more is refused like that too.
        connections: open at once over REST; more are closed unanswered.
        receive_seconds: within which a request must have arrived, and an answer been taken.
        answer_seconds: within which a REST request is answered; later is DEADLINE_EXCEEDED (504).
            gRPC callers bring their own deadlines.
    Raises: UsageError for a limit that nothing could meet.
    """

    body_bytes: int = 128 * MEBIBYTE
    header_bytes: int = 64 * 1024
    rows: int = 100_000
    concurrent: int = 256
    buffered_bytes: int = 1024 * MEBIBYTE
    connections: int = 1024
    receive_seconds: float = 30.0
    answer_seconds: float = 30.0

    def __post_init__(self):
        for name, value in vars(self).items():
            if not 0 < value < math.inf:
                raise UsageError(f"serve: {name} must be finite and above 0, got {value}.")
        if self.body_bytes > _LARGEST_MESSAGE:
            raise UsageError(
                f"serve: body_bytes may be at most {_LARGEST_MESSAGE}, the largest protocol "
                f"buffer; got {self.body_bytes}."
            )


@dataclass(frozen=True)
class Settings:
    """A server's whole configuration.

    Args:
        path: a model's folder, a folder of models, or one version; None with `config`.
        config: a models.config of TF Serving; None with `path`.
        host: the address to listen on; the default is this machine alone.
        rest_port: 0 takes any free one.
        grpc_port: likewise.
        threads: that compute; None is twice the processors, or with batching as many as fill two
            batches, at most 128.
        limits: what one sender may ask.
        batching: merge simultaneous requests so; None answers each by itself.
        metrics: whether Prometheus metrics are served, and where.
        ssl: keys and certificates for both protocols; None is plain text.
        token: what `Authorization: Bearer` must carry; None asks for none.
        cors: answer browsers of other origins, as TF Serving's --rest_api_enable_cors_support.
        poll_seconds: how often folders are looked at for new versions; 0 looks once.
        grace_seconds: how long requests in flight may take after a signal to stop.
        request_log: a file for one JSON line a request, "-" is stderr; None keeps none.
    """

    path: Path | None = None
    config: Path | None = None
    host: str = "127.0.0.1"
    rest_port: int = REST_PORT
    grpc_port: int = GRPC_PORT
    threads: int | None = None
    limits: Limits = field(default_factory=Limits)
    batching: Batching | None = None
    metrics: Monitoring = Monitoring(enable=True)
    ssl: Ssl | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    cors: bool = False
    poll_seconds: float = 1.0
    grace_seconds: float = 30.0
    request_log: str | None = None

    def __post_init__(self):
        if (self.path is None) == (self.config is None):
            both = ", not both" if self.path else ""
            raise UsageError(f"serve: give a folder of models, or --config models.config{both}.")
        for name in ("rest_port", "grpc_port"):
            if not 0 <= getattr(self, name) < 2**16:
                raise UsageError(f"serve: {name} must be 0 to 65535, got {getattr(self, name)}.")
        if self.rest_port == self.grpc_port != 0:
            raise UsageError(f"serve: REST and gRPC cannot share port {self.rest_port}.")
        if self.threads is not None and not 1 <= self.threads <= MOST_THREADS:
            raise UsageError(f"serve: threads must be 1 to {MOST_THREADS}, got {self.threads}.")
        for name in ("poll_seconds", "grace_seconds"):
            if not 0 <= getattr(self, name) < math.inf:
                raise UsageError(
                    f"serve: {name} must be finite and not negative, got {getattr(self, name)}."
                )
        if self.token == "":
            raise UsageError("serve: the token is empty; None asks for none.")
        if self.request_log not in (None, "-"):
            _check_writable(Path(self.request_log))

    @property
    def workers(self) -> int:
        """Threads that compute, by default enough for what batching can merge."""
        if self.threads is not None:
            return self.threads
        cores = os.cpu_count() or 1
        if self.batching is None:
            return 2 * cores
        return max(2 * cores, min(2 * self.batching.max_batch_size, 128))


def read_tls(key: Path | None, certificate: Path | None, client_ca: Path | None) -> Ssl:
    """Keys and certificates from PEM files.

    Args:
        key: of the server.
        certificate: of the server, and its chain.
        client_ca: callers must show a certificate of this authority; None asks for none.
    Raises: DataMissing where there is no file, UsageError where one is no PEM or left out.
    """
    if key is None or certificate is None:
        raise UsageError("serve: give --tls-key and --tls-cert, both.")
    texts = ["" if file is None else _pem(file) for file in (key, certificate, client_ca)]
    return Ssl(*texts, client_verify=client_ca is not None)


def _pem(file: Path) -> str:
    text = read_text(file)
    if "-----BEGIN " not in text:
        raise UsageError(f"{file}: is no PEM file; expected -----BEGIN … in it.")
    return text


def _check_writable(file: Path) -> None:
    """Refuse a request log that cannot be written, before a model is loaded."""
    try:
        with open(file, "a", encoding="utf-8"):
            pass
    except OSError as error:
        raise UsageError(
            f"{file}: the request log cannot be written: {error.strerror or error}."
        ) from error


def read_token(file: Path) -> str:
    """The bearer token in a file: its one line.

    Raises: DataMissing where there is no file, UsageError where it holds no usable token.
    """
    token = read_text(file).strip()
    if not token.isascii() or not token.isprintable() or not token or " " in token:
        raise UsageError(f"{file}: expected one token in ASCII on one line, without blanks.")
    return token
