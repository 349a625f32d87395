"""Which number a trial is judged by: the last one, the best chunk's, or a mean over last chunks."""

import json
from collections.abc import Mapping
from pathlib import Path

from tfkit.errors import TfkitError
from tfkit.train.build import Assembly
from tfkit.train.measure import VALID, measure

CHUNKS = 5  # of `mean_last` without a number


def additions(recipe: Mapping, search: Mapping, reports: bool = False) -> dict:
    """What a recipe's training must do beside its own for the search: values by dotted path.

    `last` asks for nothing; the others need the objective after each chunk, and `best` the weights
    that had it. An engine that prunes wants to hear of every chunk, too.

    Args:
        recipe: resolved.
        search: the `search` section.
        reports: whether the objective is wanted after each chunk in any case.
    """
    changes, train = {}, recipe["train"]
    name, select = search["objective"], search["select"]
    measured = name.removeprefix(VALID) if name.startswith(VALID) else None
    if (reports or select != "last") and measured and measured not in train["validate"]:
        changes["train.validate"] = [*train["validate"], measured]
    if select == "best":
        keep = {"name": "keep_best", "monitor": name, "goal": search["goal"]}
        if not any(keeps(callback, keep) for callback in train["callbacks"]):
            changes["train.callbacks"] = [*train["callbacks"], keep]
    return changes


def keeps(callback: Mapping, wanted: Mapping) -> bool:
    """Whether a callback of the recipe gives back the weights of the same best chunk already."""
    same = all(callback.get(key) == wanted[key] for key in ("monitor", "goal"))
    return same and (callback["name"] == "keep_best" or bool(callback.get("restore_best")))


def value(assembly: Assembly, folder: Path, search: Mapping) -> float:
    """The objective of a trained run, as `search.select` says."""
    name, select = search["objective"], search["select"]
    if select == "last" and name.startswith(VALID):
        wanted = name.removeprefix(VALID)
        return measure(assembly, "valid", [wanted])[wanted]
    values = [number for _, number in curve(folder, name)]
    if not values:
        raise TfkitError(f"{folder}: training reported no {name}.")
    if select == "last":
        return values[-1]
    if select == "best":
        return max(values) if search["goal"] == "max" else min(values)
    last = CHUNKS if select == "mean_last" else select["mean_last"]
    return sum(values[-last:]) / len(values[-last:])


def curve(folder: Path, name: str) -> list[tuple[int, float]]:
    """(step, value) after each chunk that reported `name`; of several stages the last counts."""
    path = folder / "metrics.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    rows = [json.loads(line) for line in lines]
    last = rows[-1].get("stage") if rows else None
    return [(row["step"], row[name]) for row in rows if name in row and row.get("stage") == last]
