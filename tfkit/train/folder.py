"""The run folder: one experiment on disk, never overwritten, one process at a time."""

import json
import os
import socket
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from tfkit.errors import Busy, UsageError
from tfkit.train.interruption import disk_error


def write_atomically(
    path: Path, content: str | bytes | memoryview, *, shared: bool = False
) -> None:
    """Write beside `path`, then rename: a reader or a kill never meets half a file, and a full disk
    is not kept full by one.

    Args:
        path: the file.
        content: all of it.
        shared: whether several processes may write the file at the same time; the last one wins.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = f".{socket.gethostname()}-{os.getpid()}" if shared else ""
    temporary = path.with_name(f".{path.name}{writer}.tmp")
    try:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)
        os.replace(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def write_json(path: Path, value, *, shared: bool = False) -> None:
    """Write `value` as indented JSON, atomically."""
    text = json.dumps(value, indent=1, ensure_ascii=False) + "\n"
    write_atomically(path, text, shared=shared)


def read_json(path: Path, default=None):
    """What the JSON file holds, or `default` where there is no such file."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else default


class RunFolder:
    """One run on disk.

    Holds `recipe.yaml resolved.yaml provenance.json metrics.jsonl timing.jsonl checkpoints/
    final.weights.h5 evaluation.json figures/ report.html` and arrays that the method's room keeps
    for comparisons (`*.npz`), for a search `search/`, and for several training replicates
    `replicates/<seed>/`, each a run folder of its own.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)

    @classmethod
    def create(cls, root: str | os.PathLike, name: str, recipe_hash: str) -> "RunFolder":
        """Make `<root>/<name>/<date>-<time>-<hash>`, numbered where that is taken."""
        parent = Path(root) / name
        parent.mkdir(parents=True, exist_ok=True)
        stem = f"{datetime.now():%Y%m%d-%H%M%S}-{recipe_hash}"
        number = 1
        while True:
            path = parent / (stem if number == 1 else f"{stem}-{number}")
            try:
                path.mkdir()
                return cls(path)
            except FileExistsError:
                number += 1

    @classmethod
    def join(cls, root: str | os.PathLike, name: str, identity: str) -> "RunFolder":
        """`<root>/<name>/<identity>`, which every process that means the same work finds."""
        path = Path(root) / name / identity
        path.mkdir(parents=True, exist_ok=True)
        return cls(path)

    @classmethod
    def open(cls, path: str | os.PathLike) -> "RunFolder":
        """An existing run folder; a `UsageError` says what is missing where it is none."""
        folder = cls(path)
        if not folder.path.is_dir():
            raise UsageError(f"{path}: there is no such run folder.")
        if not folder.resolved.is_file():
            raise UsageError(f"{path}: not a run folder, it holds no resolved.yaml.")
        return folder

    def part(self, *names: str) -> "RunFolder":
        """A run folder inside this one: a trial of its search or a replicate; made if missing."""
        path = self.path.joinpath(*names)
        path.mkdir(parents=True, exist_ok=True)
        return RunFolder(path)

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def __str__(self) -> str:
        return str(self.path)

    @property
    def resolved(self) -> Path:
        """The recipe with every key explicit."""
        return self.path / "resolved.yaml"

    @property
    def weights(self) -> Path:
        """Written once training is over; says that it is."""
        return self.path / "final.weights.h5"

    @property
    def evaluation(self) -> Path:
        """Written once the run is evaluated; says that it is."""
        return self.path / "evaluation.json"

    def write_recipe(self, recipe, *, given: bool = True) -> None:
        """Write `resolved.yaml` and, unless nobody gave it, `recipe.yaml` as it was given; once."""
        if given and not (self / "recipe.yaml").exists():
            write_atomically(self / "recipe.yaml", recipe.raw_text, shared=True)
        if not self.resolved.exists():
            write_atomically(self.resolved, recipe.dump(), shared=True)

    def rewrite_recipe(self, recipe) -> None:
        """Replace `resolved.yaml` by that of a recipe whose run goes further than planned."""
        write_atomically(self.resolved, recipe.dump())

    def provenance(self) -> dict:
        """What `provenance.json` holds so far."""
        return read_json(self / "provenance.json", {})

    def record(self, **entries) -> None:
        """Add `entries` to `provenance.json`."""
        write_json(self / "provenance.json", {**self.provenance(), **entries}, shared=True)

    @contextmanager
    def lock(self, wait: float = 0):
        """Hold the folder for this process; the system lets go when it dies.

        Args:
            wait: seconds to wait for another process that is about to let go.
        """
        lock = FileLock(self.path / ".lock", timeout=wait)
        try:
            lock.acquire()
        except Timeout:
            raise Busy(
                f"{self.path}: another process is at work in this run folder; "
                "wait for it to end, or stop it."
            ) from None
        except OSError as error:
            raise disk_error(error, self.path) from error
        try:
            yield
        finally:
            lock.release()
