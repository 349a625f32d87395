"""The HTTP side as an ASGI application: TF Serving's REST interface, and the server's own pages."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.middleware.cors import CORSMiddleware
from starlette.responses import FileResponse, JSONResponse, Response

from tfkit.serve import answers, page, rest
from tfkit.serve.bodies import Disconnected, read_body
from tfkit.serve.calls import Call
from tfkit.serve.models import Models
from tfkit.serve.monitoring import Monitoring
from tfkit.serve.settings import Settings
from tfkit.serve.status import RequestError
from tfkit.serve.work import Work

_OPEN = ("/", "/healthz", "/readyz")  # need no token: probes, and a page without data of its own
_JSON = "application/json"


def application(models: Models, settings: Settings, monitoring: Monitoring, work: Work) -> Any:
    """The ASGI application, behind CORS answers where the settings ask for them."""
    app = HttpApp(models, settings, monitoring, work)
    if not settings.cors:
        return app
    return CORSMiddleware(
        app,
        allow_origins=["*"],
        allow_methods=["GET", "POST"],
        allow_headers=["Content-Type", "Authorization"],
    )


class HttpApp:
    """What answers each path.

    Args:
        models: that are served.
        settings: token, limits, whether and where metrics are served.
        monitoring: counts requests.
        work: computes.
    """

    def __init__(self, models: Models, settings: Settings, monitoring: Monitoring, work: Work):
        self._models = models
        self._settings = settings
        self._monitoring = monitoring
        self._work = work
        self._token = (settings.token or "").encode()

    async def __call__(self, scope: dict, receive: Callable, send: Callable) -> None:
        """ASGI's entry."""
        if scope["type"] != "http":
            return
        path, headers = scope["raw_path"].decode("ascii"), dict(scope["headers"])
        try:
            self._authorize(path, headers)
            if path.lower().startswith("/v1/"):
                response = await self._api(scope["method"], path, headers, receive)
            else:
                response = self._own(scope["method"], path)
        except RequestError as error:
            response = _refused(error)
        except Disconnected:
            return
        await response(scope, receive, send)

    def _authorize(self, path: str, headers: dict[bytes, bytes]) -> None:
        if not self._token or path in _OPEN:
            return
        scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() != b"bearer" or not hmac.compare_digest(token.strip(), self._token):
            raise RequestError(
                "UNAUTHENTICATED", "This server wants a token: send `Authorization: Bearer TOKEN`."
            )

    async def _api(
        self, method: str, path: str, headers: dict, receive: Callable[[], Awaitable[dict]]
    ) -> Response:
        """TF Serving's interface. Everything here is counted."""
        call, start = Call("REST"), time.perf_counter()
        try:
            where = rest.parse_path(method, path)
            if method == "GET":
                return Response(self._ask(call, where), media_type=_JSON)
            if where["method"] not in ("predict", "classify", "regress"):
                raise RequestError("INVALID_ARGUMENT", f"Malformed request: {method} {path}")
            call.method = where["method"].capitalize()
            limits = self._settings.limits
            body = await read_body(headers, receive, limits.body_bytes)
            start = time.perf_counter()
            work = _Question(self._models, where, call, body, limits)
            text = await self._work.do(work.answer, limits.answer_seconds)
            return Response(text, media_type=_JSON)
        except RequestError as error:
            call.failed(error)
            raise
        except Disconnected:
            call.code = "CANCELLED"
            raise
        finally:
            call.seconds = time.perf_counter() - start
            self._monitoring.record(call)

    def _ask(self, call: Call, where: dict) -> str:
        """A model's status or metadata."""
        name, version, label = where.get("name"), where.get("version"), where.get("label")
        if not name:
            raise RequestError("INVALID_ARGUMENT", "Missing model name in request.")
        if where.get("sub") == "metadata":
            call.method = "GetModelMetadata"
            servable = self._models.find(name, version, label)
            call.model, call.version = name, servable.version
            return answers.metadata_json(servable)
        call.method = "GetModelStatus"
        versions = self._models.status(name, version, label)
        call.model = name
        return answers.status_json(versions)

    def _own(self, method: str, path: str) -> Response:
        """The pages that TF Serving has not, and its metrics."""
        settings = self._settings
        if method not in ("GET", "HEAD"):
            raise RequestError("UNIMPLEMENTED", f"{path} answers GET and HEAD only.", 405)
        if path == "/":
            return Response(page.page(), headers=page.headers())
        if path == "/healthz":
            return JSONResponse({"status": "alive"})
        if path == "/readyz":
            return self._readiness()
        if path == settings.metrics.path and settings.metrics.enable:
            return Response(self._monitoring.page(), media_type="text/plain; version=0.0.4")
        if path == "/tfkit/models":
            return JSONResponse({"models": answers.overview(self._models)})
        if path == "/tfkit/latency":
            return JSONResponse({"latency": self._monitoring.latency()})
        archive = self._archive(path)
        if archive is not None:
            return FileResponse(archive, media_type="application/gzip")
        raise RequestError(
            "NOT_FOUND", f"There is nothing at {path}; models answer under /v1/models/."
        )

    def _readiness(self) -> Response:
        if self._models.ready:
            return JSONResponse({"status": "ready"})
        reason = self._models.why(self._models.unready()) or "no model is served"
        return JSONResponse({"status": "not ready", "error": reason}, 503)

    def _archive(self, path: str) -> Path | None:
        """The TF-Hub archive of a version: /NAME/1.tar.gz."""
        for model in self._models.served():
            for file in answers.archives(model):
                if path == f"/{answers.quoted(model.config.name)}/{file.name}":
                    return file
        return None


class _Question:
    """A POST request, answered in one of the threads that compute."""

    def __init__(self, models: Models, where: dict, call: Call, body: bytes, limits: Any):
        self._models = models
        self._where = where
        self._call = call
        self._body = body
        self._limits = limits

    def answer(self) -> str:
        """The JSON of the answer."""
        where, call = self._where, self._call
        servable = self._models.find(where["name"], where.get("version"), where.get("label"))
        call.model, call.version = servable.name, servable.version
        if call.method == "Predict":
            return self._predict(servable)
        request = rest.parse_examples(self._body)
        answers.count_rows(call, len(request.examples), self._limits.rows)
        call.signature = servable.known(request.signature_name)
        if call.method == "Classify":
            return rest.render_classifications(
                *servable.classify(request.signature_name, request.examples)
            )
        return rest.render_regressions(servable.regress(request.signature_name, request.examples))

    def _predict(self, servable: Any) -> str:
        call = self._call

        def inputs(signature: str | None) -> dict:
            specs = servable.inputs(signature)
            call.signature = servable.known(signature)
            return specs

        request = rest.parse_request(self._body, inputs, max_rows=self._limits.rows)
        call.rows = answers.rows(request.tensors)
        outputs = servable.predict(request.signature_name, request.tensors)
        return rest.render_response(outputs, request.format)


def _refused(error: RequestError) -> Response:
    headers = {}
    if error.code == "UNAUTHENTICATED":
        headers["www-authenticate"] = "Bearer"
    if error.status == 413:
        headers["connection"] = "close"
    if error.status == 405:
        headers["allow"] = "GET, HEAD"
    content = json.dumps({"error": str(error)}, ensure_ascii=False)
    return Response(content, error.status, headers, _JSON)
