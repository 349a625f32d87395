"""The HTTP side as an ASGI application: TF Serving's REST interface, and the server's own pages."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from starlette.middleware.cors import CORSMiddleware
from starlette.responses import FileResponse, JSONResponse, Response

from tfkit.serve import answers, page, rest
from tfkit.serve.bodies import Disconnected, packing, receive_body
from tfkit.serve.calls import Call
from tfkit.serve.parts import Parts
from tfkit.serve.rest_answers import Question
from tfkit.serve.status import RequestError

log = logging.getLogger("tfkit.serve")

_OPEN = ("/", "/healthz", "/readyz")  # need no token: probes, and a page without data of its own
_JSON = "application/json"


def application(parts: Parts) -> Any:
    """The ASGI application, behind CORS answers where the settings ask for them."""
    app = HttpApp(parts)
    if not parts.settings.cors:
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
        parts: of the server.
    """

    def __init__(self, parts: Parts):
        self._parts = parts
        self._models = parts.models

    async def __call__(self, scope: dict, receive: Callable, send: Callable) -> None:
        """ASGI's entry."""
        if scope["type"] != "http":
            return
        path, headers = scope["raw_path"].decode("ascii"), dict(scope["headers"])
        try:
            if path not in _OPEN:
                header = headers.get(b"authorization", b"")
                self._parts.authorize(header, "`Authorization: Bearer TOKEN`")
            if path.lower().startswith("/v1/"):
                response = await self._api(scope, path, headers, receive)
            else:
                response = await self._own(scope["method"], path)
        except Disconnected:
            return
        except RequestError as error:
            response = _refused(error)
        except Exception:
            log.exception("a request failed in a way that nobody foresaw")
            response = _refused(RequestError("INTERNAL", "The server failed; its log says how."))
        await response(scope, receive, send)

    async def _api(self, scope: dict, path: str, headers: dict, receive: Callable) -> Response:
        """TF Serving's interface. Everything here is counted."""
        call, method = Call("REST"), scope["method"]
        limits, buffered = self._parts.settings.limits, self._parts.buffered
        with self._parts.monitoring.counting(call):
            where = rest.parse_path(method, path)
            if method == "GET":
                return Response(self._ask(call, where), media_type=_JSON)
            if where["method"] not in ("predict", "classify", "regress"):
                raise RequestError("INVALID_ARGUMENT", f"Malformed request: {method} {path}")
            call.method = where["method"].capitalize()
            with buffered.hold() as held:
                packed = packing(headers)
                body = await receive_body(receive, limits.body_bytes, held)
                call.arrived()
                gone = scope["state"].get("gone", lambda: False)
                question = Question(self._parts, where, call, body, packed, gone)
                text = await self._parts.work.do(question.answer, limits.answer_seconds)
            return Response(text, media_type=_JSON)

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

    async def _own(self, method: str, path: str) -> Response:
        """The pages that TF Serving has not, and its metrics."""
        metrics = self._parts.settings.metrics
        if method not in ("GET", "HEAD"):
            raise RequestError("UNIMPLEMENTED", f"{path} answers GET and HEAD only.", 405)
        if path == "/":
            return Response(page.page(), headers=page.headers())
        if path == "/healthz":
            return JSONResponse({"status": "alive"})
        if path == "/readyz":
            return self._readiness()
        if path == metrics.path and metrics.enable:
            text = await self._parts.aside.do(self._parts.monitoring.page)
            return Response(text, media_type="text/plain; version=0.0.4")
        if path == "/tfkit/models":
            return JSONResponse({"models": await self._parts.aside.do(self._overview)})
        if path == "/tfkit/latency":
            return JSONResponse({"latency": self._parts.monitoring.latency()})
        archive = await self._parts.aside.do(lambda: answers.archive(self._models, path))
        if archive is not None:
            return FileResponse(archive, media_type="application/gzip")
        raise RequestError(
            "NOT_FOUND", f"There is nothing at {path}; models answer under /v1/models/."
        )

    def _overview(self) -> list[dict[str, Any]]:
        return answers.overview(self._models)

    def _readiness(self) -> Response:
        if self._models.ready:
            return JSONResponse({"status": "ready"})
        reason = self._models.why(self._models.unready()) or "no model is served"
        return JSONResponse({"status": "not ready", "error": reason}, 503)


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
