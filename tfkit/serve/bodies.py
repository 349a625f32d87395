"""Request bodies over ASGI: whole, unpacked, and never larger than allowed."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable

from tfkit.serve.status import RequestError
from tfkit.serve.work import Hold

_GZIP = 16 + zlib.MAX_WBITS
_SLICE = 2**16
_MEMBERS = 1000
_DRAINED = 4  # times the limit that is read and thrown away, so that the sender hears the answer


class Disconnected(RequestError):
    """The client went away, or was dropped, before its request was complete."""

    def __init__(self):
        super().__init__("CANCELLED", "The caller has hung up.")


def packing(headers: dict[bytes, bytes]) -> bool:
    """Whether a body is in gzip.

    Args:
        headers: lower-case names.
    Raises: RequestError, 415 for any other encoding.
    """
    encoding = headers.get(b"content-encoding", b"identity").strip().lower()
    if encoding not in (b"identity", b"gzip", b"x-gzip", b""):
        raise RequestError(
            "INVALID_ARGUMENT",
            f"Content-Encoding {encoding.decode('latin-1')!r} is not supported; send gzip or none.",
            415,
        )
    return encoding.endswith(b"gzip")


async def receive_body(receive: Callable[[], Awaitable[dict]], most: int, held: Hold) -> bytes:
    """The body of a request as it is sent.

    Args:
        receive: ASGI's.
        most: bytes.
        held: is charged with what is kept.
    Raises: RequestError 413 or 429; Disconnected.
    """
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        part = message.get("body", b"")
        size += len(part)
        if size <= most:
            held.take(len(part))
            parts.append(part)
        elif size > _DRAINED * most or not message.get("more_body"):
            raise _too_large(most)
        else:
            parts.clear()
        if not message.get("more_body"):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def unpack(body: bytes, most: int) -> bytes:
    """Gunzip a body, also one of several members, stopping as soon as there is more than allowed.

    Raises: RequestError 413, or 400 for what is no gzip.
    """
    parts, size, position, members = [], 0, 0, 0
    unzip = zlib.decompressobj(_GZIP)
    while position < len(body):
        piece = body[position : position + _SLICE]  # what follows a member is copied each time
        try:
            part = unzip.decompress(piece, most + 1 - size)
        except zlib.error as error:
            raise _no_gzip(str(error)) from error
        parts.append(part)
        size += len(part)
        if size > most:
            raise _too_large(most)
        position += len(piece) - len(unzip.unused_data)
        if unzip.eof and position < len(body):
            members += 1
            unzip = zlib.decompressobj(_GZIP)
        if members > _MEMBERS:
            raise _no_gzip(f"it has more than {_MEMBERS} members")
    if not unzip.eof:
        raise _no_gzip("it is cut short")
    return b"".join(parts)


def _no_gzip(reason: str) -> RequestError:
    return RequestError("INVALID_ARGUMENT", f"The body is no valid gzip: {reason}.")


def _too_large(most: int) -> RequestError:
    return RequestError(
        "INVALID_ARGUMENT", f"The request is larger than {most} bytes, the most allowed.", 413
    )
