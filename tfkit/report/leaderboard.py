"""Methods ranked on tasks, with the uncertainty that few seeds leave."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tfkit.report.goals import Reading, guesses, reading, require_measured
from tfkit.report.runs import Run, find_runs
from tfkit.report.standing import improvements, shared_tasks, standings
from tfkit.report.study import study
from tfkit.report.tasks import Cell, Task, methods_of, sort_runs
from tfkit.statistics.few_seeds import as_shown
from tfkit.statistics.intervals import mean_interval

_SAME = 1e-12  # means that differ by less are equal but for rounding
_WHY = {  # status -> what to do or think of a run without metrics
    "finished": "its evaluation holds no metrics",
    "interrupted": "tfkit run --resume goes on with it",
    "running": "not evaluated yet",
}


def leaderboard(
    folders: Iterable[str | os.PathLike],
    *,
    metrics: Sequence[str] = (),
    by: Sequence[str] = (),
    goals: Mapping[str, str] | None = None,
    scales: Mapping[str, tuple[float, float]] | None = None,
) -> dict[str, Any]:
    """Rank methods on every task found below some folders, and over all tasks that have a scale.

    A task is a data set and a metric; data sets of one name but other options are other tasks. A
    method is what has the same values at the recipe paths `by`. Its runs are put together; where
    two have a seed in common, the newer counts.

    Args:
        folders: searched for run folders, at any depth.
        metrics: those to show; none are all that were measured on the test sample.
        by: paths of the resolved recipe, such as `model.name`; none: see
            `tfkit.report.tasks.methods_of`.
        goals: {metric: "max" or "min"}; see `tfkit.report.goals.reading`.
        scales: {metric: (worst, best)}, what scores 0 and 1 in the aggregates.
    Returns a dict that JSON can hold:
        tasks: data, metric, goal, told (who says so), scale, rows from best to worst: method, rank,
            n, mean, low, high (Student's t over seeds; None below three), values, seeds, runs,
            facts {name: text}, what must be known besides.
            Equal means share a rank.
        aggregates: tasks, rows (method, n, and mean, median, iqm, optimality_gap as {"value",
            "low", "high"}, by the stratified bootstrap), missing {method: why it is not among them}
            ; None where no task has a scale. Tasks that only one of several methods has are left
            out, and so are seeds that would give a task more than the others have: see the notes.
        improvement: tasks, methods, matrix of P(row beats column) over all seeds, None below three;
            or None.
        study: the tables of `tfkit.report.study.study`, or None where the runs are none.
        uncounted: run, status, method, why, of the runs without metrics.
        notes: what else a reader must know.
    Raises: UsageError when there is no run, or none has a metric or path that was asked for.
    """
    runs = find_runs(folders)
    counted = [run for run in runs if run.counts]
    measured = {name for run in counted for name in run.metrics}
    require_measured(metrics, measured, "--metric")
    measured |= {name.removeprefix("valid/") for name in measured}
    require_measured(goals or (), measured, "--goal")
    require_measured(scales or (), measured, "--scale")
    methods = methods_of([run for run in runs if run.recipe], by)
    table, notes = sort_runs(counted, metrics, by, methods)
    readings = _readings(table, counted, goals, scales)
    scaled, alone = shared_tasks(table, {t: r for t, r in readings.items() if r.scale})
    # metrics that were asked for need no scale here, because only their order counts
    compared = shared_tasks(table, readings)[0] if metrics else scaled
    aggregates, left = standings(table, scaled)
    return {
        "by": list(by) or ["name"],
        "runs": len(counted),
        "tasks": [_task(task, table[task], readings[task]) for task in table],
        "aggregates": aggregates,
        "improvement": improvements(table, compared),
        "study": study(counted, {task.metric: how for task, how in readings.items()}),
        "uncounted": [_uncounted(run, methods) for run in runs if not run.counts],
        "notes": notes + alone + left + _notes(counted, readings),
    }


def _readings(table: Mapping[Task, Any], runs: Sequence[Run], goals, scales) -> dict[Task, Reading]:
    """How each task is read: a metric the same way on every data set."""
    found = {}
    for metric in dict.fromkeys(task.metric for task in table):
        names = {metric.removeprefix("valid/"), f"valid/{metric.removeprefix('valid/')}"}
        recipes = [run.recipe for run in runs if names & run.metrics.keys()]
        found[metric] = reading(metric, recipes, goals, scales)
    return {task: found[task.metric] for task in table}


def _task(task: Task, row: Mapping[str, Cell], how: Reading) -> dict[str, Any]:
    rows = [_row(method, cell) for method, cell in row.items()]
    sign = -1 if how.goal == "max" else 1
    rows.sort(key=lambda r: (math.isnan(r["mean"]), sign * r["mean"], r["method"]))
    for rank, (own, before) in enumerate(zip(rows, [None, *rows], strict=False), 1):
        same = before and math.isclose(own["mean"], before["mean"], rel_tol=_SAME)
        own["rank"] = None if math.isnan(own["mean"]) else before["rank"] if same else rank
    return {
        "data": task.data,
        "metric": task.metric,
        "goal": how.goal,
        "told": how.told,
        "scale": list(how.scale) if how.scale else None,
        "rows": rows,
    }


def _row(method: str, cell: Cell) -> dict[str, Any]:
    spread = as_shown(mean_interval(list(cell.values.values())))
    folders = dict.fromkeys(str(run.path) for run in cell.runs.values())
    seeds = [seed if isinstance(seed, int) else None for seed in cell.values]
    own = {"method": method, "n": len(cell.values), **spread, "seeds": seeds}
    return own | {"runs": list(folders), "facts": _facts(cell.runs.values())}


def _facts(runs: Iterable[Run]) -> dict[str, str]:
    """What must be known of a method's runs; "or" where they differ."""
    found: dict[str, dict[str, None]] = {}
    for run in runs:
        for name, told in run.facts.items():
            found.setdefault(name, {})[told] = None
    return {name: " or ".join(sorted(told)) for name, told in found.items()}


def _uncounted(run: Run, methods: Mapping[Path, str]) -> dict[str, Any]:
    why = run.why or _WHY.get(run.status, "")
    method = methods.get(run.path, "")
    return {"run": str(run.path), "status": run.status, "method": method, "why": why}


def _notes(runs: Sequence[Run], readings: Mapping[Task, Reading]) -> list[str]:
    notes = [
        f"{run.path}: {run.status} after its metrics were measured{f' ({run.why})' * bool(run.why)}"
        for run in runs
        if run.status != "finished"
    ]
    bare = sorted({task.metric for task, how in readings.items() if how.scale is None})
    if bare:
        notes.append(
            f"{', '.join(bare)}: not in the aggregates, since nothing says what scores 0 and 1; "
            f"--scale {bare[0]}=WORST,BEST does"
        )
    return notes + guesses((task.metric, how) for task, how in readings.items())
