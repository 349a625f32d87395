"""Who works on a trial, and whether that process is still there."""

import os
import socket
import time
import uuid
from functools import cache
from pathlib import Path
from typing import NamedTuple


class Holder(NamedTuple):
    """A process that works on trials.

    Args:
        host: its machine's name, for people.
        machine: what tells machines and containers apart, also those of one name.
        pid: its number there.
        started: when it started, where the system tells: numbers are used again.
        engine: one of several engines in a process.
        time: when it became a holder, by its own clock; for people.
    """

    host: str
    machine: str
    pid: int
    started: str | None
    engine: str
    time: str

    @classmethod
    def here(cls) -> "Holder":
        """A new holder in this process."""
        pid = os.getpid()
        now = time.strftime("%Y-%m-%d %H:%M:%S %z")
        return cls(socket.gethostname(), machine(), pid, started(pid), uuid.uuid4().hex, now)

    def gone(self) -> bool:
        """Whether it is certain that the process is dead; False where it cannot be known."""
        if self.machine != machine() or os.name != "posix":
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass  # it lives and is somebody else's
        now = started(self.pid)
        return now == "dead" or None not in (now, self.started) and now != self.started


@cache
def machine() -> str:
    """This boot of this machine, and the container in it, as far as the system tells."""
    known = [socket.gethostname()]
    try:
        known.append(Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip())
        known.append(os.readlink("/proc/self/ns/pid"))
    except OSError:
        pass
    return " ".join(known)


def started(pid: int) -> str | None:
    """When a process started, in the kernel's ticks; "dead" for one that only waits to be buried;
    None where the system does not tell.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text("ascii", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # behind the name, which may hold anything
    return "dead" if fields[0] in "ZX" else fields[19]
