"""What both protocols answer with."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from tfkit.serve.models import Models
from tfkit.serve.monitoring import Monitoring
from tfkit.serve.settings import Settings
from tfkit.serve.status import RequestError
from tfkit.serve.work import Budget, Work


@dataclass(frozen=True)
class Parts:
    """The pieces of one server.

    Args:
        models: that are served.
        settings: token, limits, metrics, TLS.
        monitoring: counts requests.
        work: the threads that compute.
        aside: a few more, for pages that take too long for the loop and are not to wait for
            predictions.
        buffered: the bytes of requests that arrive, until they are answered or given up.
    """

    models: Models
    settings: Settings
    monitoring: Monitoring
    work: Work
    aside: Work
    buffered: Budget

    def authorize(self, header: bytes, where: str) -> None:
        """Refuse a caller without the token, where there is one.

        Args:
            header: what came as `authorization`.
            where: what the caller is to send, in its protocol's words.
        Raises: RequestError, UNAUTHENTICATED.
        """
        wanted = (self.settings.token or "").encode()
        scheme, _, token = header.partition(b" ")
        given = scheme.lower() == b"bearer"
        if wanted and not (given and hmac.compare_digest(token.strip(), wanted)):
            which = "another" if given else "a"
            raise RequestError("UNAUTHENTICATED", f"This server wants {which} token: send {where}.")
