"""The HTTP side's server: uvicorn, held to our limits, on a loop and a socket of ours."""

from __future__ import annotations

import math
import os
import socket
import ssl
import tempfile
from typing import Any

import uvicorn

from tfkit.errors import TfkitError
from tfkit.serve.flat_text import Ssl
from tfkit.serve.http_protocol import bounded
from tfkit.serve.settings import Settings

_KEEP_ALIVE = 75  # seconds that an idle connection is kept
_BACKLOG = 1024


def listen(host: str, port: int) -> socket.socket:
    """A bound socket.

    Raises: TfkitError where the port is taken or the address is not this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_PASSIVE
        )[0]
        # the protocol must be named: asyncio switches Nagle's delay off only where it is TCP
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        raise TfkitError(
            f"serve: {host}:{port} cannot be listened on: {error.strerror or error}; "
            "choose another --rest-port, or 0 for any free one."
        ) from error
    return listener


def server(app: Any, settings: Settings) -> uvicorn.Server:
    """A uvicorn server for an ASGI application; `serve(sockets=[…])` runs it."""
    context = None if settings.ssl is None else _context(settings.ssl)
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=bounded(settings.limits),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # nothing here asks where a request came from
            backlog=_BACKLOG,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=math.ceil(settings.grace_seconds),
            ssl_context_factory=context and (lambda *_: context),
        )
    )


def _context(secrets: Ssl) -> ssl.SSLContext:
    """What the ssl module reads only from a file is there, for us alone, for that moment."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        chain = os.path.join(folder, "chain.pem")
        with open(os.open(chain, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
            file.write(f"{secrets.server_key}\n{secrets.server_cert}\n")
        try:
            context.load_cert_chain(chain)
            if secrets.custom_ca:
                context.load_verify_locations(cadata=secrets.custom_ca)
        except (ssl.SSLError, ValueError) as error:
            raise TfkitError(
                f"serve: key and certificate cannot be used: {error}; expected a PEM key without "
                "password, and the certificate that belongs to it."
            ) from error
    if secrets.client_verify:
        context.verify_mode = ssl.CERT_REQUIRED
    return context
