"""What the server counts: TF Serving's Prometheus metrics under their own names, and latencies."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import Metric

from tfkit.serve.calls import Call, RequestLog, Window

_TF = ":tensorflow:serving:"  # how TF Serving's exporter spells /tensorflow/serving/
# TF Serving's buckets, in microseconds: 10 · 1.8^k, 33 of them, up to 20 minutes
MICROSECONDS = tuple(10 * 1.8**k for k in range(33))
_REST_API = {name.capitalize(): name for name in ("predict", "classify", "regress")}
EXAMPLES = tuple(float(2**k) for k in range(15))
SECONDS = tuple(m / 1e6 for m in MICROSECONDS)


class Monitoring:
    """Counters, histograms, latency windows and the request log of one server.

    Args:
        request_log: a file for one JSON line a request, "-" is stderr, None keeps none.
    """

    def __init__(self, request_log: str | None = None):
        self.registry = CollectorRegistry()
        self._requests = _RequestCount()
        self.registry.register(self._requests)
        self._make_histograms()
        counter = partial(Counter, registry=self.registry)
        self._example_total = counter(
            f"{_TF}request_example_count", "The total number of tensorflow.Examples.", ["model"]
        )
        self._warmup_records = counter(
            f"{_TF}model_warmup_records_read",
            "Total number of warmup records read.",
            ["model_path", "status"],
        )
        self._windows: dict[tuple, Window] = {}
        self._lock = threading.Lock()
        self._log = RequestLog(request_log) if request_log else None

    def record(self, call: Call) -> None:
        """Count one finished request."""
        self._requests.add(call.model, call.code)
        if call.code == "OK" and call.model:
            api = call.method if call.protocol == "GRPC" else _REST_API.get(call.method, "")
            self._latency.labels(call.model, api, call.protocol).observe(call.seconds * 1e6)
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

    def _make_histograms(self) -> None:
        histogram = partial(Histogram, registry=self.registry)
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
        self._warmup = histogram(
            f"{_TF}model_warmup_latency",
            "Distribution of wall time (in microseconds) of warm-ups.",
            ["model_path", "status"],
            buckets=MICROSECONDS,
        )
        self._by_signature = histogram(
            "tfkit_request_latency_seconds",
            "Wall time of answered requests.",
            ["model", "version", "signature", "protocol"],
            buckets=SECONDS,
        )

    def _window(self, call: Call) -> Window:
        key = (call.model, call.signature, call.protocol)
        with self._lock:
            return self._windows.setdefault(key, Window())


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
