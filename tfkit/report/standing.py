"""Methods over several tasks: aggregates with intervals, and who beats whom how often."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tfkit.report.goals import Reading
from tfkit.report.tasks import Cell, Task
from tfkit.statistics.aggregates import aggregate
from tfkit.statistics.bootstrap import bootstrap_interval
from tfkit.statistics.improvement import probability_of_improvement

LEAST_SEEDS = 3  # fewer say nothing about how much the next seed may differ


def standings(
    table: Mapping[Task, Mapping[str, Cell]], readings: Mapping[Task, Reading]
) -> dict[str, Any] | None:
    """Aggregates of every method that has all the tasks, best interquartile mean first.

    Where a method has more seeds on one task than on another, the first of them count, so that
    every task weighs the same.

    Args:
        table: {task: {method: cell}}.
        readings: of the tasks to count.
    """
    if not readings:
        return None
    rows, missing = [], {}
    for method in _methods(table):
        lacks = _lacks(table, readings, method)
        if lacks:
            missing[method] = lacks
        else:
            rows.append(_aggregates(method, _scores(table, readings, method)))
    rows.sort(key=lambda row: (-row["iqm"]["value"], row["method"]))
    return {"tasks": list(map(str, readings)), "rows": rows, "missing": missing}


def improvements(
    table: Mapping[Task, Mapping[str, Cell]], readings: Mapping[Task, Reading]
) -> dict[str, Any] | None:
    """P(a run of the row's method beats one of the column's), over all the tasks.

    Args:
        table: {task: {method: cell}}.
        readings: of the tasks to count; only their goals matter.
    """
    methods = [m for m in _methods(table) if readings and not _lacks(table, readings, m)]
    if len(methods) < 2:
        return None
    scores = {method: _scores(table, readings, method) for method in methods}

    def probability(one: str, other: str) -> float | None:
        known = one != other and min(len(scores[one]), len(scores[other])) >= LEAST_SEEDS
        return probability_of_improvement(scores[one], scores[other]) if known else None

    chances = {one: {other: probability(one, other) for other in methods} for one in methods}
    wins = {one: sum(chance or 0.0 for chance in row.values()) for one, row in chances.items()}
    order = sorted(methods, key=lambda method: (-wins[method], method))
    return {
        "tasks": list(map(str, readings)),
        "methods": order,
        "seeds": [len(scores[method]) for method in order],
        "matrix": [[chances[one][other] for other in order] for one in order],
    }


def _methods(table: Mapping[Task, Mapping[str, Cell]]) -> list[str]:
    return list(dict.fromkeys(method for row in table.values() for method in row))


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


def _scores(table: Mapping, readings: Mapping[Task, Reading], method: str) -> list[list[float]]:
    """[runs, tasks] from 0 at the worst to 1 at the best."""
    columns = [
        [how.score(value) for value in table[task][method].values.values()]
        for task, how in readings.items()
    ]
    return list(map(list, zip(*columns, strict=False)))  # as long as the shortest


def _aggregates(method: str, scores: list[list[float]]) -> dict[str, Any]:
    row: dict[str, Any] = {"method": method, "n": len(scores)}
    for name, value in aggregate(scores).items():
        low, high = None, None
        if len(scores) >= LEAST_SEEDS:
            low, high = bootstrap_interval(scores, statistic=name)
        row[name] = {"value": value, "low": low, "high": high}
    return row
