"""Running what a sweep still lacks."""

import contextlib
import sys
from collections import Counter
from collections.abc import Callable, Sequence

from tfkit.errors import Busy, Interrupted
from tfkit.recipe import Recipe
from tfkit.search.executors.base import Executor, Queue, Surroundings
from tfkit.search.sweep import Run, Sweep, status
from tfkit.search.sweep_table import Table
from tfkit.search.work import Outcome, Task
from tfkit.train import device, progress
from tfkit.train.folder import RunFolder, write_atomically
from tfkit.train.interruption import in_one_sentence, interruptible

BUSY = "another process is at it"


class Sweeping(Queue):
    """The trainings of one shard as tasks. What is finished or diverged is passed over, what failed
    is tried again, what was interrupted goes on, and what another process holds is left to it.

    Args:
        sweep: the sweep.
        runs: those of its trainings that are to be done here.
        prepare: a training's recipe with what this machine says of it: threads, where data lie.
        say: told of every finished training.
    """

    def __init__(
        self,
        sweep: Sweep,
        runs: Sequence[Run],
        prepare: Callable[[Recipe], Recipe],
        say: Callable[[str], None],
    ):
        self.sweep, self.prepare, self.say = sweep, prepare, say
        self.waiting, self.count = list(runs), len(runs)
        self.open: dict[str, Run] = {}
        self.ended = Counter()  # by status
        self.busy: list[str] = []

    @property
    def done(self) -> bool:
        """Whether nothing is left to do here."""
        return not self.waiting and not self.open

    def next(self) -> Task | None:
        """The next training that is neither over nor at work elsewhere."""
        while self.waiting:
            run = self.waiting.pop(0)
            if self.to_do(run):
                folder = self.sweep.folder(run)
                folder.write_recipe(self.prepare(self.sweep.recipe_of(run)), given=False)
                self.open[run.name] = run
                return Task(run.name, str(folder), "replicate", run.seed, {})
        return None

    def to_do(self, run: Run) -> bool:
        """Whether a training is still to do; counts it where it is not."""
        folder = self.sweep.folder(run)
        state = status(folder)
        if state in ("finished", "diverged"):
            self.ended[state] += 1
            return False
        if state != "missing" and held(folder):
            self.busy.append(run.name)
            self.say(f"{run.name}: {BUSY}")
            return False
        return True

    def hear(self, task: Task, outcome: Outcome) -> None:
        """Count and say it; the sweep goes on whatever became of it."""
        self.open.pop(task.id)
        state = "finished" if outcome.status == "completed" else outcome.status
        if state == "busy":
            self.busy.append(task.id)  # both began it at the same moment
            state = BUSY
        else:
            self.ended[state] += 1
        why = f": {outcome.error.strip().splitlines()[-1]}" if outcome.error else ""
        reached = sum(self.ended.values()) + len(self.busy)
        self.say(f"{reached} of {self.count}: {task.id} {state} ({outcome.seconds:.0f} s){why}")


def held(folder: RunFolder) -> bool:
    """Whether a living process is at work in a folder."""
    try:
        with folder.lock():
            return False
    except Busy:
        return True


def run_sweep(
    sweep: Sweep,
    shard: tuple[int, int],
    executor: Executor,
    prepare: Callable[[Recipe], Recipe],
    quiet: bool,
) -> dict:
    """Do one shard, and write the table of all that is done anywhere in the sweep's folder.

    Args:
        sweep: the sweep.
        shard: (k, n), the k-th of n.
        executor: what runs the trainings.
        prepare: as `Sweeping` has it.
        quiet: say nothing on the way.
    Returns what `tfkit sweep --json` prints.
    """

    def say(text: str) -> None:
        if not quiet:
            print(text, file=sys.stderr, flush=True)

    queue = Sweeping(sweep, sweep.shard(*shard), prepare, say)
    base = prepare(sweep.recipe).resolved
    device.prepare(base["train"])
    around = Surroundings(sweep.path, base, None, progress.wanted(quiet))
    with interruptible(), in_one_sentence(sweep.path), contextlib.closing(executor):
        write_atomically(sweep.path / "sweep.yaml", sweep.recipe.dump(), shared=True)
        say(f"sweep folder {sweep.path}: {queue.count} of {len(sweep.runs)} trainings")
        try:
            executor.run(queue, around)
        except KeyboardInterrupt:
            message = "interrupted; the same command goes on"
            raise Interrupted(message, run=str(sweep.path)) from None
        finally:
            found = Table(sweep, [sweep.path]).write(sweep.path)
    return {**found, "ended": dict(queue.ended), "busy": queue.busy}
