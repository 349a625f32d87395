"""What the server counts: TF Serving's Prometheus metrics under their own names, and latencies."""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import Metric

from tfkit.serve.status import RequestError

_TF = ":tensorflow:serving:"  # how TF Serving's exporter spells /tensorflow/serving/
# TF Serving's buckets, in microseconds: 10 · 1.8^k, 33 of them, up to 20 minutes
MICROSECONDS = tuple(10 * 1.8**k for k in range(33))
EXAMPLES = tuple(float(2**k) for k in range(15))
SECONDS = tuple(m / 1e6 for m in MICROSECONDS)
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

    def failed(self, error: RequestError) -> None:
        """Note what was answered instead."""
        self.code, self.error = error.code, str(error)


class Monitoring:
    """Counters, histograms, latency windows and the request log of one server.

    Args:
        request_log: a file for one JSON line a request, "-" is stderr, None keeps none.
    """

    def __init__(self, request_log: str | None = None):
        self.registry = CollectorRegistry()
        self._requests = _RequestCount()
        self.registry.register(self._requests)
        histogram = partial(Histogram, registry=self.registry)
        counter = partial(Counter, registry=self.registry)
        self._latency = histogram(
            f"{_TF}request_latency",
            "Distribution of wall time (in microseconds) of requests.",
            ["model_name", "API", "entrypoint"],
            buckets=MICROSECONDS,
        )
        self._runtime = histogram(
            f"{_TF}runtime_latency",
            "Distribution of wall time (in microseconds) of TensorFlow.",
            ["model_name", "API", "runtime"],
            buckets=MICROSECONDS,
        )
        self._examples = histogram(
            f"{_TF}request_example_counts",
            "The number of tensorflow.Examples per request.",
            ["model"],
            buckets=EXAMPLES,
        )
        self._example_total = counter(
            f"{_TF}request_example_count", "The total number of tensorflow.Examples.", ["model"]
        )
        self._warmup = histogram(
            f"{_TF}model_warmup_latency",
            "Distribution of wall time (in microseconds) of warm-ups.",
            ["model_path", "status"],
            buckets=MICROSECONDS,
        )
        self._warmup_records = counter(
            f"{_TF}model_warmup_records_read",
            "Total number of warmup records read.",
            ["model_path", "status"],
        )
        self._by_signature = histogram(
            "tfkit_request_latency_seconds",
            "Wall time of answered requests.",
            ["model", "version", "signature", "protocol"],
            buckets=SECONDS,
        )
        self._windows: dict[tuple, _Window] = {}
        self._lock = threading.Lock()
        self._log = _RequestLog(request_log) if request_log else None

    def record(self, call: Call) -> None:
        """Count one finished request."""
        self._requests.add(call.model, call.code)
        if call.code == "OK" and call.model:
            self._latency.labels(call.model, call.method, call.protocol).observe(call.seconds * 1e6)
            if call.signature:
                names = (call.model, str(call.version), call.signature, call.protocol)
                self._by_signature.labels(*names).observe(call.seconds)
        if call.model and call.signature:
            self._window(call).add(call)
        if self._log:
            self._log.write(call)

    def ran(self, model: str, method: str, seconds: float) -> None:
        """Count the TensorFlow part of a request."""
        self._runtime.labels(model, method, "TF2").observe(seconds * 1e6)

    def examples(self, model: str, count: int) -> None:
        """Count the tf.Examples of a Classify or Regress request."""
        self._examples.labels(model).observe(count)
        self._example_total.labels(model).inc(count)

    def warmed(self, path: str, status: str, records: int, seconds: float) -> None:
        """Count the warm-up of a version."""
        self._warmup.labels(path, status).observe(seconds * 1e6)
        self._warmup_records.labels(path, status).inc(records)

    def page(self) -> bytes:
        """The metrics in Prometheus' text format."""
        return generate_latest(self.registry)

    def latency(self) -> list[dict[str, Any]]:
        """Quantiles of the last requests, for each model, signature and protocol."""
        with self._lock:
            windows = sorted(self._windows.items())
        return [
            {"model": model, "signature": signature, "protocol": protocol, **window.summary()}
            for (model, signature, protocol), window in windows
        ]

    def _window(self, call: Call) -> _Window:
        key = (call.model, call.signature, call.protocol)
        with self._lock:
            return self._windows.setdefault(key, _Window())


class _RequestCount:
    """`request_count` under TF Serving's name: the library would call a Counter `…_total`."""

    def __init__(self):
        self._counts: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()

    def add(self, model: str, status: str) -> None:
        with self._lock:
            self._counts[model, status] = self._counts.get((model, status), 0) + 1

    def collect(self) -> Iterator[Metric]:
        name = f"{_TF}request_count"
        metric = Metric(name, "The total number of requests.", "unknown")
        with self._lock:
            counts = dict(self._counts)
        for (model, status), count in sorted(counts.items()):
            metric.add_sample(name, {"model_name": model, "status": status}, count)
        yield metric


class _Window:
    """The latencies of the last requests, and how many there ever were."""

    def __init__(self):
        self._seconds: deque[float] = deque(maxlen=WINDOW)
        self._count = self._errors = 0
        self._lock = threading.Lock()

    def add(self, call: Call) -> None:
        with self._lock:
            self._count += 1
            self._errors += call.code != "OK"
            if call.code == "OK":
                self._seconds.append(call.seconds)

    def summary(self) -> dict[str, Any]:
        with self._lock:
            ordered, count, errors = sorted(self._seconds), self._count, self._errors
        quantiles = {
            f"p{q}_ms": round(1e3 * ordered[min(len(ordered) * q // 100, len(ordered) - 1)], 3)
            for q in (50, 90, 99)
            if ordered
        }
        return {"count": count, "errors": errors, **quantiles}


class _RequestLog:
    """One JSON line a request, with the time in seconds since 1970."""

    def __init__(self, target: str):
        self._logger = logging.Logger("tfkit.serve.requests")
        handler = logging.StreamHandler(sys.stderr)
        if target != "-":
            handler = logging.FileHandler(target, encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(message)s"))
        self._logger.addHandler(handler)

    def write(self, call: Call) -> None:
        line = {"time": round(time.time(), 3), **asdict(call)}
        line["seconds"] = round(call.seconds, 6)
        self._logger.info(json.dumps({k: v for k, v in line.items() if v not in ("", None)}))
