"""The best trials trained anew from fresh seeds, since the best of many noisy trials looks better
than it is.
"""

import math
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from tfkit.errors import TfkitError
from tfkit.recipe import Recipe
from tfkit.search import keep, selection
from tfkit.search.executors.base import Executor, Queue, Surroundings
from tfkit.search.trials import Search
from tfkit.search.values import with_values
from tfkit.search.work import Outcome, Task
from tfkit.statistics.few_seeds import as_shown
from tfkit.statistics.intervals import mean_interval
from tfkit.train.folder import RunFolder, read_json, write_atomically

# what a training leaves behind; the last says that all is there
PRODUCTS = (
    "metrics.jsonl",
    "timing.jsonl",
    "tb",
    "figures",
    "checkpoints",
    "stages",
    "final.weights.h5",
    "evaluation.json",
)
# what says where it comes from
ORIGIN = ("resolved.yaml", "provenance.json")


class Confirm(Queue):
    """Trains the best trials of a search from fresh seeds: the queue of their replicates.

    Args:
        search: the finished search.
        say: told of every finished replicate.
    """

    def __init__(self, search: Search, say: Callable[[str], None]):
        self.search, self.say = search, say
        settings = search.settings["confirm"]
        self.seeds = confirm_seeds(search.recipe.resolved)
        self.trials = search.best()[: settings["top"]]
        self.recipes = {trial["id"]: self.candidate(trial["values"]) for trial in self.trials}
        self.to_do = [(trial["id"], seed) for trial in self.trials for seed in self.seeds]
        self.open = 0
        self.failed: dict[str, Outcome] = {}

    def candidate(self, values: Mapping) -> Recipe:
        """A trial's values as a recipe of its own, which selects as the search does."""
        recipe = with_values(self.search.recipe, {**values, "search": None})
        more = selection.additions(recipe.resolved, self.search.settings)
        return with_values(recipe, more) if more else recipe

    def run(self, executor: Executor, around: Surroundings) -> str:
        """Train and evaluate all that are not yet; the winner's id, which stands in `search.json`.

        Raises `TfkitError` where no candidate could be trained from every seed.
        """
        executor.run(self, around)
        found = [self.summary(rank, trial) for rank, trial in enumerate(self.trials, 1)]
        whole = [each for each in found if each["fresh"] is not None]
        if not whole:
            *_, last = self.failed.values()
            raise TfkitError(
                "search.confirm: none of the best trials could be trained from every fresh seed; "
                "the last one ended with\n" + last.error.strip()
            )
        sign = -1 if self.search.settings["goal"] == "max" else 1
        winner = min(whole, key=lambda each: (sign * each["fresh"]["mean"], each["rank"]))["id"]
        ledger = self.search.ledger
        ledger.confirm = {
            "trials": len(self.search.engine.told),
            "seeds": self.seeds,
            "winner": winner,
            "candidates": found,
        }
        ledger.write(self.search.engine)
        if self.search.settings["keep"] != "all":
            keep.tidy(
                self.folder(id, seed) for id in self.recipes for seed in self.seeds if id != winner
            )
        return winner

    @property
    def done(self) -> bool:
        """Whether all replicates are trained and evaluated."""
        return not self.to_do and not self.open

    def folder(self, id: str, seed: int) -> RunFolder:
        """Where a candidate's replicate lies."""
        return self.search.folder.part("confirm", f"trial_{id}", str(seed))

    def next(self) -> Task | None:
        """The next replicate."""
        if not self.to_do:
            return None
        id, seed = self.to_do.pop(0)
        folder = self.folder(id, seed)
        own = {"evaluate.seeds": [seed], "export": None}
        folder.write_recipe(with_values(self.recipes[id], own), given=False)
        self.open += 1
        name = f"trial {id}, fresh seed {seed}"
        return Task(name, str(folder), "replicate", seed, self.search.settings)

    def hear(self, task: Task, outcome: Outcome) -> None:
        """Say it; one that did not complete takes its trial out of the competition."""
        self.open -= 1
        objective = self.search.settings["objective"]
        shown = outcome.status
        if outcome.status == "completed":
            shown = f"{objective} {outcome.objective:.4g}"
        else:
            self.failed[task.id] = outcome
        self.say(f"{task.id}: {shown} ({outcome.seconds:.0f} s)")

    def summary(self, rank: int, trial: Mapping) -> dict:
        """A candidate's value in the search beside those from fresh seeds, and its test metrics."""
        runs = [read_json(self.folder(trial["id"], seed).evaluation) for seed in self.seeds]
        found = {"id": trial["id"], "rank": rank, "search": trial["objective"]}
        if None in runs or not all(math.isfinite(run["objective"]) for run in runs):
            return {**found, "fresh": None, "gap": None, "metrics": {}}
        fresh = mean_interval([run["objective"] for run in runs])
        gap = trial["objective"] - fresh["mean"]
        gap = gap if self.search.settings["goal"] == "max" else -gap
        names = runs[0]["metrics"]
        return {
            **found,
            "fresh": fresh,
            # the value of a part of the training says nothing of luck
            "gap": None if self.search.is_partial(trial) else gap,
            "metrics": {n: mean_interval([run["metrics"][n] for run in runs]) for n in names},
        }

    def write_best(self, winner: str) -> Recipe:
        """`best.yaml`: a runnable recipe whose header states what it reached."""
        settings, path = self.search.settings, self.search.folder / "best.yaml"
        known = next(c for c in self.search.ledger.confirm["candidates"] if c["id"] == winner)
        fresh, name = as_shown(known["fresh"]), settings["objective"]
        interval = "" if fresh["low"] is None else f" [{fresh['low']:.4g}, {fresh['high']:.4g}]"
        seeds = ", ".join(map(str, self.seeds))
        recipe = self.recipes[winner]
        trial = next(each for each in self.trials if each["id"] == winner)
        part = " after a part of its training" if self.search.is_partial(trial) else ""
        header = (
            f"# Trial {winner}, the best of {len(self.search.engine.told)} of a search for the "
            f"{'largest' if settings['goal'] == 'max' else 'smallest'} {name}.\n"
            f"# tfkit run {path}\n"
            f"# {name} {fresh['mean']:.4g}{interval} from fresh seeds {seeds}; "
            f"{known['search']:.4g} in the search{part}.\n"
        )
        write_atomically(path, header + recipe.dump())
        return recipe


def confirm_seeds(recipe: Mapping) -> list[int]:
    """The fresh seeds that the best trials are trained from."""
    count = recipe["search"]["confirm"]["seeds"]
    return list(recipe["evaluate"]["seeds"]) if count is None else list(range(1, count + 1))


def hand_over(replicate: RunFolder, folder: RunFolder, whole: bool) -> None:
    """Let `folder` hold what a confirmed replicate left, without doubling it on the disk.

    Args:
        replicate: the replicate's folder.
        folder: gets its files; what it holds of an earlier winner goes.
        whole: whether `folder` is to be nothing but this replicate, its recipe included.
    """
    folder.evaluation.unlink(missing_ok=True)
    for name in (*(ORIGIN if whole else ()), *PRODUCTS):
        source, target = replicate / name, folder / name
        remove(target)
        if source.is_dir():
            shutil.copytree(source, target, copy_function=link)
        elif source.exists():
            link(source, target)


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)


def link(source, target) -> None:
    """A second name for a file that nobody changes in place; a copy where there are no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
