"""The server: models, the network, threads that compute; started and stopped as one."""

from __future__ import annotations

import atexit
import logging
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tfkit.errors import DataMissing, TfkitError
from tfkit.extras import need
from tfkit.serve.configuration import read_models
from tfkit.serve.folders import ModelConfig, discover
from tfkit.serve.settings import Settings

log = logging.getLogger("tfkit.serve")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_ASIDE = 2  # threads for pages that look at the disk
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
        from tfkit.serve.network import Network
        from tfkit.serve.parts import Parts
        from tfkit.serve.work import Budget, Work

        limits = settings.limits
        self.settings = settings
        self.monitoring = Monitoring(settings.request_log)
        self.models = Models(_Listed(settings), self._load, self._dropped)
        self.work = Work(settings.workers, limits.concurrent)
        self._aside = Work(_ASIDE, limits.concurrent)
        budget = Budget(limits.buffered_bytes)
        parts = Parts(self.models, settings, self.monitoring, self.work, self._aside, budget)
        self._network = Network(parts)

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def rest_port(self) -> int:
        """The port that answers, 0 before the start."""
        return self._network.rest_port

    @property
    def grpc_port(self) -> int:
        """Likewise."""
        return self._network.grpc_port

    def start(self) -> None:
        """Listen, load and warm the models, then say that the server is ready.

        Raises: TfkitError where a port is taken, or no model at all can be loaded.
        """
        if self._network.started:
            raise TfkitError("serve: this server was started already; make another one.")
        # a thread that still loads a model while the interpreter ends would abort the process
        atexit.register(self.stop)
        try:
            self._network.start()
            self.models.start(self.settings.poll_seconds)
        except BaseException:
            self.stop()
            raise
        unready = self.models.unready()
        if self.models.interrupted:
            return
        if len(unready) == len(self.models.served()):
            self.stop()
            raise TfkitError(f"serve: no model could be loaded: {self.models.why(unready)}")
        if unready:
            log.error("not ready: %s", self.models.why(unready))
        if self.settings.host not in _LOOPBACK and not self.settings.token:
            log.warning(
                "whoever reaches %s may ask everything of this server, and have it load any "
                "folder: give it a token (--token-file) or keep its ports from strangers",
                self.settings.host,
            )

    def interrupt(self) -> None:
        """Load no further model, so that a `start` under way comes to its end."""
        self.models.interrupt()

    def stop(self) -> None:
        """Take no more requests, answer those in flight, and let go of the models."""
        self.models.interrupt()
        with ExitStack() as steps:  # backwards, and each whatever became of the one before
            steps.callback(atexit.unregister, self.stop)
            steps.callback(self.monitoring.close)
            steps.callback(self.models.stop)
            steps.callback(self._aside.stop)
            steps.callback(self.work.stop)
            steps.callback(self._network.stop)

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

    def _dropped(self, servable: Any) -> None:
        self.monitoring.forget(servable.name, servable.version, str(servable.folder))


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
