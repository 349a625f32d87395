"""What every executor is, and where it gets its tasks from."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tfkit.search.work import Outcome, Task, note_end

POLL_SECONDS = 0.5  # between two looks where there is nothing to do now but may be later
MOST_DEATHS = 3  # of workers over one task: by then it is the task that kills them
GRACE_SECONDS = 30  # that a task may overrun its time-out before its worker is killed


class Queue(ABC):
    """Tasks to run, and who wants to hear of them."""

    @property
    @abstractmethod
    def done(self) -> bool:
        """Whether no task will come any more and none is out."""

    @abstractmethod
    def next(self) -> Task | None:
        """The next task; None: none now, and none later only where `done` says so."""

    def report(self, task: Task, step: int, value: float) -> bool:
        """Hear the objective of a running task; whether to end it here."""
        return False

    def finished(self, task: Task, outcome: Outcome) -> None:
        """Called by executors when a task has ended."""
        note_end(task, outcome)
        self.hear(task, outcome)

    @abstractmethod
    def hear(self, task: Task, outcome: Outcome) -> None:
        """Hear how a task ended; may raise, which ends the whole execution."""


class Surroundings(NamedTuple):
    """What an executor may use of the process that owns it.

    Args:
        folder: where workers may write their logs.
        recipe: resolved; most tasks will have the same data.
        source: the loaded data of `recipe`.
        bar: whether to draw progress bars.
    """

    folder: Path
    recipe: Mapping
    source: object
    bar: bool


class Executor(ABC):
    """Runs the tasks of a queue until it is done. Its options are those of the recipe's
    `search.executor`.
    """

    @property
    def workers(self) -> int:
        """How many tasks run at the same time."""
        return 1

    @property
    def threads(self) -> int | None:
        """CPU threads of each task where the recipe says `auto`; None: all of this process's."""
        return None

    @abstractmethod
    def run(self, queue: Queue, around: Surroundings) -> None:
        """Run all tasks. Whatever raises leaves no process behind."""

    def close(self) -> None:  # noqa: B027  (not every executor holds something)
        """Let go of what is held from one `run` to the next."""
