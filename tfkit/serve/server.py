"""The server: models, a loop that talks REST and gRPC, threads that compute."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from pathlib import Path
from typing import Any

from tfkit.errors import DataMissing, TfkitError
from tfkit.extras import need
from tfkit.serve.configuration import read_models
from tfkit.serve.folders import ModelConfig, discover
from tfkit.serve.settings import Settings

log = logging.getLogger("tfkit.serve")
_PACKAGES = ("uvicorn", "httptools", "starlette", "prometheus_client", "grpc_health.v1.health")


class Server:
    """Answers like TensorFlow Serving, over REST and gRPC.

        with Server(Settings(path="savedmodels", rest_port=0, grpc_port=0)) as server:
            Client(f"http://127.0.0.1:{server.rest_port}").predict("shapes", images)

    A SavedModel is a program: serve only those that you trust.

    Args:
        settings: what is served, where and within which limits.
    Raises: UsageError where a package is missing, DataMissing where there is no model.
    """

    def __init__(self, settings: Settings):
        need("tfkit serve", "serving", *_PACKAGES)
        from tfkit.serve.models import Models
        from tfkit.serve.monitoring import Monitoring
        from tfkit.serve.work import Work

        self.settings = settings
        self.monitoring = Monitoring(settings.request_log)
        self.models = Models(_Listed(settings), self._load)
        self.work = Work(settings.workers, settings.limits.concurrent)
        self.rest_port = self.grpc_port = 0
        self._loop = asyncio.new_event_loop()
        self._http: Any = None
        self._grpc: Any = None
        self._thread = threading.Thread(target=self._talk, name="network", daemon=True)
        self._listening = threading.Event()
        self._ending = asyncio.Event()
        self._failure: Exception | None = None

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen, load and warm the models, then say that the server is ready.

        Raises: TfkitError where a port is taken, or no model at all can be loaded.
        """
        self._thread.start()
        self._listening.wait()
        if self._failure is not None:
            raise self._failure
        try:
            self.models.start(self.settings.poll_seconds)
        except BaseException:
            self.stop()
            raise
        unready = self.models.unready()
        if len(unready) == len(self.models.served()):
            self.stop()
            raise TfkitError(f"serve: no model could be loaded: {self.models.why(unready)}")
        if unready:
            log.error("not ready: %s", self.models.why(unready))

    def stop(self) -> None:
        """Take no more requests, answer those in flight, and let go of the models."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ending.set)
            self._thread.join()
        self.work.stop()
        self.models.stop()

    def ready_line(self) -> dict[str, Any]:
        """The ports, and every version that answers."""
        return {
            "rest_port": self.rest_port,
            "grpc_port": self.grpc_port,
            "models": [
                {"name": model.config.name, "version": number}
                for model in self.models.served()
                for number in model.available
            ],
        }

    def _load(self, name: str, number: int, folder: Path) -> Any:
        """A warm version. What fails here is not served."""
        from tfkit.serve.servable import Servable
        from tfkit.serve.warming import warm_up

        servable = Servable(name, number, folder, self.settings.batching, self.monitoring.ran)
        start, records, status = time.perf_counter(), 0, "UNKNOWN"
        try:
            records = warm_up(servable)
            status = "OK"
        finally:
            self.monitoring.warmed(str(folder), status, records, time.perf_counter() - start)
        return servable

    def _talk(self) -> None:
        """The network thread."""
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        except Exception as error:
            self._failure = error
        finally:
            self._listening.set()
            self._loop.close()

    async def _serve(self) -> None:
        from tfkit.serve import http_server
        from tfkit.serve.grpc_service import GrpcSide
        from tfkit.serve.http_app import application

        given = (self.models, self.settings, self.monitoring, self.work)
        listener = http_server.listen(self.settings.host, self.settings.rest_port)
        self._http = http_server.server(application(*given), self.settings)
        self._grpc = GrpcSide(*given)
        try:
            self.grpc_port = await self._grpc.listen()
        except RuntimeError as error:
            listener.close()
            raise TfkitError(
                f"serve: {self.settings.host}:{self.settings.grpc_port} cannot be listened on; "
                "choose another --grpc-port, or 0 for any free one."
            ) from error
        self.rest_port = listener.getsockname()[1]
        await self._grpc.start()
        serving = asyncio.create_task(self._http.serve(sockets=[listener]))
        watching = asyncio.create_task(self._watch())
        while not self._http.started and not serving.done():
            await asyncio.sleep(0.01)
        self._listening.set()
        await self._ending.wait()
        watching.cancel()
        self._http.should_exit = True
        # both, before the loop may end: whoever were left would wait for it for ever
        await asyncio.gather(serving, self._grpc.stop(self.settings.grace_seconds))

    async def _watch(self) -> None:
        """Keep gRPC's health service true."""
        said = None
        while True:
            ready = self.models.ready
            if ready != said:
                await self._grpc.report(ready)
                said = ready
            await asyncio.sleep(0.1)


class _Listed:
    """The models to serve, as they are listed or found at this moment.

    What was found once stays, for a folder that is away for a moment is no reason to stop.
    """

    def __init__(self, settings: Settings):
        self._path = settings.path
        found = read_models(settings.config) if settings.config else discover(settings.path)
        self._known = {config.name: config for config in found}

    def __call__(self) -> list[ModelConfig]:
        if self._path is not None:
            try:
                found = discover(self._path)
            except (DataMissing, OSError):
                found = []
            self._known = {**{config.name: config for config in found}, **self._known}
        return list(self._known.values())
