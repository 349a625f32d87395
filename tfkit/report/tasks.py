"""Runs sorted into methods and tasks: who was measured on what, from which seeds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tfkit.errors import UsageError
from tfkit.recipe import difference
from tfkit.recipe.paths import short_names
from tfkit.report.runs import Run
from tfkit.report.settings import written

_NOT_DATA = ("batch_size", "path")  # options of `data` that leave a data set the same
# what may differ between the runs of one method: none of it is the method
_NOT_METHOD = (
    "name", "seed", "search", "sweep", "export", "evaluate", "train.threads", "data.path"
)  # fmt: skip


@dataclass
class Cell:
    """A method on a task: its values by seed, the newest run of a seed."""

    values: dict[Any, float] = field(default_factory=dict)
    runs: dict[Any, Run] = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """A metric on a data set."""

    data: str
    metric: str

    def __str__(self) -> str:
        return f"{self.data} / {self.metric}" if self.data else self.metric


def methods_of(runs: Sequence[Run], by: Sequence[str] = ()) -> dict[Path, str]:
    """{folder: what its method is called}: the values at the recipe paths `by`; without these the
    recipe's name, with what differs of its data, model and training where recipes of one name on
    the same data do, such as a sweep's. Seeds, search and evaluation make no other method.

    Raises: UsageError for a path that no run's recipe has.
    """
    if wrong := [path for path in by if runs and not any(_has(r.recipe, path) for r in runs)]:
        raise UsageError(f"--by: no run's recipe has {', '.join(wrong)}")
    if by:
        return {run.path: ", ".join(_named(run, path) for path in by) for run in runs}
    alike: dict[str, list[Run]] = {}
    for run in runs:
        alike.setdefault(_named(run, "name"), []).append(run)
    methods = {}
    for name, own in alike.items():
        paths = short_names(_differing(own))
        for run in own:
            words = [f"{word}={_named(run, path)}" for path, word in paths.items()]
            methods[run.path] = " ".join([name, *words])
    return methods


def sort_runs(
    runs: Sequence[Run], metrics: Sequence[str], by: Sequence[str], methods: Mapping[Path, str]
) -> tuple[dict[Task, dict[str, Cell]], list[str]]:
    """{task: {method: cell}} and what a reader must know of how they came about.

    Args:
        runs: evaluated ones, oldest first.
        metrics: those wanted; none are all but those on the validation sample.
        by: paths of the recipe that make a method.
        methods: what `methods_of` calls them by these paths.
    """
    names = data_names(runs)
    table: dict[Task, dict[str, Cell]] = {}
    replaced: dict[tuple, list] = {}
    for run in runs:
        for metric, values in run.metrics.items():
            if (metric not in metrics) if metrics else metric.startswith("valid/"):
                continue
            task = Task(names[data_identity(run)], metric)
            cell = table.setdefault(task, {}).setdefault(methods[run.path], Cell())
            for seed, value in zip(run.seeds, values, strict=True):
                if seed in cell.runs:
                    seeds = replaced.setdefault((cell.runs[seed].path, run.path), [])
                    seeds += [seed] if seed not in seeds else []
                cell.values[seed], cell.runs[seed] = value, run
    notes = [
        f"{old}: seed {', '.join(map(str, seeds))} is counted from the newer {new}"
        for (old, new), seeds in replaced.items()
    ]
    table = dict(sorted(table.items(), key=lambda item: item[0].data))  # metrics stay in order
    return table, notes + _mixed(table, by) + _measured_otherwise(table)


def _has(recipe: Mapping[str, Any], path: str) -> bool:
    above, _, key = path.rpartition(".")
    parent = at(recipe, above) if above else recipe
    return isinstance(parent, Mapping) and key in parent


def at(recipe: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path of a recipe; None where there is none."""
    value: Any = recipe
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _named(run: Run, path: str) -> str:
    """The value at a path; of a component its name."""
    value = at(run.recipe, path)
    value = value.get("name", value) if isinstance(value, Mapping) else value
    return "–" if value is None else written(value)


def _differing(runs: Sequence[Run]) -> list[str]:
    """Paths of the recipe, of those that make a method, that differ on the same data."""
    first: dict[str, Run] = {}
    paths: dict[str, None] = {}
    for run in runs:
        before = first.setdefault(data_identity(run), run)
        changes = difference(before.recipe, run.recipe)
        paths |= {c.path: None for c in changes if not _within(c.path, _NOT_METHOD)}
    return list(paths)


def data_identity(run: Run) -> str:
    """What tells data sets apart: their options, and the hash of their content."""
    data = run.recipe.get("data")
    options = dict(data) if isinstance(data, Mapping) else {"name": str(data or "")}
    own = {key: value for key, value in options.items() if key not in _NOT_DATA}
    return json.dumps([own, run.data or options.get("path")], sort_keys=True, default=str)


def data_names(runs: Sequence[Run]) -> dict[str, str]:
    """{identity: name}: the data set's name, with what differs where several share it."""
    known = {data_identity(run): json.loads(data_identity(run)) for run in runs}
    alike: dict[str, list[str]] = {}
    for identity, (options, _) in known.items():
        alike.setdefault(str(options.get("name", "")), []).append(identity)
    names = {}
    for name, identities in alike.items():
        keys = dict.fromkeys(key for i in identities for key in known[i][0])
        differing = [
            k for k in keys if len({json.dumps(known[i][0].get(k)) for i in identities}) > 1
        ]
        for identity in identities:
            options, content = known[identity]
            words = [f"{key}={written(options.get(key))}" for key in differing]
            twins = [i for i in identities if known[i][0] == options]
            words += [str(content or "?")[:8]] if len(twins) > 1 else []
            names[identity] = " ".join([name, *words])
    return names


def _mixed(table: Mapping[Task, Mapping[str, Cell]], by: Sequence[str]) -> list[str]:
    """Methods whose seeds come from different recipes."""
    notes = {}
    for task, row in table.items():
        for method, cell in row.items():
            first, *others = {id(run): run for run in cell.runs.values()}.values()
            for other in others:
                changes = difference(first.recipe, other.recipe)
                told = [c for c in changes if not _within(c.path, (*_NOT_METHOD, *by))]
                if told:
                    notes[method, task.data] = (
                        f"{method} on {task.data} pools runs of different recipes ({told[0]}"
                        f"{', …' if len(told) > 1 else ''}); --by {told[0].path} tells them apart"
                    )
    return list(notes.values())


def _measured_otherwise(table: Mapping[Task, Mapping[str, Cell]]) -> list[str]:
    """Options of the evaluation that differ within a task: its figures are then not comparable."""
    notes: dict[tuple[str, str], str] = {}
    for task, row in table.items():
        runs = [run for cell in row.values() for run in cell.runs.values()]
        options = [run.recipe.get("evaluate") or {} for run in runs]
        for key in sorted({key for own in options for key in own} - {"seeds", "metrics", "name"}):
            values = {written(own[key]) for own in options if key in own}
            if len(values) > 1:
                notes[task.data, key] = (
                    f"{task.data}: runs were measured with different evaluate.{key} "
                    f"({', '.join(sorted(values))}), which may move the figures"
                )
    return list(notes.values())


def is_method_path(path: str) -> bool:
    """Whether a recipe's path is part of its method, and neither data, seed nor evaluation. The
    size of a batch is: `data_identity` does not tell it.
    """
    return path == "data.batch_size" or not _within(path, (*_NOT_METHOD, "data"))


def _within(path: str, above: Sequence[str]) -> bool:
    return any(path == head or path.startswith(f"{head}.") for head in above)
