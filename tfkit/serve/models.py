"""The models that a server holds: folders polled, versions loaded, swapped and found."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfkit.serve.folders import ModelConfig, version_folders
from tfkit.serve.status import RequestError

log = logging.getLogger("tfkit.serve")


@dataclass
class Version:
    """What became of one version of a model.

    Args:
        number: the version.
        state: TF Serving's word: START, LOADING, AVAILABLE, UNLOADING or END.
        servable: while it is AVAILABLE.
        code: canonical, of what kept it from loading.
        error: the message.
        tried: what the folder looked like when loading failed; it is tried again when that changes.
    """

    number: int
    state: str = "START"
    servable: Any = None
    code: str = "OK"
    error: str = ""
    tried: tuple | None = None


class Model:
    """One name, the versions in its folder, and which of them answer.

    New versions are loaded before old ones are let go, and a version that does not load leaves the
    old ones answering. Readers take no lock: they see the versions of before or after a change. A
    request keeps the version that it has found until it is answered.

    Args:
        config: name, folder, policy and labels.
        load: (name, version, folder) -> a warm servable; may raise anything.
    """

    def __init__(self, config: ModelConfig, load: Callable[[str, int, Path], Any]):
        self.config = config
        self._load = load
        self._versions: dict[int, Version] = {}
        self._available: dict[int, Any] = {}

    @property
    def versions(self) -> list[Version]:
        """Every version that was ever wanted, ascending."""
        return [version for _, version in sorted(self._versions.items())]

    @property
    def available(self) -> dict[int, Any]:
        """{version: servable} of those that answer, ascending."""
        return self._available

    @property
    def ready(self) -> bool:
        """Whether there is a version that answers."""
        return bool(self._available)

    def poll(self) -> None:
        """Load what the folder newly offers, then let go of what the policy no longer wants."""
        try:
            folders = version_folders(self.config.folder)
        except OSError as error:  # a share that is away for a moment is no reason to stop answering
            log.warning("%s: the folder cannot be read: %s", self.config.name, error)
            return
        wanted = self.config.policy.chosen(list(folders))
        for number in wanted:
            self._try(number, folders[number])
        if any(number in self._available for number in wanted):
            for number in [n for n in self._available if n not in wanted]:
                self._drop(number)
        for number, version in list(self._versions.items()):
            if version.servable is None and number not in wanted and version.state != "END":
                version.state = "END"

    def stop(self) -> None:
        """Let go of every version."""
        for number in list(self._available):
            self._drop(number)

    def find(self, version: int | None = None, label: str | None = None) -> Any:
        """The servable that answers: of a version, of a label, or the newest.

        Raises: RequestError, NOT_FOUND or INVALID_ARGUMENT, in TF Serving's words.
        """
        available = self._available
        name = self.config.name
        if version is not None and label:
            raise RequestError(
                "INVALID_ARGUMENT",
                f"Both model version ({version}) and model version label ({label}) cannot be "
                "supplied.",
            )
        if label:
            if label not in self.config.labels:
                raise RequestError(
                    "INVALID_ARGUMENT", f"Unrecognized servable version label: {label}"
                )
            version = self.config.labels[label]
        if version is not None and version in available:
            return available[version]
        if not version and available:  # OpenVINO's client says "the newest" by version 0
            return available[max(available)]
        wanted = f"Latest({name})" if version is None else f"Specific({name}, {version})"
        raise RequestError("NOT_FOUND", f"Servable not found for request: {wanted}")

    def _try(self, number: int, folder: Path) -> None:
        version = self._versions.get(number)
        if number in self._available or (version and version.tried == _look(folder)):
            return
        version = self._versions[number] = Version(number, "LOADING")
        try:
            servable = self._load(self.config.name, number, folder)
        except Exception as error:  # a SavedModel is a program: it can fail in any way
            version.state, version.tried = "END", _look(folder)
            version.code = getattr(error, "code", "UNKNOWN")
            version.error = (str(error) or type(error).__name__).splitlines()[0]
            log.error(
                "%s version %d could not be loaded: %s", self.config.name, number, version.error
            )
            return
        version.servable, version.state = servable, "AVAILABLE"
        self._available = dict(sorted({**self._available, number: servable}.items()))
        log.info("%s version %d answers", self.config.name, number)

    def _drop(self, number: int) -> None:
        version = self._versions[number]
        version.state = "UNLOADING"
        self._available = {n: s for n, s in self._available.items() if n != number}
        version.servable, version.state = None, "END"
        log.info("%s version %d was let go", self.config.name, number)


class Models:
    """All models of a server.

    Args:
        configure: -> the models to serve; asked at every poll, so that a model whose folder appears
            later is served too.
        load: (name, version, folder) -> a warm servable.
    """

    def __init__(
        self, configure: Callable[[], list[ModelConfig]], load: Callable[[str, int, Path], Any]
    ):
        self._configure = configure
        self._load = load
        self._models: dict[str, Model] = {}
        self._changing = (
            threading.Lock()
        )  # one poll or reload at a time; requests never wait for it
        self._ready = False
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, seconds: float) -> None:
        """Load everything once, then look for changes every so many seconds, 0 for never."""
        self.poll()
        if seconds > 0:
            self._thread = threading.Thread(
                target=self._watch, args=(seconds,), name="versions", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        """End the polling, wait for a load under way, and let go of all models."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        for model in self._models.values():
            model.stop()

    def poll(self) -> None:
        """Bring models and versions up to date with the folders."""
        with self._changing:
            self._apply(self._configure())
            for model in list(self._models.values()):
                if not self._stop.is_set():
                    model.poll()

    def reload(self, configs: list[ModelConfig]) -> None:
        """Serve these models from now on, as TF Serving's HandleReloadConfigRequest.

        Raises: RequestError; where a label names a version that does not answer nothing changes,
            where a model does not load the others do.
        """
        with self._changing:
            self._check_labels(configs)
            self._configure = lambda: configs
            self._apply(configs)
            for model in self._models.values():
                model.poll()
        broken = [name for name, model in self._models.items() if not model.ready]
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
        return "; ".join(
            ", ".join(
                f"{name} version {version.number}: {version.error}"
                for version in self._models[name].versions
                if version.error
            )
            or f"{name}: no version in {self._models[name].config.folder}"
            for name in names
        )

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
                model = Model(config, self._load)
                if name in self._models:  # moved: the old folder's versions answer until then
                    model.poll()
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


def _look(folder: Path) -> tuple:
    """What shows that a version folder was written anew."""
    try:
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        return tuple((str(f), f.stat().st_mtime_ns, f.stat().st_size) for f in files)
    except OSError:  # it is being written this very moment
        return ()
