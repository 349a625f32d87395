"""The answer to each POST of TF Serving's REST, computed in a thread: body in, body out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tfkit.serve import answers, rest
from tfkit.serve.bodies import unpack
from tfkit.serve.calls import Call
from tfkit.serve.parts import Parts
from tfkit.serve.servable import Servable
from tfkit.serve.status import RequestError


class Question:
    """One request.

    Args:
        parts: of the server.
        where: what `rest.parse_path` says.
        call: is told what becomes known.
        body: as it was sent.
        packed: whether it is in gzip.
        gone: whether the caller has hung up.
    """

    def __init__(
        self,
        parts: Parts,
        where: dict[str, Any],
        call: Call,
        body: bytes,
        packed: bool,
        gone: Callable[[], bool],
    ):
        self._parts = parts
        self._limits = parts.settings.limits
        self._where = where
        self._call = call
        self._body = body
        self._packed = packed
        self._gone = gone

    def answer(self) -> str:
        """The JSON of the answer.

        Raises: RequestError.
        """
        if self._gone():
            raise RequestError("CANCELLED", "The caller has hung up.")
        where, call = self._where, self._call
        body = unpack(self._body, self._limits.body_bytes) if self._packed else self._body
        found = self._parts.models.find(where["name"], where.get("version"), where.get("label"))
        call.model, call.version = found.name, found.version
        return self._predict(found, body) if call.method == "Predict" else self._rate(found, body)

    def _predict(self, servable: Servable, body: bytes) -> str:
        call = self._call

        def inputs(signature: str | None) -> dict:
            specs = servable.inputs(signature)
            call.signature = servable.known(signature)
            return specs

        request = rest.parse_request(body, inputs, max_rows=self._limits.rows)
        call.rows = answers.rows(request.tensors)
        outputs = servable.predict(request.signature_name, request.tensors)
        return rest.render_response(outputs, request.format)

    def _rate(self, servable: Servable, body: bytes) -> str:
        """Classify or regress tf.Examples."""
        request, call = rest.parse_examples(body), self._call
        answers.count_rows(call, len(request.examples), self._limits.rows)
        call.signature = servable.known(request.signature_name)
        self._parts.monitoring.examples(call.model, call.rows)
        if call.method == "Classify":
            found = servable.classify(request.signature_name, request.examples)
            return rest.render_classifications(*found)
        return rest.render_regressions(servable.regress(request.signature_name, request.examples))
