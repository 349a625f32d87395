"""Request bodies over ASGI: whole, unpacked, and never larger than allowed."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable

from tfkit.serve.status import RequestError

_GZIP = 16 + zlib.MAX_WBITS
_DRAINED = 4  # times the limit that is read and thrown away, so that the sender hears the answer


class Disconnected(Exception):
    """The client went away, or was dropped, before its request was complete."""


async def read_body(
    headers: dict[bytes, bytes], receive: Callable[[], Awaitable[dict]], most: int
) -> bytes:
    """The body of a request, after gunzip.

    Args:
        headers: lower-case names.
        receive: ASGI's.
        most: bytes, before and after gunzip.
    Raises: RequestError 413 or 400 (an encoding other than gzip, damaged gzip); Disconnected.
    """
    encoding = headers.get(b"content-encoding", b"identity").strip().lower()
    if encoding not in (b"identity", b"gzip", b"x-gzip", b""):
        raise RequestError(
            "INVALID_ARGUMENT",
            f"Content-Encoding {encoding.decode('latin-1')!r} is not supported; send gzip or none.",
            415,
        )
    body = await _received(receive, most)
    return _unpacked(body, most) if encoding in (b"gzip", b"x-gzip") else body


async def _received(receive: Callable, most: int) -> bytes:
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        part = message.get("body", b"")
        size += len(part)
        if size <= most:
            parts.append(part)
        elif size > _DRAINED * most or not message.get("more_body"):
            raise _too_large(most)
        else:
            parts.clear()
        if not message.get("more_body"):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def _unpacked(body: bytes, most: int) -> bytes:
    """Gunzip, stopping as soon as there is more than allowed."""
    parts, size = [], 0
    while body:
        unzip = zlib.decompressobj(_GZIP)
        try:
            part = unzip.decompress(body, most + 1 - size)
        except zlib.error as error:
            raise RequestError(
                "INVALID_ARGUMENT", f"The body is no valid gzip: {error}."
            ) from error
        parts.append(part)
        size += len(part)
        if size > most:
            raise _too_large(most)
        if not unzip.eof:
            raise RequestError("INVALID_ARGUMENT", "The body is no valid gzip: it is cut short.")
        body = unzip.unused_data  # another member may follow
    return b"".join(parts)


def _too_large(most: int) -> RequestError:
    return RequestError(
        "INVALID_ARGUMENT", f"The request is larger than {most} bytes, the most allowed.", 413
    )
