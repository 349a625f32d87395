"""Leases: which process has which trial, and when another one may take it over.

A lease has a generation. Generation g + 1 can be created by exactly one process, and only once g
is over: released, its process dead on this machine, or its heartbeat too old.
"""

import json
import os
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Hashable
from pathlib import Path
from typing import NamedTuple

from optuna.trial import FrozenTrial

from tfkit.search.engines.holder import Holder

FIRST = "lease.0"  # the attribute that says in the storage who created a trial


class Lease(NamedTuple):
    """The newest lease of a trial; generation -1: none was made yet, `holder` created the trial."""

    generation: int
    holder: Holder | None
    age: float  # seconds since its heartbeat


class Leases(ABC):
    """The leases of one engine, kept alive by one thread.

    Args:
        seconds: without a heartbeat after which a lease is over.
    """

    def __init__(self, seconds: float):
        self.seconds, self.me = seconds, Holder.here()
        self.held: dict[int, tuple[int, int]] = {}  # trial's number -> generation, storage's id
        self.seen: dict[int, tuple[Hashable, float]] = {}
        self.lock, self.closed = threading.RLock(), threading.Event()
        self.thread: threading.Thread | None = None

    @abstractmethod
    def newest(self, trial: FrozenTrial) -> Lease:
        """The trial's newest lease."""

    @abstractmethod
    def create(self, trial: FrozenTrial, generation: int) -> bool:
        """Make that generation's lease this engine's; False where another process has it."""

    @abstractmethod
    def beat(self, number: int) -> None:
        """Say that this engine still works on a trial."""

    @abstractmethod
    def release(self, number: int) -> None:
        """Say that it does not any more, and that the trial may be taken over."""

    @abstractmethod
    def remove(self, number: int) -> None:
        """Drop all leases of a trial that has ended."""

    def take(self, trial: FrozenTrial) -> bool:
        """Take a trial over, if its lease is over and this engine is the first to see it."""
        if trial.number in self.held:
            return False
        lease = self.newest(trial)
        over = lease.age > self.seconds or (lease.holder is not None and lease.holder.gone())
        return over and self.hold(trial, lease.generation + 1)

    def hold(self, trial: FrozenTrial, generation: int = 0) -> bool:
        """Create a lease and keep it alive from here on."""
        if not self.create(trial, generation):
            return False
        with self.lock:
            self.held[trial.number] = generation, trial._trial_id
            if self.thread is None:
                self.thread = threading.Thread(target=self.keep_alive, daemon=True)
                self.thread.start()
        return True

    def lost(self, trial: FrozenTrial) -> bool:
        """Whether another process took the trial over."""
        return trial.number not in self.held or (
            self.newest(trial).generation > self.held[trial.number][0]
        )

    def drop(self, number: int, how) -> None:
        """Hold a trial no longer; `how` is one of `release`, `remove`, None (it is another's)."""
        with self.lock:
            if number in self.held and how is not None:
                how(number)
            self.held.pop(number, None)

    def keep_alive(self) -> None:
        """The thread: a heartbeat for all that is held, four in a lease."""
        while not self.closed.wait(self.seconds / 4):
            with self.lock:
                for number in [] if self.closed.is_set() else list(self.held):
                    try:
                        self.beat(number)
                    except Exception:  # a storage may be away for a moment
                        continue

    def close(self) -> None:
        """Release everything."""
        self.closed.set()
        for number in list(self.held):
            try:
                self.drop(number, self.release)
            except Exception:  # what cannot be released expires
                continue

    def watched(self, number: int, state: Hashable) -> float:
        """For how long this process has seen a lease unchanged: no other clock is asked."""
        known, since = self.seen.setdefault(number, (state, time.monotonic()))
        if known != state:
            since = time.monotonic()
            self.seen[number] = state, since
        return time.monotonic() - since


def first_lease(holder: Holder) -> dict:
    """The attributes that a trial is created with."""
    return {FIRST: {"holder": holder._asdict(), "beat": 0}}


def creator(trial: FrozenTrial) -> Holder | None:
    """Who created a trial, from its attributes."""
    known = trial.user_attrs.get(FIRST)
    return Holder(**known["holder"]) if known else None


class FileLeases(Leases):
    """Leases as files `<number>.<generation>` in a folder that all processes share.

    A file is created exclusively, its time of change is the heartbeat, and the folder's own clock
    says how old that is: a file touched beside it.
    """

    def __init__(self, seconds: float, folder: Path):
        super().__init__(seconds)
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.probe = folder, folder / "probe"

    def path(self, number: int, generation: int) -> Path:
        """The file of a lease."""
        return self.folder / f"{number:04d}.{generation}"

    def generations(self, number: int) -> list[int]:
        """The leases that there are."""
        return sorted(int(p.suffix[1:]) for p in self.folder.glob(f"{number:04d}.*"))

    def newest(self, trial: FrozenTrial) -> Lease:
        """The file of the highest generation."""
        generations = self.generations(trial.number)
        if not generations:
            return Lease(-1, creator(trial), self.watched(trial.number, None))
        try:
            # a network's folder gives a file's time of change afresh only when it is opened
            with open(self.path(trial.number, generations[-1]), encoding="utf-8") as file:
                text, beaten = file.read(), os.fstat(file.fileno()).st_mtime
        except FileNotFoundError:
            return Lease(generations[-1], None, 0.0)  # it ended just now
        return Lease(generations[-1], parsed(text), self.now() - beaten)

    def now(self) -> float:
        """The folder's time."""
        self.probe.touch()
        with open(self.probe, "rb") as file:
            return os.fstat(file.fileno()).st_mtime

    def create(self, trial: FrozenTrial, generation: int) -> bool:
        """Exclusive creation, which a file system grants to one alone."""
        try:
            with open(self.path(trial.number, generation), "x", encoding="utf-8") as file:
                file.write(json.dumps(self.me._asdict()))
        except FileExistsError:
            return False
        return True

    def beat(self, number: int) -> None:
        """Touch the file."""
        os.utime(self.path(number, self.held[number][0]))

    def release(self, number: int) -> None:
        """A heartbeat of long ago."""
        os.utime(self.path(number, self.held[number][0]), (0, 0))

    def remove(self, number: int) -> None:
        """Delete the files; the newest goes last, so that none looks open in between."""
        for generation in self.generations(number):
            self.path(number, generation).unlink(missing_ok=True)


def parsed(text: str) -> Holder | None:
    """The holder that a lease's file names; None for one that was cut short."""
    try:
        return Holder(**json.loads(text))
    except (ValueError, TypeError):
        return None
