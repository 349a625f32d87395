"""One request as it is counted, the latencies of the last of them, and their log."""

from __future__ import annotations

import json
import logging
import logging.handlers
import sys
import threading
import time
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

from tfkit.serve.status import RequestError

log = logging.getLogger("tfkit.serve")

WINDOW = 1000  # requests that the latency quantiles look back on


@dataclass
class Call:
    """One request, as it is counted and logged.

    Args:
        protocol: "REST" or "GRPC".
        method: "Predict", "Classify", "Regress", …
        model: its name; "" until it is known to be one of ours, so that no sender can make metrics.
        version: that answered.
        signature: that answered; "" likewise.
        rows: in the request.
        code: canonical, "OK" or what was wrong.
        seconds: from the whole request's arrival to the answer.
        error: the message of one that was refused.
    """

    protocol: str
    method: str = ""
    model: str = ""
    version: int | None = None
    signature: str = ""
    rows: int = 0
    code: str = "OK"
    seconds: float = 0.0
    error: str = ""

    def arrived(self) -> None:
        """The time counts from now on: what came before was the sender's."""
        self._start = time.perf_counter()

    def answered(self) -> None:
        """Note how long it took."""
        self.seconds = time.perf_counter() - self._start

    def failed(self, error: RequestError) -> None:
        """Note what was answered instead."""
        self.code, self.error = error.code, str(error)


class Window:
    """The latencies of the last requests, and how many there ever were."""

    def __init__(self):
        self._seconds: deque[float] = deque(maxlen=WINDOW)
        self._count = self._errors = 0
        self._lock = threading.Lock()

    def add(self, call: Call) -> None:
        """Take on one request."""
        with self._lock:
            self._count += 1
            self._errors += call.code != "OK"
            if call.code == "OK":
                self._seconds.append(call.seconds)

    def summary(self) -> dict[str, Any]:
        """All requests, those refused, and quantiles of the answered ones in milliseconds."""
        with self._lock:
            ordered, count, errors = sorted(self._seconds), self._count, self._errors
        quantiles = {
            f"p{q}_ms": round(1e3 * ordered[min(len(ordered) * q // 100, len(ordered) - 1)], 3)
            for q in (50, 90, 99)
            if ordered
        }
        return {"count": count, "errors": errors, **quantiles}


class RequestLog:
    """One JSON line a request, with the time in seconds since 1970.

    Args:
        target: a file, appended to; "-" is stderr.
    """

    def __init__(self, target: str):
        self._logger = logging.Logger("tfkit.serve.requests")
        handler = logging.StreamHandler(sys.stderr)
        if target != "-":
            # reopened when it was rotated away
            handler = logging.handlers.WatchedFileHandler(target, encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(message)s"))
        self._logger.addHandler(handler)

    def write(self, call: Call) -> None:
        """Add one line."""
        line = {"time": round(time.time(), 3), **asdict(call)}
        line["seconds"] = round(call.seconds, 6)
        try:
            self._logger.info(json.dumps({k: v for k, v in line.items() if v not in ("", None)}))
        except OSError as error:  # reopening fails: no reason to fail a request that was answered
            log.error("the request log cannot be written: %s", error)

    def close(self) -> None:
        """Close the file."""
        for handler in self._logger.handlers:
            handler.close()
