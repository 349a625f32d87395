"""Executors run the trials that an engine proposes."""

import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tfkit.errors import DataMissing, Diverged, UsageError
from tfkit.search.engines.base import Engine, Status, Trial

MOST_FAILURES = 3  # in a row: by then it is the recipe that fails, not the values


class Outcome(NamedTuple):
    """What became of a trial: its objective where it completed, the traceback where it failed."""

    status: Status
    objective: float | None
    seconds: float
    error: str = ""


class Executor(ABC):
    """Runs trials until the engine has no more.

    Args:
        job: (trial) -> objective; trains one trial and measures it, resuming what it finds.
        folder: (trial) -> the trial's folder, where `error.txt` goes.
        report: told of every trial and its outcome.
    """

    def __init__(
        self,
        job: Callable[[Trial], float],
        folder: Callable[[Trial], Path],
        report: Callable[[Trial, Outcome], None],
    ):
        self.job, self.folder, self.report = job, folder, report

    @abstractmethod
    def run(self, engine: Engine) -> None:
        """Ask, run and tell until the engine is done."""


class InProcess(Executor):
    """One trial after the other in this process, which has TensorFlow loaded already."""

    def run(self, engine: Engine) -> None:
        """Stops early, with the last traceback's message, where every trial fails."""
        failures = 0
        while (trial := engine.ask()) is not None:
            outcome = self.attempt(trial)
            engine.tell(trial.id, outcome.objective, status=outcome.status)
            self.report(trial, outcome)
            failures = failures + 1 if outcome.status == "failed" else 0
            if failures == MOST_FAILURES:
                last = outcome.error.strip().splitlines()[-1]
                raise UsageError(
                    f"search: {failures} trials in a row failed, the last with\n  {last}\n"
                    f"Its traceback is in {self.folder(trial) / 'error.txt'}."
                )

    def attempt(self, trial: Trial) -> Outcome:
        """Run one trial and catch what is its own fault."""
        started = time.perf_counter()

        def outcome(status, objective=None, error=""):
            return Outcome(status, objective, time.perf_counter() - started, error)

        try:
            return outcome("completed", self.job(trial))
        except Diverged as error:
            return outcome("diverged", error=str(error))
        except (DataMissing, OSError, MemoryError):
            raise  # not the trial's fault: the next one would meet it too
        except Exception:
            error = traceback.format_exc()
            (self.folder(trial) / "error.txt").write_text(error, encoding="utf-8")
            return outcome("failed", error=error)
