"""What runs on the nodes of a Ray cluster: a task, and the mailbox between it and its owner."""

import asyncio
import contextlib
import os
import socket
import sys
import time
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tfkit.errors import UsageError
from tfkit.version import __version__

FOLDER_SECONDS = 15.0  # until a new folder of a network's disk is visible everywhere


class Home(NamedTuple):
    """The process that owns the search, as far as a node must resemble it."""

    version: str
    cwd: str
    paths: tuple[str, ...]
    environment: dict[str, str]

    @classmethod
    def here(cls) -> "Home":
        """This process."""
        own = {name: value for name, value in os.environ.items() if name.startswith("TFKIT_")}
        paths = tuple(path or os.getcwd() for path in sys.path)
        return cls(__version__, os.getcwd(), paths, own)

    def enter(self) -> None:
        """Find modules, relative paths and data as the owner does."""
        if self.version != __version__:
            raise UsageError(
                f"search.executor: node {socket.gethostname()} has tfkit {__version__}, this "
                f"machine {self.version}; install the same version on all nodes."
            )
        os.environ.update(self.environment)
        sys.path.extend(path for path in self.paths if path not in sys.path)
        with contextlib.suppress(OSError):
            os.chdir(self.cwd)


class Mailbox:
    """An actor that carries reports to the owner and verdicts back; neither has to poll."""

    def __init__(self):
        self.letters: list[tuple] = []
        self.arrived = asyncio.Event()
        self.waiting: dict[str, asyncio.Future] = {}

    async def post(self, attempt: str, kind: str, *content) -> None:
        """Leave a letter for the owner."""
        self.letters.append((attempt, kind, *content))
        self.arrived.set()

    async def ask(self, attempt: str, step: int, value: float) -> bool:
        """Leave a report, and wait for whether the task is to end."""
        self.waiting[attempt] = asyncio.get_running_loop().create_future()
        await self.post(attempt, "report", step, value)
        return await self.waiting[attempt]

    async def collect(self, seconds: float) -> list[tuple]:
        """All letters, as soon as there is one, or none after a while."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.arrived.wait(), seconds)
        self.arrived.clear()
        letters, self.letters = self.letters, []
        return letters

    async def answer(self, attempt: str, verdict: bool) -> None:
        """The owner's answer to a report."""
        if not self.waiting[attempt].done():
            self.waiting[attempt].set_result(verdict)


@cache
def sources():
    """The data that this worker process loaded last."""
    from tfkit.search.work import Sources

    return Sources()


def perform_here(task, attempt: str, mailbox, home: Home):
    """Do a task on this node; its outcome."""
    import ray
    from ray.exceptions import RayActorError

    home.enter()
    find_folder(Path(task.folder))
    from tfkit.search.work import perform

    def report(step: int, value: float) -> bool:
        try:
            return ray.get(mailbox.ask.remote(attempt, step, value))
        except RayActorError:  # the mailbox's node died: nobody to ask, so go on
            return False

    with contextlib.suppress(RayActorError):
        ray.get(mailbox.post.remote(attempt, "started"))
    return perform(task, sources(), report)


def find_folder(folder: Path) -> None:
    """The task's folder, which the owner has just written to."""
    end = time.monotonic() + FOLDER_SECONDS
    while not (folder / "resolved.yaml").exists():
        if time.monotonic() > end:
            raise UsageError(
                f"search.executor: {folder} is not visible on node {socket.gethostname()}; keep "
                "runs in a folder that all nodes share under the same path."
            )
        time.sleep(0.2)
