"""The HTTP side's server: uvicorn, held to our limits, on a loop and a socket of ours."""

from __future__ import annotations

import asyncio
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


def listen(host: str, port: int) -> list[socket.socket]:
    """Bound sockets, on one port: one for each address that the host's name stands for.

    Raises: TfkitError where the port is taken or the address is not this machine's.
    """
    listeners: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_PASSIVE
        )
        for family, kind, protocol, _, address in dict.fromkeys(found):
            # the protocol must be named: asyncio switches Nagle's delay off only where it is TCP
            listener = socket.socket(family, kind, protocol)
            listeners.append(listener)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind((address[0], port, *address[2:]))
            port = listener.getsockname()[1]  # the free one that 0 stood for
    except OSError as error:
        for listener in listeners:
            listener.close()
        raise TfkitError(
            f"serve: {host}:{port} cannot be listened on: {error.strerror or error}; "
            "choose another --rest-port, or 0 for any free one."
        ) from error
    return listeners


class _Server(uvicorn.Server):
    """A uvicorn server whose TLS handshakes have a deadline too."""

    def __init__(self, config: uvicorn.Config, receive_seconds: float):
        super().__init__(config)
        self._receive_seconds = receive_seconds

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen."""

        def connection() -> asyncio.Protocol:
            return self.config.http_protocol_class(
                config=self.config, server_state=self.server_state, app_state={}
            )

        timeout = None if self.config.ssl is None else self._receive_seconds
        loop = asyncio.get_running_loop()
        self.servers = [
            await loop.create_server(
                connection,
                sock=listener,
                ssl=self.config.ssl,
                ssl_handshake_timeout=timeout,
                backlog=self.config.backlog,
            )
            for listener in sockets
        ]
        self.started = True


def server(app: Any, settings: Settings) -> uvicorn.Server:
    """A uvicorn server for an ASGI application; `serve(sockets=…)` runs it."""
    context = None if settings.ssl is None else _context(settings.ssl)
    return _Server(
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
        ),
        settings.limits.receive_seconds,
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
