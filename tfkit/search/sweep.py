"""A sweep: every point of a grid from every seed, as run folders that any number of processes on
any number of machines fill.
"""

import dataclasses
from pathlib import Path
from typing import NamedTuple

from tfkit import recipe as recipes
from tfkit.errors import RecipeError, UsageError
from tfkit.recipe import Recipe
from tfkit.search.grid import Point, points
from tfkit.search.identity import counted, digest
from tfkit.search.values import with_values
from tfkit.train.folder import RunFolder, read_json

# what says how much of a sweep is wanted and who does it
FREE = ("export", "evaluate.seeds", "sweep.seeds", "sweep.executor")


class Run(NamedTuple):
    """One training of a sweep."""

    point: Point
    seed: int

    @property
    def name(self) -> str:
        """Where it lies below the sweep's folder."""
        return f"{self.point.name}/seed_{self.seed}"


class Sweep:
    """What a recipe's `sweep` section asks for, and where it lies.

    Args:
        recipe: with a `sweep` section.
        root: the folder of all runs.
    Raises `UsageError` where there is no such section, or where a point of the grid is no recipe.
    """

    def __init__(self, recipe: Recipe, root: str | Path):
        self.recipe, settings = recipe, recipe.resolved["sweep"]
        if settings is None:
            raise UsageError(
                f"{recipe.path or 'sweep'}: the recipe has no `sweep` section; see `tfkit describe "
                "sweep`, or use `tfkit run`."
            )
        self.settings, self.root = settings, Path(root)
        self.paths = list(settings["grid"])
        self.points = points(settings["grid"])
        self.seeds = seeds_of(recipe.resolved)
        self.runs = [Run(point, seed) for point in self.points for seed in self.seeds]
        self.recipes = {point.name: self.recipe_at(point) for point in self.points}

    @property
    def path(self) -> Path:
        """The sweep's folder: the same for every process that means the same sweep."""
        return self.root / self.recipe.resolved["name"] / f"sweep-{identity(self.recipe.resolved)}"

    def folder(self, run: Run) -> RunFolder:
        """A training's run folder, which need not exist yet."""
        return RunFolder(self.path / run.name)

    def shard(self, number: int, count: int) -> list[Run]:
        """The trainings of one shard: each `count`-th one, beginning with the `number`-th."""
        return self.runs[number - 1 :: count]

    def recipe_at(self, point: Point) -> Recipe:
        """A point's recipe, which `tfkit run` would take too."""
        own = {"sweep": None, "search": None, "export": None}
        try:
            found = with_values(self.recipe, {**point.values, **own})
        except RecipeError as error:
            raise UsageError(
                f"sweep.grid: the point {point.name} is no recipe:\n{error}\n"
                "Let `when` say for which values of the other paths a path exists."
            ) from error
        return dataclasses.replace(found, path=self.recipe.path)

    def recipe_of(self, run: Run) -> Recipe:
        """A training's recipe."""
        base = self.recipes[run.point.name]
        own = with_values(base, {"evaluate.seeds": [run.seed]})
        return dataclasses.replace(own, path=base.path)


def seeds_of(resolved: dict) -> list[int]:
    """The seeds that every point is trained from."""
    seeds = resolved["sweep"]["seeds"]
    if seeds is None:
        return list(resolved["evaluate"]["seeds"])
    return list(range(1, seeds + 1)) if isinstance(seeds, int) else list(seeds)


def identity(resolved: dict) -> str:
    """Six hexadecimal digits that all processes of one sweep agree on, however many seeds are
    wanted.
    """
    return digest(resolved, FREE)


def status(folder: RunFolder) -> str:
    """What became of a training: finished, failed, diverged, unfinished or missing."""
    if folder.evaluation.exists():
        return "finished"
    if not folder.resolved.exists():
        return "missing"
    ended = folder.provenance().get("status")
    return ended if ended in ("failed", "diverged") else "unfinished"


def require_same(sweep: Sweep, path: Path) -> None:
    """Refuse a folder of another sweep."""
    if not (path / "sweep.yaml").is_file():
        raise UsageError(f"{path}: not the folder of a sweep, it holds no sweep.yaml.")
    other = recipes.load(path / "sweep.yaml")
    if identity(other.resolved) != identity(sweep.recipe.resolved):
        known = (counted(each.resolved, FREE) for each in (sweep.recipe, other))
        changes = "\n".join(f"  {change}" for change in recipes.difference(*known))
        raise UsageError(f"{path} holds another sweep; it differs in\n{changes}")


def evaluation(folder: RunFolder) -> dict:
    """The test metrics of a finished training by name."""
    return read_json(folder.evaluation, {}).get("metrics", {})
