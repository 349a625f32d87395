"""Methods ranked on tasks, with the uncertainty that few seeds leave."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tfkit.errors import UsageError
from tfkit.report.goals import ASSUMED, Reading, reading
from tfkit.report.runs import Run, find_runs
from tfkit.report.standing import LEAST_SEEDS, improvements, standings
from tfkit.report.tasks import Cell, Task, methods_of, sort_runs
from tfkit.statistics.intervals import mean_interval

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
        by: paths of the resolved recipe, such as `model.name`; none are the recipe's name, with
            what differs where recipes of one name do.
        goals: {metric, or "" for all: "max" or "min"}; see `tfkit.report.goals.reading`.
        scales: {metric: (worst, best)}, what scores 0 and 1 in the aggregates.
    Returns a dict that JSON can hold:
        tasks: data, metric, goal, told (who says so), scale, rows from best to worst: method, rank,
            n, mean, low, high (Student's t over seeds; None below three), values, seeds, runs.
        aggregates: tasks, rows (method, n, and mean, median, iqm, optimality_gap as {"value",
            "low", "high"}, by the stratified bootstrap), missing {method: why it is not among them}
            ; None where no task has a scale.
        improvement: tasks, methods, matrix of P(row beats column), None below three seeds; or None.
        uncounted: run, status, method, why, of the runs without metrics.
        notes: what else a reader must know.
    Raises: UsageError when there is no run, or none has a metric that was asked for.
    """
    runs = find_runs(folders)
    counted = [run for run in runs if run.counts]
    wanted = [name for name in metrics if any(name in run.metrics for run in counted)]
    if missing := set(metrics) - set(wanted):
        known = ", ".join(sorted({name for run in counted for name in run.metrics})) or "nothing"
        raise UsageError(f"no run has measured {', '.join(sorted(missing))}; there is {known}")
    table, notes = sort_runs(counted, wanted, by)
    readings = {task: _reading(task, row, goals, scales) for task, row in table.items()}
    chosen = _counted_tasks(readings, bool(metrics))
    return {
        "by": list(by) or ["name"],
        "runs": len(counted),
        "tasks": [_task(task, table[task], readings[task]) for task in table],
        "aggregates": standings(table, {t: r for t, r in readings.items() if r.scale}),
        "improvement": improvements(table, {task: readings[task] for task in chosen}),
        "uncounted": [_uncounted(run, by) for run in runs if not run.counts],
        "notes": notes + _notes(counted, readings),
    }


def _reading(task: Task, row: Mapping[str, Cell], goals, scales) -> Reading:
    recipes = [run.recipe for cell in row.values() for run in cell.runs.values()]
    return reading(task.metric, recipes, goals, scales)


def _counted_tasks(readings: Mapping[Task, Reading], asked: bool) -> list[Task]:
    """The tasks behind the probability of improvement: those with a scale; metrics that were asked
    for need none, because only their order counts.
    """
    scaled = [task for task, reading in readings.items() if reading.scale]
    return list(readings) if asked else scaled


def _task(task: Task, row: Mapping[str, Cell], how: Reading) -> dict[str, Any]:
    rows = [_row(method, cell) for method, cell in row.items()]
    sign = -1 if how.goal == "max" else 1
    rows.sort(key=lambda r: (math.isnan(r["mean"]), sign * r["mean"], r["method"]))
    for rank, own in enumerate(rows, 1):
        own["rank"] = None if math.isnan(own["mean"]) else rank
    return {
        "data": task.data,
        "metric": task.metric,
        "goal": how.goal,
        "told": how.told,
        "scale": list(how.scale) if how.scale else None,
        "rows": rows,
    }


def _row(method: str, cell: Cell) -> dict[str, Any]:
    spread = mean_interval(list(cell.values.values()))
    if len(cell.values) < LEAST_SEEDS:
        spread |= {"low": None, "high": None}
    folders = dict.fromkeys(str(run.path) for run in cell.runs.values())
    seeds = [seed if isinstance(seed, int) else None for seed in cell.values]
    own = {"method": method, "n": len(cell.values), **spread, "seeds": seeds}
    return own | {"runs": list(folders)}


def _uncounted(run: Run, by: Sequence[str]) -> dict[str, Any]:
    why = run.why or _WHY.get(run.status, "")
    method = methods_of([run], by)[run.path] if run.recipe else ""
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
    guessed = sorted({task.metric for task, how in readings.items() if how.told == ASSUMED})
    if guessed:
        notes.append(
            f"{', '.join(guessed)}: taken for better where larger; --goal {guessed[0]}=min turns it"
        )
    return notes
