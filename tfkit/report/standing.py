"""Methods over several tasks: aggregates with intervals, and who beats whom how often."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from statistics import fmean
from typing import Any

from tfkit.report.goals import Reading
from tfkit.report.tasks import Cell, Task
from tfkit.statistics.aggregates import aggregate
from tfkit.statistics.bootstrap import bootstrap_interval
from tfkit.statistics.few_seeds import LEAST_SEEDS
from tfkit.statistics.improvement import probability_of_improvement


def shared_tasks(
    table: Mapping[Task, Mapping[str, Cell]], readings: Mapping[Task, Reading]
) -> tuple[dict[Task, Reading], list[str]]:
    """The tasks that can compare methods, and a note on each that only one of several has: it would
    keep all the others from being compared.
    """
    if len({method for task in readings for method in table[task]}) < 2:
        return dict(readings), []
    notes = [
        f"{task}: only {next(iter(table[task]))} has it, so it is not in the aggregates"
        for task in readings
        if len(table[task]) == 1
    ]
    return {task: how for task, how in readings.items() if len(table[task]) > 1}, notes


def standings(
    table: Mapping[Task, Mapping[str, Cell]], readings: Mapping[Task, Reading]
) -> tuple[dict[str, Any] | None, list[str]]:
    """Aggregates of every method that has all the tasks, best interquartile mean first, and notes
    on the seeds that are not among them.

    Where a method has more seeds on one task than on another, those that all its tasks have count,
    if there are enough, else the first of each, so that every task weighs the same.

    Args:
        table: {task: {method: cell}}.
        readings: of the tasks to count.
    """
    if not readings:
        return None, []
    rows, missing, notes = [], {}, []
    for method in _methods(table, readings):
        if lacks := _lacks(table, readings, method):
            missing[method] = lacks
            continue
        scores = {task: _scores(table, how, task, method) for task, how in readings.items()}
        counted = _as_many(scores)
        rows.append(_aggregates(method, list(map(list, zip(*counted, strict=True)))))
        n = len(counted[0])
        if more := [f"{len(s) - n} of {len(s)} on {t}" for t, s in scores.items() if len(s) > n]:
            notes.append(
                f"{method}: seeds that not every task has are not in the aggregates, "
                f"which count {n} a task: {', '.join(more)}"
            )
    rows.sort(key=lambda row: (-row["iqm"]["value"], row["method"]))
    return {"tasks": list(map(str, readings)), "rows": rows, "missing": missing}, notes


def improvements(
    table: Mapping[Task, Mapping[str, Cell]], readings: Mapping[Task, Reading]
) -> dict[str, Any] | None:
    """P(a run of the row's method beats one of the column's), over all seeds of all the tasks.

    Args:
        table: {task: {method: cell}}.
        readings: of the tasks to count; only their goals matter.
    """
    methods = [m for m in _methods(table, readings) if not _lacks(table, readings, m)]
    if len(methods) < 2:
        return None

    def columns(method: str) -> list[list[list[float]]]:  # a column of runs for each task
        scores = [_scores(table, how, task, method).values() for task, how in readings.items()]
        return [[[score] for score in each] for each in scores]

    runs = {method: columns(method) for method in methods}

    def probability(one: str, other: str) -> float | None:
        if one == other or min(map(len, runs[one] + runs[other])) < LEAST_SEEDS:
            return None
        pairs = zip(runs[one], runs[other], strict=True)
        return fmean(probability_of_improvement(*pair) for pair in pairs)

    chances = {one: {other: probability(one, other) for other in methods} for one in methods}
    wins = {one: sum(chance or 0.0 for chance in row.values()) for one, row in chances.items()}
    order = sorted(methods, key=lambda method: (-wins[method], method))
    return {
        "tasks": list(map(str, readings)),
        "methods": order,
        "matrix": [[chances[one][other] for other in order] for one in order],
    }


def _methods(table: Mapping[Task, Mapping[str, Cell]], tasks: Iterable[Task]) -> list[str]:
    return list(dict.fromkeys(method for task in tasks for method in table[task]))


def _lacks(table: Mapping, readings: Mapping[Task, Reading], method: str) -> list[str]:
    """Why the method is not among those that are compared over all tasks."""
    why = []
    for task in readings:
        cell = table[task].get(method)
        if cell is None:
            why.append(f"has no {task}")
        elif not all(map(math.isfinite, cell.values.values())):
            why.append(f"{task} is not finite")
    return why


def _scores(table: Mapping, how: Reading, task: Task, method: str) -> dict[Any, float]:
    """By seed, from 0 at the worst to 1 at the best."""
    return {seed: how.score(value) for seed, value in table[task][method].values.items()}


def _as_many(scores: Mapping[Task, Mapping[Any, float]]) -> list[list[float]]:
    """As many scores of each task: of the common seeds, or of the first where those are few."""
    first, *others = scores.values()
    common = [seed for seed in first if all(seed in each for each in others)]
    if len(common) >= LEAST_SEEDS:
        return [[each[seed] for seed in common] for each in scores.values()]
    shortest = min(map(len, scores.values()))
    return [list(each.values())[:shortest] for each in scores.values()]


def _aggregates(method: str, scores: list[list[float]]) -> dict[str, Any]:
    row: dict[str, Any] = {"method": method, "n": len(scores)}
    for name, value in aggregate(scores).items():
        low, high = None, None
        if len(scores) >= LEAST_SEEDS:
            low, high = bootstrap_interval(scores, statistic=name)
        row[name] = {"value": value, "low": low, "high": high}
    return row
