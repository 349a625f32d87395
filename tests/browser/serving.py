"""A stand-in for a server with models of every kind, for the page at `/`."""

import json
from types import SimpleNamespace

from tests.serve.stand_in import metadata
from tfkit.serve.page import headers, page

PICTURES = ("float32", [None, 6, 8, 1])
SIGNATURES = {
    "serving_default": ({"images": PICTURES}, {"images": PICTURES}),
    "predict": (
        {"images": PICTURES},
        {"images": PICTURES, "probabilities": ("float32", [None, 3])},
    ),
    "count": (
        {"ids": ("int64", [None, 2]), "words": ("string", [None])},
        {"total": ("int64", [None])},
    ),
    "__saved_model_init_op": ({}, {"op": ("invalid", None)}),
}
BIG = 2**53 + 1  # no JavaScript number
AVAILABLE = {"state": "AVAILABLE", "error": ""}


def latency(count, median):
    spread = {"p50_ms": median, "p90_ms": median * 1.4, "p99_ms": median * 3}
    return {"model": "shapes", "signature": "predict", "protocol": "REST", "count": count,
            "errors": 1, **spread}  # fmt: skip


class Standing:
    """The answers of such a server; a test changes them while the page is open."""

    def __init__(self):
        self.token = None
        self.ready = True
        self.latency = [latency(12, 1.234)]
        self.answer = None  # (status, text) of the next predictions
        self.signatures = dict(SIGNATURES)
        broken = {"version": 3, "state": "END", "error": "weights do not fit\n<b>bold</b>"}
        self.models = [
            {
                "name": "shapes",
                "labels": {"stable": 1},
                "versions": [{"version": 1, **AVAILABLE}, {"version": 2, **AVAILABLE}, broken],
                "archives": ["/shapes/1.tar.gz", "/shapes/2.tar.gz"],
            },
            {
                "name": "<i>odd</i> näme",
                "labels": {},
                "versions": [{"version": BIG, **AVAILABLE}],
                "archives": [],
            },
            {"name": "slow", "labels": {}, "archives": [],
             "versions": [{"version": 1, "state": "LOADING", "error": ""}]},
        ]  # fmt: skip

    def __call__(self, method, path, request):
        if path == "/":
            return 200, page(), headers()
        if path == "/readyz":
            return (200, "{}", {}) if self.ready else (503, '{"error": "slow: loading"}', {})
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            return 401, '{"error": "a token is wanted"}', {}
        if path == "/tfkit/models":
            return 200, json.dumps({"models": self.models}), {}
        if path == "/tfkit/latency":
            return 200, json.dumps({"latency": self.latency}), {}
        if path.endswith("/metadata"):
            return 200, json.dumps(metadata(self.signatures)), {}
        return self._predict(SimpleNamespace(path=path, body=request.body))

    def _predict(self, request):
        if self.answer:
            return *self.answer, {}
        sent = json.loads(request.body)
        images = sent["inputs"].get("images")
        if sent["signature_name"] == "predict":
            rows = ", ".join("[NaN, -Infinity, 3e-05]" for _ in images)
            found = f'{{"images": {json.dumps(images)}, "probabilities": [{rows}]}}'
        else:
            found = json.dumps(images)
        return 200, f'{{"outputs": {found}}}', {}


def model(page, name="shapes"):
    return page.locator("section", has=page.get_by_role("heading", name=name, exact=True))


def ask(page, name="shapes"):
    """Press the button; returns what was answered."""
    section = model(page, name)
    section.get_by_role("button", name="Ask the model").click()
    section.get_by_text("answered in").wait_for()
    return section.locator(".answer").last


def predictions(server):
    return [r for r in server.asked if r.method == "POST"]
