"""Deadlines and bounds for HTTP senders, around uvicorn's protocol, which has none for them."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tfkit.serve.settings import Limits

_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/json\r\n"
    b'content-length: 42\r\nconnection: close\r\n\r\n{"error": "The request\'s head is too long"}'
)


class BoundedProtocol(HttpToolsProtocol):
    """A connection that is closed when its sender is too slow, too greedy or too talkative.

    A request must have arrived whole `receive_seconds` after its first byte (a first request: after
    the connection was made), and an answer must have been taken as quickly.
    """

    limits: Limits

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Accept, unless there are too many connections already."""
        self._deadline: asyncio.TimerHandle | None = None
        self._head = 0  # bytes of the request's line and headers so far
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            transport.abort()
        else:
            self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline."""
        self._met()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless the head of the request is larger than allowed."""
        if self._head >= 0:
            self._head += len(data)
        super().data_received(data)
        if self._head > self.limits.header_bytes and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        """A request begins: from now on it has a deadline."""
        super().on_message_begin()
        self._expect()

    def on_headers_complete(self) -> None:
        """The head is there; what follows is bounded by the application."""
        self._head = -1
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is there."""
        self._met()
        self._head = 0
        super().on_message_complete()

    def pause_writing(self) -> None:
        """The client does not read its answer: it has a deadline for that too."""
        super().pause_writing()
        self._expect()

    def resume_writing(self) -> None:
        """The client reads again."""
        super().resume_writing()
        self._met()

    def timeout_keep_alive_handler(self) -> None:
        """An idle connection ends; one whose last answer was never taken is cut."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        super().timeout_keep_alive_handler()

    def _expect(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.limits.receive_seconds, self._drop)

    def _met(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _drop(self) -> None:
        self._deadline = None
        self.transport.abort()


def bounded(limits: Limits) -> type[BoundedProtocol]:
    """The protocol's class for these limits, as uvicorn's `http` option takes it."""
    return type("BoundedProtocol", (BoundedProtocol,), {"limits": limits})
