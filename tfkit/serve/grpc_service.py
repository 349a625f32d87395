"""The gRPC side: TF Serving's PredictionService and ModelService, and gRPC's own health service."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from grpc_health.v1 import health, health_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    predict_pb2,
    regression_pb2,
)

from tfkit.serve.calls import Call
from tfkit.serve.flat_text import Ssl
from tfkit.serve.grpc_answers import GrpcAnswers
from tfkit.serve.parts import Parts
from tfkit.serve.settings import Limits
from tfkit.serve.status import RequestError
from tfkit.serve.work import Work

log = logging.getLogger("tfkit.serve")

PREDICTION = "tensorflow.serving.PredictionService"
MODEL = "tensorflow.serving.ModelService"
# what a health check may ask for: all, gRPC's names, TF Serving's own
HEALTH_NAMES = ("", PREDICTION, MODEL, "PredictionService", "ModelService")
_REQUESTS = {
    PREDICTION: {
        "Predict": predict_pb2.PredictRequest,
        "Classify": classification_pb2.ClassificationRequest,
        "Regress": regression_pb2.RegressionRequest,
        "MultiInference": inference_pb2.MultiInferenceRequest,
        "GetModelMetadata": get_model_metadata_pb2.GetModelMetadataRequest,
    },
    MODEL: {
        "GetModelStatus": get_model_status_pb2.GetModelStatusRequest,
        "HandleReloadConfigRequest": model_management_pb2.ReloadConfigRequest,
    },
}
_IDLE_MS = 300_000  # as long as a connection without calls may stay
_AT_ONCE = ("GetModelStatus", "GetModelMetadata")  # quick, and not to wait behind predictions
_RELOAD = "HandleReloadConfigRequest"


class GrpcSide:
    """A gRPC server on the loop that runs.

    Args:
        parts: of the server.
    """

    def __init__(self, parts: Parts):
        self._parts = parts
        self._answers = GrpcAnswers(parts)
        self._reloads = Work(1, 1)  # one at a time; a second is refused, and no prediction waits
        self._server: grpc.aio.Server | None = None
        self._health = health.aio.HealthServicer()

    async def listen(self) -> int:
        """Open the port, without answering yet; returns its number.

        Raises: RuntimeError where it is taken.
        """
        settings = self._parts.settings
        limits = settings.limits
        self._server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", limits.body_bytes),
                ("grpc.max_send_message_length", -1),
                ("grpc.max_metadata_size", limits.header_bytes),
                ("grpc.so_reuseport", 0),  # a second server on the port is a mistake, not a helper
                ("grpc.keepalive_time_ms", int(limits.receive_seconds * 1000)),
                ("grpc.max_connection_idle_ms", _IDLE_MS),
                ("grpc.server_handshake_timeout_ms", int(limits.receive_seconds * 1000)),
            ],
            # those that still arrive too; health checks among them, so not as few as may compute
            maximum_concurrent_rpcs=2 * limits.concurrent,
        )
        for service, requests in _REQUESTS.items():
            handlers = {name: self._handler(name, request) for name, request in requests.items()}
            self._server.add_generic_rpc_handlers(
                (grpc.method_handlers_generic_handler(service, handlers),)
            )
        self._server.add_generic_rpc_handlers((_health_handler(self._health),))
        await self.report(False)
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        address = f"{host}:{settings.grpc_port}"
        if settings.ssl is None:
            return self._server.add_insecure_port(address)
        return self._server.add_secure_port(address, _credentials(settings.ssl))

    async def start(self) -> None:
        """Begin to answer."""
        await self._server.start()

    async def report(self, ready: bool) -> None:
        """What the health service says from now on."""
        status = health_pb2.HealthCheckResponse
        for name in HEALTH_NAMES:
            await self._health.set(name, status.SERVING if ready else status.NOT_SERVING)

    async def stop(self, seconds: float) -> None:
        """Take no more requests, and wait so long for those in flight."""
        await self._health.enter_graceful_shutdown()
        await self._server.stop(seconds)
        self._reloads.stop()

    def _handler(self, method: str, request: type) -> grpc.RpcMethodHandler:
        """A unary method, handled as one whose messages are read by us: with a deadline, in bytes.

        On the wire the two are the same. So a sender that stalls holds no thread, and what cannot
        be parsed is the sender's mistake, not ours.
        """

        async def behaviour(_: Any, context: grpc.aio.ServicerContext) -> bytes:
            call = Call("GRPC", method)
            try:
                with self._parts.monitoring.counting(call):
                    return await self._reply(call, request, context)
            except RequestError as error:
                await _refuse(context, error)

        return grpc.stream_unary_rpc_method_handler(behaviour)

    async def _reply(self, call: Call, request_type: type, context: Any) -> bytes:
        header = dict(context.invocation_metadata() or ()).get("authorization", "")
        self._parts.authorize(str(header).encode(), "the metadata `authorization: Bearer TOKEN`")
        with self._parts.buffered.hold() as held:
            body = await _read(context, self._parts.settings.limits)
            held.take(len(body))
            call.arrived()
            return await self._answer(call, request_type, body, context)

    async def _answer(self, call: Call, request_type: type, body: bytes, context: Any) -> bytes:
        function: Callable = getattr(self._answers, _snake(call.method))

        def compute() -> bytes:
            try:
                request = request_type.FromString(body)
            except DecodeError as error:
                raise RequestError(
                    "INVALID_ARGUMENT", f"The message is no {request_type.DESCRIPTOR.name}."
                ) from error
            return function(request, call).SerializeToString()

        if call.method in _AT_ONCE:
            return compute()
        work = self._reloads if call.method == _RELOAD else self._parts.work
        return await work.do(compute, context.time_remaining())


async def _read(context: grpc.aio.ServicerContext, limits: Limits) -> bytes:
    """The request's one message.

    Raises: RequestError where it does not come in time, or not at all.
    """
    try:
        async with asyncio.timeout(limits.receive_seconds):
            body = await context.read()
    except TimeoutError as error:
        raise RequestError(
            "DEADLINE_EXCEEDED", f"No request arrived within {limits.receive_seconds:g} seconds."
        ) from error
    if body is grpc.aio.EOF:
        raise RequestError("INVALID_ARGUMENT", "The call carries no request.")
    return body


async def _refuse(context: grpc.aio.ServicerContext, error: RequestError) -> None:
    try:
        await context.abort(grpc.StatusCode[error.code], str(error))
    except grpc.aio.InternalError as gone:  # the caller has hung up: nobody to say it to
        raise asyncio.CancelledError from gone


def _health_handler(servicer: health.aio.HealthServicer) -> grpc.GenericRpcHandler:
    """gRPC's own service; what is no request of its asks for a service that there is not.

    Without Watch, for which its protocol has clients take UNIMPLEMENTED and ask Check: a call that
    never ends keeps one of the places for calls, and the server from stopping.
    """

    def parsed(body: bytes) -> health_pb2.HealthCheckRequest:
        try:
            return health_pb2.HealthCheckRequest.FromString(body)
        except DecodeError:  # the library would answer UNKNOWN, and log a failure of ours
            return health_pb2.HealthCheckRequest(service="?")

    written = health_pb2.HealthCheckResponse.SerializeToString
    check = grpc.unary_unary_rpc_method_handler(servicer.Check, parsed, written)
    return grpc.method_handlers_generic_handler(health.SERVICE_NAME, {"Check": check})


def _snake(method: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in method).lstrip("_")


def _credentials(ssl: Ssl) -> grpc.ServerCredentials:
    return grpc.ssl_server_credentials(
        [(ssl.server_key.encode(), ssl.server_cert.encode())],
        root_certificates=ssl.custom_ca.encode() if ssl.custom_ca else None,
        require_client_auth=ssl.client_verify,
    )
