"""Deadlines and bounds for HTTP senders, around uvicorn's protocol, which has none for them."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from http import HTTPStatus

import httptools
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tfkit.serve.settings import Limits


class BoundedProtocol(HttpToolsProtocol):
    """A connection that is closed when its sender is too slow, too greedy or too talkative.

    A request must have arrived whole `receive_seconds` after its first byte (a first request: after
    the connection was made), and an answer must have been taken as quickly. Whoever only stops
    sending, or goes on with what is no HTTP, still gets the answers to what was whole before.
    """

    limits: Limits

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Accept, unless there are too many connections already."""
        self._deadlines: dict[str, asyncio.TimerHandle] = {}
        self._overhead = 0  # bytes of the request so far that are not its body
        self.parser = _Parser(self)
        super().connection_made(transport)
        self.flow = _Flow(transport, self.pipeline)
        if len(self.connections) > self.limits.connections:
            transport.abort()
        else:
            self._expect("request")

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadlines."""
        for what in list(self._deadlines):
            self._met(what)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless there is more around the request's body than allowed."""
        self._overhead += len(data)
        super().data_received(data)
        if self._overhead > self.limits.header_bytes:
            self._refuse(431, "The request's head is too long")
        answered = self.cycle is None or self.cycle.response_complete
        if answered and not self.transport.is_closing():
            self._expect("request")  # what came was no whole one, and the idle timer is off now

    def eof_received(self) -> bool:
        """Close, unless there is something to answer; TLS cannot be half closed."""
        if self._waited_for and self.scheme == "http":
            self.cycle.keep_alive = False
            return True
        return False

    def on_message_begin(self) -> None:
        """A request begins: from now on it has a deadline."""
        super().on_message_begin()
        self._expect("request")

    def on_headers_complete(self) -> None:
        """The head is there; what follows is bounded by the application."""
        lines = sum(len(name) + len(value) + len(": \r\n") for name, value in self.headers)
        self._overhead = len(self.url) + lines
        if self._overhead > self.limits.header_bytes:
            raise ValueError("too long")  # stops the parser; data_received says it
        self._overhead = 0
        if self.parser.get_method() == b"CONNECT":
            raise ValueError("this is no proxy")  # likewise
        if not self.parser.should_upgrade():
            super().on_headers_complete()
            self.scope["state"]["gone"] = self.transport.is_closing

    def on_chunk_header(self) -> None:
        """A body in chunks has gone on; headers may follow the last of them."""
        self._overhead = 0

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._overhead = max(0, self._overhead - len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is there."""
        if self.parser.should_upgrade():
            return
        self._met("request")
        self._overhead = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP."""
        if self._overhead <= self.limits.header_bytes:
            self._refuse(400, msg)

    def pause_writing(self) -> None:
        """The client does not read its answer: it has a deadline for that too."""
        super().pause_writing()
        self._expect("answer")

    def resume_writing(self) -> None:
        """The client reads again."""
        super().resume_writing()
        self._met("answer")

    def timeout_keep_alive_handler(self) -> None:
        """An idle connection ends; one whose last answer was never taken is cut."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        super().timeout_keep_alive_handler()

    @property
    def _waited_for(self) -> bool:
        """Whether the last request that was begun is whole and not yet answered."""
        cycle = self.cycle
        return cycle is not None and not cycle.more_body and not cycle.response_complete

    def _refuse(self, status: int, message: str) -> None:
        """End the connection with an error, or with the answers that are due before it."""
        if self._waited_for:
            self.cycle.keep_alive = False
            self.flow.pause_reading()
        elif not self.transport.is_closing():
            body = json.dumps({"error": message}).encode()
            head = (
                f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
                f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
                "connection: close\r\n\r\n"
            )
            self.transport.write(head.encode() + body)
            self.transport.close()
            if self.transport.get_write_buffer_size():
                self._expect("answer")

    def _expect(self, what: str) -> None:
        if what not in self._deadlines:
            seconds = self.limits.receive_seconds
            self._deadlines[what] = self.loop.call_later(seconds, self._drop, what)

    def _met(self, what: str) -> None:
        if what in self._deadlines:
            self._deadlines.pop(what).cancel()

    def _drop(self, what: str) -> None:
        del self._deadlines[what]
        if what == "request" and self.flow.read_paused:  # it is we who did not let it come
            self._expect(what)
        else:
            self.transport.abort()


class _Parser(httptools.HttpRequestParser):
    """Reads a request that would rather have another protocol as what it is in this one.

    The library takes what follows such a head for that protocol, the request's own body too.
    """

    def __init__(self, protocol: BoundedProtocol):
        self._protocol = protocol
        super().__init__(protocol)
        self.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn has it

    def feed_data(self, data: bytes) -> None:
        """Parse on, the head of such a request a second time, without its wish."""
        rest = memoryview(data)
        while rest:
            try:
                return super().feed_data(rest)
            except httptools.HttpParserUpgrade as wish:
                rest = rest[wish.args[0] :]
                super().feed_data(self._head())

    def _head(self) -> bytes:
        version = self.get_http_version().encode()
        lines = [b"%s %s HTTP/%s" % (self.get_method(), self._protocol.url, version)]
        for name, value in self._protocol.headers:
            if name != b"upgrade":
                lines.append(b"%s: %s" % (name, value))
        return b"\r\n".join([*lines, b"", b""])


class _Flow(FlowControl):
    """Reads no further requests while some wait for their turn: they would wait without number."""

    def __init__(self, transport: asyncio.Transport, waiting: deque):
        super().__init__(transport)
        self._waiting = waiting

    def resume_reading(self) -> None:
        """Read on, as soon as no request waits."""
        if not self._waiting:
            super().resume_reading()


def bounded(limits: Limits) -> type[BoundedProtocol]:
    """The protocol's class for these limits, as uvicorn's `http` option takes it."""
    return type("BoundedProtocol", (BoundedProtocol,), {"limits": limits})
