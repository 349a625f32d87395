"""The lock of Optuna's journal file, under the name that Optuna's own locks have.

Optuna waits half a minute for a lock that a killed process has left. This one says whose it is, so
that on the same machine a dead process's lock is known at once.
"""

import contextlib
import json
import os
import random
import time
import uuid
from pathlib import Path

from tfkit.search.engines.holder import Holder

GRACE_SECONDS = 30.0  # after which a lock of which nothing is known counts as left behind
PAUSES = (0.001, 0.05)  # seconds between two attempts: the first, and the longest


class JournalLock:
    """A file that is created exclusively, also on network file systems that lack other locks."""

    def __init__(self, journal: Path):
        self.path = journal.with_name(f"{journal.name}.lock")
        self.text = json.dumps(Holder.here()._asdict())

    def acquire(self) -> None:
        """Wait until the lock is this process's."""
        pause, longest = PAUSES
        seen, since = None, time.monotonic()
        while not self.create():
            known = read(self.path)
            if known != seen:
                seen, since = known, time.monotonic()
            late = time.monotonic() - since > GRACE_SECONDS
            if known is not None and (late or left_behind(known[0])):
                self.take_away(known)
                continue
            time.sleep(pause * random.uniform(0.5, 1))
            pause = min(2 * pause, longest)

    def create(self) -> bool:
        """One attempt."""
        try:
            with open(self.path, "x", encoding="utf-8") as file:
                file.write(self.text)
        except FileExistsError:
            return False
        return True

    def take_away(self, known: tuple[str, int]) -> None:
        """Remove a lock that was left behind, unless it is another one by now."""
        aside = self.path.with_name(f"{self.path.name}.{uuid.uuid4().hex}")
        try:
            self.path.rename(aside)
        except FileNotFoundError:
            return
        if read(aside) != known:
            with contextlib.suppress(OSError):
                os.link(aside, self.path)  # a living one's: back with it
        aside.unlink()

    def release(self) -> None:
        """Give it back, if others have not taken it for a dead one's."""
        known = read(self.path)
        if known is not None and known[0] == self.text:
            self.path.unlink(missing_ok=True)


def read(path: Path) -> tuple[str, int] | None:
    """What a lock says, and when it was written; None where there is none."""
    try:
        return path.read_text(encoding="utf-8", errors="replace"), path.lstat().st_mtime_ns
    except OSError:
        return None


def left_behind(text: str) -> bool:
    """Whether a lock's process is certainly dead."""
    try:
        return Holder(**json.loads(text)).gone()
    except (ValueError, TypeError):
        return False
