"""What it takes to reach a server: its address, a token, certificates, patience; checked."""

from __future__ import annotations

import math
import operator
import os
import re
import ssl
from numbers import Real
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tfkit.errors import DataMissing, UsageError

_INTERFACE = re.compile(r"/v1(?=/|$).*", re.DOTALL)


def checked_url(url: str) -> str:
    """The address of a server, without blanks around it and slashes behind it.

    Raises: UsageError, with the address that was probably meant.
    """
    text = url.strip().rstrip("/") if isinstance(url, str) else ""
    meant = _INTERFACE.sub("", text if "://" in text else f"http://{text}")
    if meant == text and _is_address(text):
        return text
    wrong = f"{url!r} is no address of a server; "
    if not _is_address(meant):
        raise UsageError(
            f"{wrong}expected such as http://127.0.0.1:8501 or https://models.example.org/below."
        )
    if _INTERFACE.search(text):
        wrong += "the path /v1… is added to it; "
    raise UsageError(f"{wrong}did you mean {meant}?")


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port that is no number
        return False
    odd = parts.query or parts.fragment or parts.username or " " in text
    return bool(known and not odd and text.isprintable())


def authorization(token: str | None) -> dict[str, str]:
    """The header that carries a token.

    Raises: UsageError for one that no header can carry.
    """
    if token is None:
        return {}
    fits = isinstance(token, str) and token.isascii() and token.isprintable()
    if not fits or not token or " " in token:
        raise UsageError("Client: a token is printable ASCII without spaces.")
    return {"Authorization": f"Bearer {token}"}


def checked_timeout(timeout: Any) -> float:
    """Seconds, more than none and not for ever.

    Raises: UsageError.
    """
    if not isinstance(timeout, Real) or not 0 < timeout < math.inf:
        raise UsageError(f"Client: timeout must be a positive number, got {timeout!r}.")
    return float(timeout)


def checked_retries(retries: Any) -> int:
    """How often to try again.

    Raises: UsageError.
    """
    try:
        number = operator.index(retries)
    except TypeError:
        number = -1
    if number < 0:
        raise UsageError(f"Client: retries must be a whole number >= 0, got {retries!r}.")
    return number


def tls(
    url: str, ca_file: str | os.PathLike | None, cert_file: str | os.PathLike | None
) -> ssl.SSLContext | None:
    """Whom an https server may be certified by, and our own certificate; None for http.

    Raises: DataMissing for a file that is not there, UsageError for one that is of no use.
    """
    secure = urlsplit(url).scheme == "https"
    for option, file in (("--ca-file", ca_file), ("--cert-file", cert_file)):
        if file is not None and not secure:
            raise UsageError(f"{option} is about https; {url} speaks without certificates.")
        if file is not None and not Path(file).is_file():
            raise DataMissing(f"Client: there is no file {file} of certificates.")
    if not secure:
        return None
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise UsageError(
            f"{ca_file}: expected certificates of authorities in PEM: {error}"
        ) from error
    try:
        if cert_file is not None:
            context.load_cert_chain(cert_file, password="")  # asks nobody for one
    except OSError as error:
        raise UsageError(
            f"{cert_file}: expected a certificate and its key without a password, in PEM: {error}"
        ) from error
    return context
