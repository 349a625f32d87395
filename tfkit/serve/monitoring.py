"""What the server counts: TF Serving's Prometheus metrics under their own names, and latencies."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import Metric

from tfkit.serve.calls import Call, RequestLog, Window
from tfkit.serve.status import RequestError

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
        self._requests = _Counts(
            "request_count", "The total number of requests.", ("model_name", "status")
        )
        self._warmup_records = _Counts(
            "model_warmup_records_read",
            "Total number of warmup records read during model warmup.",
            ("model_path", "status"),
        )
        self._example_total = Counter(
            f"{_TF}request_example_count",
            "The total number of tensorflow.Examples.",
            ["model"],
            registry=self.registry,
        )
        self.registry.register(self._requests)
        self.registry.register(self._warmup_records)
        self._make_histograms()
        self._windows: dict[tuple, Window] = {}
        self._lock = threading.Lock()
        self._log = RequestLog(request_log) if request_log else None

    @contextmanager
    def counting(self, call: Call) -> Iterator[None]:
        """Time and count one request, whatever becomes of it in the block."""
        call.arrived()
        try:
            yield
        except RequestError as error:
            call.failed(error)
            raise
        except asyncio.CancelledError:  # its deadline has passed, or nobody waits for it any more
            call.code = "CANCELLED"
            raise
        except Exception:
            call.code = "INTERNAL"
            raise
        finally:
            call.answered()
            self.record(call)

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
        # TF Serving's word for all that is not TFRT, and what its dashboards ask for
        self._runtime.labels(model, method, "TF1").observe(seconds * 1e6)

    def examples(self, model: str, count: int) -> None:
        """Count the tf.Examples of a Classify or Regress request."""
        self._examples.labels(model).observe(count)
        self._example_total.labels(model).inc(count)

    def warmed(self, path: str, status: str, records: int, seconds: float) -> None:
        """Count the warm-up of a version."""
        self._warmup.labels(path, status).observe(seconds * 1e6)
        self._warmup_records.add(path, status, count=records)

    def forget(self, model: str, version: int, path: str) -> None:
        """Drop the series of a version that was let go: a server may see thousands."""
        self._by_signature.remove_by_labels({"model": model, "version": str(version)})
        self._warmup.remove_by_labels({"model_path": path})
        self._warmup_records.remove(path)

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

    def close(self) -> None:
        """Close the request log."""
        if self._log:
            self._log.close()

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


class _Counts:
    """A counter under TF Serving's own name: the library would call one of its own `…_total`."""

    def __init__(self, name: str, documentation: str, labels: tuple[str, ...]):
        self._name = f"{_TF}{name}"
        self._documentation = documentation
        self._labels = labels
        self._counts: dict[tuple[str, ...], int] = {}
        self._lock = threading.Lock()

    def add(self, *values: str, count: int = 1) -> None:
        with self._lock:
            self._counts[values] = self._counts.get(values, 0) + count

    def remove(self, first: str) -> None:
        with self._lock:
            self._counts = {k: v for k, v in self._counts.items() if k[0] != first}

    def collect(self) -> Iterator[Metric]:
        metric = Metric(self._name, self._documentation, "unknown")
        with self._lock:
            counts = dict(self._counts)
        for values, count in sorted(counts.items()):
            labels = dict(zip(self._labels, values, strict=True))
            metric.add_sample(self._name, labels, count)
        yield metric
