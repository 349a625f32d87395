"""One HTTP request of the client: sent, tried again where that is safe, and its errors told."""

from __future__ import annotations

import json
import os
import random
import time
from http import HTTPStatus
from http.client import BadStatusLine, RemoteDisconnected
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError, NewConnectionError, SSLError, TimeoutError

from tfkit.errors import TfkitError
from tfkit.serve.client.reaching import (
    authorization,
    checked_retries,
    checked_timeout,
    checked_url,
    tls,
)

# Only where the server certainly did not do what was asked: it was not there, or said "later".
_LATER = (429, 503)
_FIRST_WAIT = 0.1  # seconds; doubled each time
_LONGEST_WAIT = 10.0  # also where the server asks for more
_SHOWN = 300  # characters of an answer that is no JSON
# OpenSSL's words for an answer that is no TLS
_PLAIN = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG")


class ServerRefused(TfkitError):
    """The server answered with an error.

    Args:
        message: the whole story.
        status: HTTP's.
        said: the server's own words.
    """

    def __init__(self, message: str, *, status: int, said: str):
        super().__init__(message)
        self.status = status
        self.said = said


class ServerUnreachable(TfkitError):
    """No answer came: nobody listens, the connection broke, or it took too long."""


class Sender:
    """Requests to one server, over connections that stay open.

    Args:
        url: http:// or https://, with a path where the server is below one.
        token: for `Authorization: Bearer`; None sends none.
        timeout: seconds for a connection, and for each silence of the server, > 0.
        retries: how often to try again, >= 0, after a refused connection, 429 or 503.
        ca_file: PEM file of the authorities that may sign the server's certificate.
        cert_file: PEM file with our own certificate and its key.
    Raises: UsageError for what is none of these, DataMissing for a file that is not there.
    """

    def __init__(
        self,
        url: str,
        token: str | None,
        timeout: float,
        retries: int,
        ca_file: str | os.PathLike | None = None,
        cert_file: str | os.PathLike | None = None,
    ):
        self.url = checked_url(url)
        self.timeout = checked_timeout(timeout)
        self.retries = checked_retries(retries)
        self.wanted = "a token" if token is None else "another token than the one given"
        self.headers = {"Accept": "application/json"} | authorization(token)
        self.pool = urllib3.PoolManager(
            num_pools=2,
            maxsize=32,
            timeout=self.timeout,
            retries=False,
            ssl_context=tls(self.url, ca_file, cert_file),
        )

    def get(self, path: str) -> Any:
        """The JSON at a path."""
        return self._answer("GET", path, None)

    def post(self, path: str, body: str) -> Any:
        """The JSON that answers a JSON body."""
        return self._answer("POST", path, body.encode())

    def close(self) -> None:
        """Close the connections."""
        self.pool.clear()

    def _answer(self, method: str, path: str, body: bytes | None) -> Any:
        where = f"{method} {self.url}{path}"
        for tries in range(self.retries + 1):
            last = tries == self.retries
            try:
                response = self._send(method, path, body)
            except HTTPError as error:
                if last or not _refused(error):
                    raise ServerUnreachable(self._why(where, error, tries + 1)) from error
                _wait(tries, None)
                continue
            if last or response.status not in _LATER:
                return _read(where, response, tries + 1, self.wanted)
            _wait(tries, response.headers.get("Retry-After"))
        raise AssertionError("unreachable: the last try returns or raises")

    def _send(self, method: str, path: str, body: bytes | None) -> urllib3.BaseHTTPResponse:
        kind = {} if body is None else {"Content-Type": "application/json"}
        return self.pool.request(
            method, self.url + path, body=body, headers=self.headers | kind, redirect=False
        )

    def _why(self, where: str, error: HTTPError, tries: int) -> str:
        often = f" ({tries} times)" if tries > 1 else ""
        if _refused(error):
            return f"{where}: the connection was refused{often}; is a server running there?"
        if isinstance(error, TimeoutError) and not isinstance(error, NewConnectionError):
            return f"{where}: no answer within {self.timeout:g} s."
        if isinstance(error, SSLError):
            plain = any(word in str(error) for word in _PLAIN)
            cure = "; does it speak http://?" if plain else ""
            return f"{where}: no trusted TLS connection: {error}{cure}"
        cause = error.args[-1] if error.args else None
        if isinstance(cause, BadStatusLine) and not isinstance(cause, RemoteDisconnected):
            return (
                f"{where}: the answer is no HTTP; that looks like the gRPC port; REST is 8501, "
                "where the server was not told otherwise."
            )
        return f"{where}: {error}"


def _refused(error: HTTPError) -> bool:
    return isinstance(error, NewConnectionError) and isinstance(
        error.__cause__, ConnectionRefusedError
    )


def _wait(tries: int, asked: str | None) -> None:
    """Sleep longer each time, unevenly so that many clients do not come back all at once."""
    seconds = _FIRST_WAIT * 2**tries * random.uniform(0.5, 1.5)
    if asked and asked.strip().isdecimal():
        seconds = max(seconds, float(asked))
    time.sleep(min(seconds, _LONGEST_WAIT))


def _read(where: str, response: urllib3.BaseHTTPResponse, tries: int, wanted: str) -> Any:
    # bytes that are no UTF-8 come back as they were when the text is encoded again
    text = response.data.decode("utf-8", "surrogateescape")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if response.status == 200 and value is not None:
        return value
    said = value.get("error") if isinstance(value, dict) else None
    if not isinstance(said, str):
        said = text if len(text) <= _SHOWN else text[:_SHOWN] + " …"
    phrase = next((s.phrase for s in HTTPStatus if s == response.status), "")
    often = f" {tries} times" if tries > 1 else ""
    status = f"{response.status} {phrase}".strip()
    cure = f" (the server wants {wanted})" if response.status == 401 else ""
    message = f"{where}: the server answered {status}{often}{cure}: {_printable(said)}"
    raise ServerRefused(message, status=response.status, said=said)


def _printable(text: str) -> str:
    """Control characters, which could redraw a terminal, by their escapes."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text.strip())
