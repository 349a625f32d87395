"""Optuna storages: a journal file or a database, opened or refused in one sentence."""

import contextlib
import json
import os
import re
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import optuna
from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, JournalStorage, RDBStorage, get_storage
from optuna.storages.journal import JournalFileBackend
from sqlalchemy.engine import make_url
from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError

from tfkit.errors import TfkitError, UsageError
from tfkit.search.engines.journal_lock import JournalLock

OPTION = "search.engine.storage"
PACKAGES = {"psycopg2": "psycopg2-binary", "psycopg": "'psycopg[binary]'", "MySQLdb": "mysqlclient"}
CONNECT_SECONDS = 10  # for a server to answer; a dead one would be waited for minutes
SQLITE_SECONDS = 60  # that a process waits for another one's writing
TRIES = 10  # to create the tables, which several processes may attempt at once


class WholeLines(JournalFileBackend):
    """Optuna's journal file, except that what a dying process leaves behind harms nobody: a line
    that was cut short costs that line only, its lock is taken away.
    """

    def __init__(self, path: Path):
        self.path, self.lock = path, JournalLock(path)
        super().__init__(str(path))

    def append_logs(self, logs: list[dict]) -> None:
        """Append whole lines behind whole lines, in one piece, and see them to the disk."""
        lines = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs)
        self.lock.acquire()
        try:
            with open(self.path, "rb+") as file:
                cut(file)
            with open(self.path, "ab", buffering=0) as file:
                file.write(lines.encode())
                os.fsync(file.fileno())
        finally:
            self.lock.release()


def cut(file) -> None:
    """Drop what follows the last whole line."""
    end = file.seek(0, os.SEEK_END)
    if end == 0:
        return
    file.seek(end - 1)
    if file.read(1) != b"\n":
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)


def open_storage(place: str) -> BaseStorage:
    """The storage at a path or a database URL; raises `UsageError` where there can be none."""
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)  # its messages are ours to give
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return open_database(place) if is_url(place) else open_journal(Path(place).expanduser())


def is_url(place: str) -> bool:
    """Whether a storage is a database."""
    return "://" in place


def shown(place: str) -> str:
    """A storage as messages name it: without its password."""
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", place)


def open_journal(path: Path) -> BaseStorage:
    """Optuna's journal file, begun where there is none."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("ab").close()
        return JournalStorage(WholeLines(path))
    except OSError as error:
        why = error.strerror or error
        raise UsageError(f"{OPTION}: the journal {path} cannot be written: {why}.") from error
    except (ValueError, KeyError, TypeError, AssertionError) as error:
        raise UsageError(f"{OPTION}: {path} is no journal of Optuna; name another file.") from error


def open_database(url: str) -> BaseStorage:
    """An Optuna storage in a database, its tables made where there are none."""
    for attempt in range(TRIES):
        try:
            return get_storage(RDBStorage(url, engine_kwargs=connection(url)))
        except NoSuchModuleError as error:
            what = "sqlite:///, postgresql:// or mysql://, or the path of a journal file"
            raise UsageError(
                f"{OPTION}: {shown(url)} is no database that SQLAlchemy knows; give {what}."
            ) from error
        except ImportError as error:
            raise UsageError(missing_driver(url, error)) from error
        except (SQLAlchemyError, StorageInternalError, RuntimeError) as error:
            if attempt + 1 == TRIES or not raced(error):
                raise UsageError(
                    f"{OPTION}: {shown(url)} cannot be used: {reason(error)}."
                ) from error
            time.sleep(0.1 * (attempt + 1))
    raise AssertionError("the last attempt returns or raises")


def connection(url: str) -> dict:
    """Waits neither too short nor too long."""
    driver = make_url(url).get_driver_name()
    if driver == "pysqlite":
        return {"connect_args": {"timeout": SQLITE_SECONDS}}
    if driver in ("psycopg2", "psycopg", "pymysql", "mysqldb"):
        return {"connect_args": {"connect_timeout": CONNECT_SECONDS}, "pool_pre_ping": True}
    return {"pool_pre_ping": True}


def missing_driver(url: str, error: ImportError) -> str:
    """Which package to install for a database."""
    name = getattr(error.__cause__, "name", None) or getattr(error, "name", None) or "a driver"
    package = PACKAGES.get(name, name)
    return f"{OPTION}: {shown(url)} needs the Python package {name}: pip install {package}"


def raced(error: Exception) -> bool:
    """Whether another process was just creating the same tables."""
    words = ("already exists", "unique constraint", "duplicate", "is locked")
    return any(word in str(error).lower() for word in words)


def reason(error: BaseException) -> str:
    """What a database said, in one line."""
    inner = error
    while (further := getattr(inner, "orig", None) or inner.__cause__) is not None:
        inner = further
    text = getattr(inner, "strerror", None) or str(inner)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (lines or [type(inner).__name__])[0].rstrip(".")


@contextlib.contextmanager
def reaching(place: str) -> Iterator[None]:
    """Say in one sentence that a storage does not answer any more; keep Optuna's warnings in."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except (StorageInternalError, SQLAlchemyError, OSError) as error:
            raise TfkitError(
                f"{OPTION}: {shown(place)} cannot be reached any more: {reason(error)}. "
                "The same command goes on where this one stops."
            ) from error
