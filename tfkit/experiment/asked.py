"""What was asked for: the recipe with what the command line and the machine say of it."""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from tfkit import recipe as recipes
from tfkit.errors import UsageError
from tfkit.recipe import Recipe
from tfkit.search.executors.making import make_executor
from tfkit.search.identity import FREE
from tfkit.search.values import with_values
from tfkit.train import device
from tfkit.train.folder import RunFolder

RUNS = "runs"


def load(recipe, sets: Sequence[str], seeds: Sequence[int] | int | None, export: bool) -> Recipe:
    """The recipe with what the command line says, and the number of threads fixed."""
    known = recipes.load(recipe, sets)
    changes = {}
    if seeds:
        several = range(1, seeds + 1) if isinstance(seeds, int) else seeds
        changes["evaluate.seeds"] = list(several)
    if export and known.resolved["export"] is None:
        changes["export"] = {}
    if known.resolved["train"]["threads"] == "auto":
        changes["train.threads"] = threads_of(known.resolved)
    if found := data_path(known):
        changes["data.path"] = found
    return changed(known, changes)


def threads_of(resolved: Mapping) -> int:
    """All processors, or what the search's executor leaves each of its workers."""
    search = resolved["search"]
    share = make_executor(search["executor"]).threads if search else None
    return share or device.available_cpus()


def data_path(known: Recipe) -> str | None:
    """Where a relative `data.path` leads, if anywhere, so that the run can go on from any folder:
    under $TFKIT_DATA, then beside the recipe, then in the current folder.
    """
    path = known.resolved["data"].get("path")
    if not isinstance(path, str) or Path(path).is_absolute():
        return None
    roots = [os.environ.get("TFKIT_DATA"), known.path and known.path.parent, Path.cwd()]
    tried = [Path(root) / path for root in roots if root]
    return next((str(place.resolve()) for place in tried if place.exists()), None)


def changed(known: Recipe, changes: Mapping) -> Recipe:
    """The recipe with other values at dotted paths, its text as it was given."""
    if not changes:
        return known
    return dataclasses.replace(with_values(known, changes), written=known.written)


def welcome(folder: RunFolder, known: Recipe, other: Recipe) -> dict:
    """What a recipe given beside a run folder changes of it, by dotted path: how much is searched
    and by whom. Everything else must be the folder's; threads and export may be left out.
    """
    old, new = known.resolved, dict(other.resolved)
    new["train"] = {**new["train"], "threads": old["train"]["threads"]}
    new["export"] = new["export"] or old["export"]
    changes = {}
    if old["search"] and new["search"]:
        given = new["search"]
        changes = {f"search.{key}": given[key] for key in FREE if given[key] != old["search"][key]}
        new["search"] = {**given, **{key: old["search"][key] for key in FREE}}
    if different := recipes.difference(old, new):
        lines = "\n".join(f"  {change}" for change in different)
        raise UsageError(
            f"{folder} is a run of another recipe; what is given differs in\n{lines}\n"
            f"Leave recipe, --set and --seeds out to go on, or start a new run."
        )
    return changes


def is_wider(stored: Recipe, known: Recipe) -> bool:
    """Whether a recipe asks for more of the stored one's search than that did."""
    old, new = stored.resolved["search"], known.resolved["search"]
    return any(old[key] != new[key] for key in ("trials", "confirm", "keep"))
