"""A search from a recipe: each trial an ordinary run that trains and measures the objective."""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from tfkit import catalog
from tfkit.errors import TfkitError, UsageError
from tfkit.recipe import Recipe
from tfkit.recipe.durations import seconds
from tfkit.search import keep, selection
from tfkit.search.clock import Clock
from tfkit.search.engines.base import Engine, Trial
from tfkit.search.engines.making import make_engine
from tfkit.search.executors.base import Executor, Queue, Surroundings
from tfkit.search.identity import identity
from tfkit.search.ledger import Ledger, full_budget, ranked
from tfkit.search.space import recipe_defaults
from tfkit.search.values import with_values
from tfkit.search.work import Outcome, Task
from tfkit.train import seeds
from tfkit.train.build import total_steps
from tfkit.train.folder import RunFolder

REPLICATE = 1  # of every trial; trials differ in their seed, which is derived from their id
MOST_FAILURES = 3  # in a row before any trial has completed: it is the recipe that fails
LATER_FAILURES = 10  # in a row after one has: it is the machine that fails


class Search(Queue):
    """One search in `folder`, resumed where it stopped: the queue of its trials.

    Args:
        folder: the folder of the run, which holds `search/`.
        recipe: the recipe with its `search` section.
        source: the loaded data, to count the steps of an epoch.
        say: told of every finished trial.
        clock: says when to stop asking.
    """

    def __init__(
        self, folder: RunFolder, recipe: Recipe, source, say: Callable[[str], None], clock: Clock
    ):
        self.recipe, self.source, self.say, self.clock = recipe, source, say, clock
        self.folder = folder.part("search")
        self.settings = recipe.resolved["search"]
        self.timeout = seconds(self.settings["timeout"])
        self.engine = make_search_engine(recipe, source, self.folder.path)
        self.ledger = Ledger(self.folder, recipe.resolved)
        self.elapsed_before = self.ledger.elapsed()
        self.running: dict[str, Task] = {}
        self.lengths: dict[str, int] = {}  # steps of the whole training of each task
        self.failures = 0
        self.closing = False
        self.tidied: set[str] = set()

    def run(self, executor: Executor, around: Surroundings) -> None:
        """All trials that are still to run, as far as the budget goes.

        Raises `TfkitError` where none completed, `UsageError` where all fail.
        """
        self.ledger.write(self.engine)
        try:
            executor.run(self, around)
        finally:
            self.engine.close()
        self.ledger.write(self.engine)
        self.tidy(at_end=self.engine.done)
        if self.over and not self.best():
            raise TfkitError(self.nothing())

    def nothing(self) -> str:
        """Why there is no best trial, in words."""
        told = self.engine.told
        if not told:
            return "search.budget: it allowed no trial; give more."
        counts = Counter(each.status for each in told.values())
        ends = ", ".join(f"{count} {status}" for status, count in counts.items())
        last = self.ledger.trials(self.engine)[-1].get("error", "")
        return f"search: no trial completed ({ends}); the last one: {last}"

    def best(self) -> list[dict]:
        """The completed trials from best to worst, as `search.json` has them."""
        return ranked(self.ledger.trials(self.engine), self.settings["goal"])

    @property
    def over(self) -> bool:
        """Whether nothing runs any more, here or in another process."""
        return self.engine.done or not self.engine.open()

    def is_partial(self, trial: Mapping) -> bool:
        """Whether a trial was trained on less than the largest budget."""
        full = full_budget(self.ledger.trials(self.engine))
        return trial.get("budget", full) < full

    @property
    def done(self) -> bool:
        """Whether the engine has no more, or the budget is used up and nothing runs here."""
        return not self.running and (self.closing or self.engine.done)

    def next(self) -> Task | None:
        """The engine's next trial as a task."""
        times = self.took("seconds"), self.took("whole")
        if not self.closing and not self.clock.allows(*times):
            self.closing = True
            self.say(f"budget: no further trial fits; {len(self.engine.told)} are done")
        trial = None if self.closing else self.engine.ask()
        if trial is None:
            return None
        self.running[trial.id] = self.task(trial)
        return self.running[trial.id]

    def took(self, key: str) -> list[float]:
        """How long the finished trials took."""
        known = (told.about.get(key) for told in self.engine.told.values())
        return [each for each in known if each is not None]

    def report(self, task: Task, step: int, value: float) -> bool:
        """Let the engine judge a running trial."""
        return self.engine.should_prune(task.id, step, value)

    def hear(self, task: Task, outcome: Outcome) -> None:
        """Tell the engine, write it down, say it; failures in a row end the search."""
        del self.running[task.id]
        if outcome.status == "busy":
            self.say(f"trial {task.id}: another process is at work in its folder")
            return self.engine.release(task.id)
        about = self.about(task, outcome)
        self.engine.tell(task.id, outcome.objective, status=outcome.status, about=about)
        if task.id not in self.engine.told:
            return self.say(f"trial {task.id}: another process has taken it over")
        self.ledger.write(self.engine)
        self.tidy()
        self.say(self.sentence(task, outcome))
        return self.count_failures(task, outcome)

    def about(self, task: Task, outcome: Outcome) -> dict:
        """What is worth keeping of a trial beside its value."""
        about = {
            "seconds": round(outcome.seconds, 2),
            "whole": round(self.whole(task, outcome), 2),
            "ended": round(self.elapsed_before + self.clock.elapsed(), 2),
            "error": outcome.error,
            "curve": [list(point) for point in outcome.curve],
        }
        return {key: value for key, value in about.items() if value not in ("", [])}

    def whole(self, task: Task, outcome: Outcome) -> float:
        """Seconds that the task's whole training would have taken in one go."""
        path = Path(task.folder) / "timing.jsonl"
        rows = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        chunks = [json.loads(row) for row in rows]
        if not chunks or any("stage" in chunk for chunk in chunks):
            return outcome.seconds
        trained = sum(chunk["seconds"] for chunk in chunks)
        return max(outcome.seconds, trained * self.lengths[task.id] / chunks[-1]["step"])

    def count_failures(self, task: Task, outcome: Outcome) -> None:
        """End a search that will come to nothing."""
        self.failures = self.failures + 1 if outcome.status == "failed" else 0
        completed = any(told.status == "completed" for told in self.engine.told.values())
        if self.failures == (LATER_FAILURES if completed else MOST_FAILURES):
            raise UsageError(
                f"search: {self.failures} trials in a row failed, the last with\n"
                f"{outcome.error.strip()}\n(also in {Path(task.folder) / 'error.txt'})"
            )

    def sentence(self, task: Task, outcome: Outcome) -> str:
        """A line of progress."""
        shown = f"{outcome.objective:.4g}" if outcome.status == "completed" else outcome.status
        trial = self.engine.asked[task.id]
        values = ", ".join(f"{path} {short(value)}" for path, value in trial.values.items())
        far = f", {task.until} steps" if task.until else ""
        far += f" on from trial {trial.origin}" if trial.origin else ""
        return (
            f"trial {task.id}: {self.settings['objective']} {shown} with {values}{far} "
            f"({outcome.seconds:.0f} s)"
        )

    def tidy(self, at_end: bool = False) -> None:
        """Drop what `search.keep` does not keep; while trials may be promoted, all are needed."""
        wanted = self.settings["keep"]
        if wanted == "all" or (self.engine.promotes and not at_end):
            return
        best = {trial["id"] for trial in self.best()[:1] if wanted == "best"}
        gone = self.engine.told.keys() - best - self.tidied
        keep.tidy(self.trial_folder(id) for id in gone)
        self.tidied |= gone

    def trial_folder(self, id: str) -> RunFolder:
        """The trial's run folder."""
        return self.folder.part(f"trial_{id}")

    def task(self, trial: Trial) -> Task:
        """Write the trial's recipe into its folder; what is to be done there."""
        folder = self.trial_folder(trial.id)
        first = self.first_of(trial)
        seed = seeds.derive(self.recipe.resolved["seed"], first.id, REPLICATE, "trial")
        own = {"search": None, "export": None, "seed": seed, "evaluate.seeds": [REPLICATE]}
        recipe = with_values(self.recipe, {**trial.values, **own})
        more = selection.additions(recipe.resolved, self.settings, self.engine.prunes)
        recipe = with_values(recipe, more) if more else recipe
        folder.write_recipe(recipe, given=False)
        self.lengths[trial.id] = total_steps(recipe.resolved, self.source)
        until = None if trial.budget is None else self.steps(trial.budget, recipe.resolved)
        if trial.origin is not None:
            go_on_from(self.trial_folder(trial.origin), folder)
        return Task(
            trial.id,
            str(folder),
            "trial",
            REPLICATE,
            self.settings,
            until=until,
            timeout=self.timeout,
            reports=self.engine.prunes,
        )

    def first_of(self, trial: Trial) -> Trial:
        """The trial that began what `trial` goes on with: it shares its seed."""
        while trial.origin is not None:
            trial = self.engine.asked[trial.origin]
        return trial

    def steps(self, budget: int, recipe: dict) -> int:
        """A budget of the engine's resource as a step to stop at: the end of a chunk."""
        train = recipe["train"]
        if self.engine.resource == "epochs":
            budget *= self.source.steps_per_epoch(recipe["data"]["batch_size"])
        chunks = -(-budget // train["save_every"])
        return min(chunks * train["save_every"], total_steps(recipe, self.source))


def make_search_engine(recipe: Recipe, source, directory: Path) -> Engine:
    """The engine of the recipe's `search` section.

    Raises `UsageError` for what it cannot work with.
    """
    settings, train = recipe.resolved["search"], recipe.resolved["train"]
    kind = catalog.find("engine", settings["engine"]["name"])
    given = {k: v for k, v in settings["engine"].items() if k != "name"}
    if given.get("resource") == "epochs" and train["epochs"] is None:
        raise UsageError("search.engine.resource: train counts in steps; leave it out.")
    steps = total_steps(recipe.resolved, source)
    options = catalog.resolve(kind).filled(given, {**train, "steps": steps})
    return make_engine(
        kind.name,
        settings["space"],
        trials=settings["trials"],
        seed=recipe.resolved["seed"],
        directory=directory,
        goal=settings["goal"],
        defaults=recipe_defaults(recipe.resolved, settings["space"]),
        objective=settings["objective"],
        work=identity(recipe.resolved),
        **options,
    )


def go_on_from(origin: RunFolder, folder: RunFolder) -> None:
    """Give a promoted trial its origin's checkpoints, optimizers among them, and its lines.

    The checkpoints come last and in one move: where they are, everything is.
    """
    if (folder / "checkpoints").exists():
        return
    if not (origin / "checkpoints").exists():
        return  # it failed before its first step, and so did all that it was compared with
    for name in ("metrics.jsonl", "timing.jsonl"):
        if (origin / name).exists():
            shutil.copyfile(origin / name, folder / name)
    copy = folder / ".checkpoints.tmp"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(origin / "checkpoints", copy)
    copy.rename(folder / "checkpoints")


def short(value) -> str:
    """A value as a line of progress shows it."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
