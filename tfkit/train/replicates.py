"""Replicates: the same recipe trained from several seeds, and what holds over all of them."""

import io
import shutil
from collections.abc import Mapping, Sequence

import numpy as np

from tfkit import recipe as recipes
from tfkit.errors import UsageError
from tfkit.program import program
from tfkit.statistics.intervals import mean_interval
from tfkit.train.build import Assembly, assemble
from tfkit.train.folder import RunFolder, read_json, write_atomically, write_json
from tfkit.train.measure import VALID, arrays, facts, figures, floors, measure


def replicate_folder(folder: RunFolder, resolved: Mapping, seed: int) -> RunFolder:
    """Where a replicate lies: the run folder itself where there is only one seed."""
    if len(resolved["evaluate"]["seeds"]) == 1:
        return folder
    return folder.part("replicates", str(seed))


def evaluate_replicate(
    folder: RunFolder, assembly: Assembly, objective: Mapping[str, float]
) -> None:
    """Write test metrics, the search's objective, figures of a trained run, and what comparisons
    with others need: metrics of what learned nothing, and arrays.

    `evaluation.json` comes last: it says that the rest is there.

    Args:
        folder: the replicate's.
        assembly: the trained model and its data.
        objective: the objective's name and value, {} where nothing was searched.
    """
    metrics = measure(assembly, "test", assembly.recipe["evaluate"]["metrics"])
    held_out = {name: value for name, value in objective.items() if name.startswith(VALID)}
    (folder / "figures").mkdir(exist_ok=True)
    for name, figure in figures(assembly).items():
        figure.save(folder / "figures" / f"{name}.npz")
    for name, known in arrays(assembly).items():
        _write_arrays(folder / f"{name}.npz", known)
    evaluation = {"seed": assembly.replicate, "split": "test", "metrics": metrics}
    if known := floors(assembly, list(metrics)):
        evaluation["floors"] = known
    if known := facts(assembly, objective):
        evaluation["facts"] = known
    judged = {"objective": next(iter(objective.values()))} if objective else {}
    write_json(folder.evaluation, {**evaluation, "valid": held_out, **judged})


def summarise(folder: RunFolder, resolved: Mapping) -> None:
    """The parent's `evaluation.json`, mean and interval over the replicates of every metric, and
    the figures of the replicate that is shown.
    """
    seeds = resolved["evaluate"]["seeds"]
    runs = [read_json(replicate_folder(folder, resolved, seed).evaluation) for seed in seeds]

    def over_seeds(part: str) -> dict:
        return {name: mean_interval([run[part][name] for run in runs]) for name in runs[0][part]}

    shown = shown_seed(folder, resolved)
    drawn = replicate_folder(folder, resolved, shown) / "figures"
    shutil.copytree(drawn, folder / "figures", dirs_exist_ok=True)
    known = {name: runs[0][name] for name in ("floors", "facts") if name in runs[0]}
    write_json(
        folder.evaluation,
        {
            "seeds": list(seeds),
            "split": "test",
            "metrics": over_seeds("metrics"),
            "valid": over_seeds("valid"),
            "shown": shown,
            **known,
        },
    )


def shown_seed(folder: RunFolder, resolved: Mapping) -> int:
    """The replicate that is shown and exported: the best by the search's objective, else the
    first. Test metrics choose nothing.
    """
    seeds = resolved["evaluate"]["seeds"]
    search = read_json(folder / "search" / "search.json")
    if len(seeds) == 1 or not search:
        return seeds[0]
    sign = 1 if search["goal"] == "max" else -1

    def score(seed: int) -> float:
        run = replicate_folder(folder, resolved, seed)
        return sign * read_json(run.evaluation)["objective"]

    return max(seeds, key=score)


def stored_recipe(folder: RunFolder, sets: Sequence[str] = ()) -> recipes.Recipe:
    """The recipe that a run folder goes on with, and what is to be changed of it."""
    return recipes.load(folder.resolved, sets)


def trained_recipe(folder: RunFolder) -> recipes.Recipe:
    """What the replicates of a run folder were trained with: after a search, its best values."""
    best = folder / "search" / "best.yaml"
    return recipes.load(best if best.exists() else folder.resolved)


def restore(folder: RunFolder, recipe: Mapping, seed: int, source=None) -> Assembly:
    """A trained replicate's data and model, from its folder."""
    if not folder.weights.exists():
        raise UsageError(
            f"{folder} is not trained to the end; go on with: {program()} run --resume {folder}"
        )
    assembly = assemble(recipe, seed, source)
    assembly.model.load_weights(folder.weights)
    return assembly


def _write_arrays(path, arrays: Mapping) -> None:
    """Write a dict of arrays as .npz, atomically."""
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    write_atomically(path, content.getbuffer())
