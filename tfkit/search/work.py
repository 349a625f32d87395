"""One task of a search, in whichever process it is called: train in a folder, measure, tell."""

import json
import math
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

import keras

from tfkit import recipe as recipes
from tfkit.errors import Busy, DataMissing, Diverged
from tfkit.search import selection
from tfkit.search.engines.base import Status
from tfkit.train import device
from tfkit.train.build import load_data
from tfkit.train.folder import RunFolder, read_json, write_atomically, write_json
from tfkit.train.replicates import evaluate_replicate
from tfkit.train.run import note_start, train

LOCK_SECONDS = 30  # a worker whose owner was killed needs a moment to notice
Report = Callable[[int, float], bool]  # (step, value) -> whether to end the trial here


class Task(NamedTuple):
    """What is to be done in one folder; plain values, which any process understands.

    Args:
        id: what it is called in messages.
        folder: a run folder that holds its recipe.
        part: "trial": train and measure the objective, nothing more; "replicate": train and
            evaluate as `tfkit run` does.
        replicate: the replicate's number.
        search: the recipe's `search` section, {} where there is none.
        until: the step to stop at for now; None: train to the end.
        timeout: seconds that it may take; None: as long as it takes.
        reports: whether its objective is to be reported after each chunk.
    """

    id: str
    folder: str
    part: Literal["trial", "replicate"]
    replicate: int
    search: dict
    until: int | None = None
    timeout: float | None = None
    reports: bool = False


class Outcome(NamedTuple):
    """What became of a task.

    Args:
        status: how it ended; "busy" where another living process is at it.
        objective: its objective; where it did not complete, the last finite one, if any.
        seconds: how long it took this time.
        error: the traceback, or the sentence, where it did not complete.
        curve: (step, objective) after each chunk that reported it.
    """

    status: Status | Literal["busy"]
    objective: float | None
    seconds: float
    error: str = ""
    curve: tuple = ()


class Pruned(Exception):
    """The engine sees no point in going on with this trial."""


class TimedOut(Exception):
    """The task has used up its time."""


class Reporter(keras.callbacks.Callback):
    """Reports the objective after each chunk, once it is saved, and ends what is to be pruned."""

    def __init__(self, folder: Path, name: str, report: Report):
        super().__init__()
        self.folder, self.name, self.report = folder, name, report

    def on_epoch_end(self, epoch, logs=None):
        """Report the chunk's value."""
        if self.name not in (logs or {}):
            return
        step = selection.curve(self.folder, self.name)[-1][0]
        if self.report(step, float(logs[self.name])):
            raise Pruned


class Deadline(keras.callbacks.Callback):
    """Ends a training whose time is up."""

    def __init__(self, seconds: float):
        super().__init__()
        self.seconds, self.end = seconds, time.monotonic() + seconds

    def on_train_batch_end(self, batch, logs=None):
        """Look at the clock."""
        if time.monotonic() > self.end:
            raise TimedOut(f"search.timeout: it took longer than {self.seconds:g} s")


class Sources:
    """The data of the last recipe, kept because the next one's are most often the same."""

    def __init__(self, recipe: Mapping | None = None, source=None):
        self.key, self.source = recipe and self.describe(recipe), source

    def describe(self, recipe: Mapping) -> str:
        """What makes two recipes' data the same; batches are cut later."""
        return json.dumps({**recipe["data"], "batch_size": 0}, sort_keys=True, default=str)

    def of(self, recipe: Mapping):
        """The data of a resolved recipe."""
        if self.source is None or self.key != self.describe(recipe):
            self.source = load_data(recipe)
            self.key = self.describe(recipe)
        return self.source


def perform(task: Task, sources: Sources, report: Report, bar: bool = False) -> Outcome:
    """Do one task, going on where an earlier process left it, and catch what is its own fault.

    Raises what the next task would meet too: `DataMissing`, `OSError`, `MemoryError`.
    """
    started = time.perf_counter()
    folder = RunFolder(task.folder)

    def outcome(status, objective=None, error=""):
        curve = selection.curve(folder.path, task.search["objective"]) if task.search else []
        finite = [value for _, value in curve if math.isfinite(value)]
        if objective is None and finite:
            objective = finite[-1]
        seconds = round(time.perf_counter() - started, 3)
        return Outcome(status, objective, seconds, error, tuple(curve))

    try:
        with folder.lock(LOCK_SECONDS):
            value = do(task, folder, sources, report, bar)
        return outcome("completed", value)
    except Pruned:
        return outcome("pruned")
    except Diverged as error:
        folder.record(diverged={"step": error.step, "tensor": error.tensor})
        return outcome("diverged", error=str(error))
    except (DataMissing, OSError, MemoryError):
        raise
    except Busy as error:  # not ours to write into
        return outcome("busy", error=str(error))
    except Exception as error:
        text = str(error) if isinstance(error, TimedOut) else traceback.format_exc()
        return outcome("failed", error=text)


def note_end(task: Task, outcome: Outcome) -> None:
    """Write into a task's folder how it ended, also where its process could not."""
    folder = RunFolder(task.folder)
    if outcome.status == "busy":
        return
    if outcome.error:
        write_atomically(folder / "error.txt", outcome.error)
    else:
        (folder / "error.txt").unlink(missing_ok=True)
    ends = {"completed": "finished"}
    folder.record(status=ends.get(outcome.status, outcome.status))


def do(task: Task, folder: RunFolder, sources: Sources, report: Report, bar: bool) -> float | None:
    """Train and measure; the objective, where there is one."""
    evaluation = read_json(folder.evaluation)
    if evaluation is None:
        recipe = recipes.load(folder.resolved).resolved
        device.prepare(recipe["train"])  # before data are loaded: threads can be set only once
        source = sources.of(recipe)
        note_start(folder, recipe, source)
        with device.configured(recipe["train"]):
            assembly = train(
                folder,
                recipe,
                task.replicate,
                source=source,
                bar=bar,
                until=task.until,
                watch=watchers(task, folder, report),
            )
            measured(task, folder, assembly)
        evaluation = read_json(folder.evaluation)
    return evaluation.get("objective")


def watchers(task: Task, folder: RunFolder, report: Report) -> list[keras.callbacks.Callback]:
    """What looks on while the task trains."""
    found = [Deadline(task.timeout)] if task.timeout else []
    if task.reports:
        found.append(Reporter(folder.path, task.search["objective"], report))
    return found


def measured(task: Task, folder: RunFolder, assembly) -> None:
    """Write `evaluation.json`: of a trial the objective alone, of a replicate all there is."""
    if task.part == "replicate":
        return evaluate_replicate(folder, assembly, objective(task.search, folder.path, assembly))
    found = objective(task.search, folder.path, assembly)
    value = next(iter(found.values()))
    write_json(folder.evaluation, {"split": "valid", "metrics": found, "objective": value})
    return None


def objective(search: Mapping, folder: Path, assembly) -> dict[str, float]:
    """Name and value of the search's objective of a trained run; {} where there is no search."""
    return {search["objective"]: selection.value(assembly, folder, search)} if search else {}
