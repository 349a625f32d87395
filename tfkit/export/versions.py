"""Numbered version folders that appear whole or not at all: NAME/1, NAME/2, …"""

from __future__ import annotations

import gzip
import os
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import filelock

from tfkit.errors import TfkitError

_PATIENCE = 900  # seconds that an exporter waits for another one of the same name


@dataclass
class Draft:
    """A version that is being written under a hidden name.

    Args:
        version: its number.
        folder: where it is written, `NAME/.tmp-<version>`.
        final: where `publish` puts it, `NAME/<version>`.
    """

    version: int
    folder: Path
    final: Path

    @property
    def archive(self) -> Path:
        """The TF-Hub archive, `NAME/<version>.tar.gz`."""
        return self.final.with_name(f"{self.version}.tar.gz")

    def publish(self, *, archive: bool) -> None:
        """Rename to the final names, the folder last: where it is, everything is."""
        if archive:
            partial = self.folder.with_name(f".tmp-{self.version}.tar.gz")
            pack(self.folder, partial)
            os.replace(partial, self.archive)
        os.rename(self.folder, self.final)


@contextmanager
def writing(destination: Path, name: str) -> Iterator[Draft]:
    """Give the next version's draft; one exporter of a name at a time.

    The lock makes the number unique and lets what a killed exporter left behind be swept. Leaving
    the block without `publish` leaves nothing.
    """
    home = destination / name
    try:
        home.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(home / ".lock", timeout=_PATIENCE):
            _sweep(home)
            version = 1 + max(published(home), default=0)
            draft = Draft(version, home / f".tmp-{version}", home / str(version))
            draft.folder.mkdir()
            try:
                yield draft
            finally:
                _sweep(home)
    except filelock.Timeout as error:
        raise TfkitError(f"Another export of {name} has held {home} for too long.") from error
    except OSError as error:
        reason = error.strerror or error
        raise TfkitError(f"The export could not be written to {home}: {reason}.") from error


def published(home: Path) -> list[int]:
    """The version numbers in a model's folder, ascending."""
    return sorted(int(p.name) for p in home.iterdir() if p.name.isdecimal() and p.is_dir())


def pack(folder: Path, archive: Path) -> None:
    """A .tar.gz whose top level is `saved_model.pb` itself (TF-Hub refuses a nested folder).

    Names sorted, times and owners zero: the same export packs to the same bytes.
    """

    def anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.mtime = member.uid = member.gid = 0
        member.uname = member.gname = ""
        return member

    with (
        open(archive, "wb") as file,
        gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for path in sorted(folder.rglob("*")):
            tar.add(path, arcname=str(path.relative_to(folder)), recursive=False, filter=anonymous)


def _sweep(home: Path) -> None:
    """Remove drafts; the lock is held, so nobody is writing them."""
    for path in home.glob(".tmp-*"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
