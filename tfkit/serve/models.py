"""The models that a server holds: polled, found, and others taken on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tfkit.serve.folders import ModelConfig
from tfkit.serve.model import Model, Version
from tfkit.serve.status import RequestError

log = logging.getLogger("tfkit.serve")


class Models:
    """All models of a server.

    Args:
        configure: -> the models to serve; asked at every poll, so that a model whose folder appears
            later is served too.
        load: (name, version, folder) -> a warm servable.
        dropped: is told each servable that was let go.
    """

    def __init__(
        self,
        configure: Callable[[], list[ModelConfig]],
        load: Callable[[str, int, Path], Any],
        dropped: Callable[[Any], None] = lambda servable: None,
    ):
        self._configure = configure
        self._load = load
        self._dropped = dropped
        self._models: dict[str, Model] = {}
        self._changing = threading.Lock()  # of one poll or reload at a time; requests take none
        self._ready = False
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, seconds: float) -> None:
        """Load everything once, then look for changes every so many seconds, 0 for never."""
        self.poll()
        for model in self.served():
            for label, version in model.config.labels.items():
                if version not in model.available:
                    log.warning(
                        "%s: label %s names version %d, which does not answer",
                        *(model.config.name, label, version),
                    )
        if seconds > 0 and not self.interrupted:
            self._thread = threading.Thread(
                target=self._watch, args=(seconds,), name="versions", daemon=True
            )
            self._thread.start()

    @property
    def interrupted(self) -> bool:
        """Whether nothing more is loaded."""
        return self._stop.is_set()

    def interrupt(self) -> None:
        """Load nothing more; what is being loaded is the last."""
        self._stop.set()

    def stop(self) -> None:
        """End the polling, wait for a load under way, and let go of all models."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        with self._changing:
            for model in self._models.values():
                model.stop()

    def poll(self) -> None:
        """Bring models and versions up to date with the folders."""
        with self._changing:
            self._apply(self._configure())
            for model in list(self._models.values()):
                if not self.interrupted:
                    model.poll()

    def reload(self, configs: list[ModelConfig]) -> None:
        """Serve these models from now on, as TF Serving's HandleReloadConfigRequest.

        Raises: RequestError; where a label names a version that does not answer nothing changes,
            where a model does not load the others do.
        """
        with self._changing:
            if self.interrupted:
                raise RequestError("UNAVAILABLE", "The server is stopping.")
            self._check_labels(configs)
            self._configure = lambda: configs
            self._apply(configs)
            for model in self._models.values():
                model.poll()
        folders = {config.name: config.folder for config in configs}
        broken = [
            name
            for name, model in self._models.items()
            if not model.ready or model.config.folder != folders[name]
        ]
        if broken:
            raise RequestError(
                "UNKNOWN", f"{len(broken)} servable(s) did not become available: {self.why(broken)}"
            )

    def find(self, name: str, version: int | None = None, label: str | None = None) -> Any:
        """The servable that answers a request.

        Raises: RequestError in TF Serving's words.
        """
        return self._model(name, version).find(version, label)

    def status(
        self, name: str, version: int | None = None, label: str | None = None
    ) -> list[Version]:
        """What became of one version of a model, or of all of them, newest first.

        Raises: RequestError, NOT_FOUND.
        """
        model = self._models.get(name)
        if model is None or not model.versions:
            raise RequestError("NOT_FOUND", f"Could not find any versions of model {name}")
        if label:
            if label not in model.config.labels:
                raise RequestError(
                    "INVALID_ARGUMENT", f"Unrecognized servable version label: {label}"
                )
            version = model.config.labels[label]
        found = [known for known in model.versions if known.number == version]
        if not found and not version:  # none was named; OpenVINO's client says so by version 0
            return model.versions[::-1]
        if not found:
            raise RequestError("NOT_FOUND", f"Could not find version {version} of model {name}")
        return found

    def served(self) -> list[Model]:
        """The models, by name."""
        return [model for _, model in sorted(self._models.items())]

    @property
    def ready(self) -> bool:
        """Whether every model had a version that answers at some moment.

        It stays true: a model that appears later, whole or broken, is no reason to send the callers
        of the others away.
        """
        self._ready = self._ready or (bool(self._models) and not self.unready())
        return self._ready

    def unready(self) -> list[str]:
        """The models without a version that answers."""
        return [name for name, model in sorted(self._models.items()) if not model.ready]

    def why(self, names: list[str]) -> str:
        """One clause for each of these models that do not answer."""
        models = self._models
        return "; ".join(models[name].why() for name in names if name in models)

    def _model(self, name: str, version: int | None) -> Model:
        model = self._models.get(name)
        if model is None:
            wanted = f"Latest({name})" if version is None else f"Specific({name}, {version})"
            raise RequestError("NOT_FOUND", f"Servable not found for request: {wanted}")
        return model

    def _apply(self, configs: list[ModelConfig]) -> None:
        """Take on new models and changed options, let go of models that are no longer listed."""
        wanted = {config.name: config for config in configs}
        kept = {}
        for name, config in wanted.items():
            model = self._models.get(name)
            if model is None or model.config.folder != config.folder:
                old, model = model, Model(config, self._load, self._dropped, self._stop.is_set)
                if old is not None:  # moved: the old folder's versions answer until there are new
                    model.poll()
                    if old.ready and not model.ready:
                        log.error("%s stays in %s: %s", name, old.config.folder, model.why())
                        kept[name] = old
                        continue
            model.config = config
            kept[name] = model
        gone = [model for name, model in self._models.items() if kept.get(name) is not model]
        self._models = kept
        for model in gone:
            model.stop()

    def _check_labels(self, configs: list[ModelConfig]) -> None:
        for config in configs:
            known = self._models.get(config.name)
            for label, version in config.labels.items():
                if known and version not in known.available:
                    raise RequestError(
                        "FAILED_PRECONDITION",
                        f"Request to assign label to version {version} of model {config.name}, "
                        f"which is not currently available for inference ({label})",
                    )

    def _watch(self, seconds: float) -> None:
        while not self._stop.wait(seconds):
            try:
                self.poll()
            except Exception:  # the next poll may succeed; until then what is loaded answers
                log.exception("looking for new versions failed")
