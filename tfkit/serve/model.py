"""One model: the versions in its folder, which of them answer, and what became of the others."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfkit.serve.folders import ModelConfig, version_folders
from tfkit.serve.status import RequestError, code_of

log = logging.getLogger("tfkit.serve")
_REMEMBERED = 20  # versions of the past that a status still tells of


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
        dropped: is told each servable that was let go.
        stopped: whether nothing more is to be loaded.
    """

    def __init__(
        self,
        config: ModelConfig,
        load: Callable[[str, int, Path], Any],
        dropped: Callable[[Any], None] = lambda servable: None,
        stopped: Callable[[], bool] = lambda: False,
    ):
        self.config = config
        self._load = load
        self._dropped = dropped
        self._stopped = stopped
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
            if not self._stopped():
                self._try(number, folders[number])
        if any(number in self._available for number in wanted):
            for number in [n for n in self._available if n not in wanted]:
                self._drop(number)
        past = [n for n, v in sorted(self._versions.items()) if not v.servable and n not in wanted]
        for number in past:
            self._versions[number].state = "END"
        for number in past[:-_REMEMBERED]:
            del self._versions[number]

    def why(self) -> str:
        """Why no version answers."""
        name = self.config.name
        failed = [f"{name} version {v.number}: {v.error}" for v in self.versions if v.error]
        return ", ".join(failed) or f"{name}: no version in {self.config.folder}"

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
        look = _look(folder)  # before: it may be completed while loading fails
        try:
            servable = self._load(self.config.name, number, folder)
        except Exception as error:  # a SavedModel is a program: it can fail in any way
            version.state, version.tried = "END", look
            version.code = code_of(error)
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
        servable, version.servable, version.state = version.servable, None, "END"
        self._dropped(servable)
        log.info("%s version %d was let go", self.config.name, number)


def _look(folder: Path) -> tuple:
    """What shows that a version folder was written anew."""
    try:
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        return tuple((str(f), f.stat().st_mtime_ns, f.stat().st_size) for f in files)
    except OSError:  # it is being written this very moment
        return ()
