"""Leaderboards and comparisons as text for a terminal and as rows for pandas."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfkit.errors import TfkitError
from tfkit.recipe.options import shown
from tfkit.report.columns import aligned
from tfkit.report.numbers import finite, told
from tfkit.report.study_text import study_text

STATISTICS = {  # key of the aggregates -> how readers know it
    "iqm": "IQM",
    "mean": "mean",
    "median": "median",
    "optimality_gap": "optimality gap",
}

_LISTED = 6  # tasks that a sentence names
TESTS = {"t": "t", "wilcoxon": "Wilcoxon", "sign_flip": "sign flips"}


def leaderboard_text(board: dict[str, Any]) -> str:
    """The leaderboard for a terminal: a ranking a task, then what holds over all tasks."""
    parts = [_task_text(task) for task in board["tasks"]]
    parts += [_aggregates_text(board["aggregates"])] if board["aggregates"] else []
    shared = (board["aggregates"] or {}).get("tasks", [])
    parts += [_improvement_text(board["improvement"], shared)] if board["improvement"] else []
    parts += study_text(board["study"])
    if board["uncounted"]:
        rows = [[r["status"], r["method"] or "–", r["run"], r["why"]] for r in board["uncounted"]]
        parts.append("no metrics\n" + aligned(rows))
    if board["notes"]:
        parts.append("notes\n" + "\n".join(f"  {note}" for note in board["notes"]))
    return "\n\n".join(parts)


def comparison_text(found: dict[str, Any]) -> str:
    """The comparison for a terminal: runs, recipes, every metric, and the same in words."""
    runs = [[side.upper(), own["name"], own["run"]] for side, own in sides(found)]
    changes = [[c["path"], f"{shown(c['old'])} -> {shown(c['new'])}"] for c in found["changes"]]
    head = [
        "",
        "",
        "A",
        "B",
        "B - A by seed",
        *(f"p {name}" for name in TESTS.values()),
        "P(B beats A)",
    ]
    rows = [
        [row["metric"], f"{better(row['goal'])} ({row['told']})", *comparison_cells(row)]
        for row in found["metrics"]
    ]
    parts = [
        aligned(runs),
        "recipes, A -> B\n" + (aligned(changes) if changes else "  no difference"),
        "metrics\n" + aligned([head, *rows]),
        "in words\n" + "\n".join(f"  {row['words']}" for row in found["metrics"]),
    ]
    parts += ["notes\n" + "\n".join(f"  {n}" for n in found["notes"])] if found["notes"] else []
    return "\n\n".join(parts)


def sides(found: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The two runs of a comparison."""
    return [(side, found[side]) for side in ("a", "b")]


def comparison_cells(row: dict[str, Any]) -> list[str]:
    """Both means, their difference, the corrected p-values and P(B beats A) of one metric."""
    means = [spread(row[s], len(row[s]["values"])) for s in "ab"]
    n = len(row["seeds"])
    step = spread({**row, "mean": row["difference"]}, n) if n else "no common seed"
    tests = row["tests"] or {}
    p_values = [p_value(tests.get(k, {}).get("holm")) for k in TESTS]
    return [*means, step, *p_values, chance(row["improvement"])]


def p_value(p: float | None) -> str:
    """Two digits, and no more zeros than anyone believes."""
    if p is None:
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.2g}"


def better(goal: str) -> str:
    """Which way is up."""
    return "larger is better" if goal == "max" else "smaller is better"


def spread(own: Mapping[str, Any], n: int) -> str:
    """A mean with its interval, or with the number of seeds that are too few for one."""
    words = told(own["mean"], own["low"], own["high"], n=n)
    few = own["low"] is None
    return f"{words['mean']} " + (f"({words['interval']})" if few else words["interval"])


def write_rows(path: str | os.PathLike, rows: list[dict[str, Any]]) -> Path:
    """A CSV file; a missing number is an empty cell."""
    import pandas

    target = Path(path)
    try:
        pandas.DataFrame(rows).to_csv(target, index=False)
    except OSError as error:
        raise TfkitError(f"{target} could not be written: {error.strerror or error}.") from error
    return target


def leaderboard_rows(board: dict[str, Any]) -> list[dict[str, Any]]:
    """A row for each method, task and seed, from which every figure can be computed again."""
    rows = []
    for task in board["tasks"]:
        for own in task["rows"]:
            shared = {"method": own["method"]} | {k: task[k] for k in ("data", "metric", "goal")}
            for seed, value in zip(own["seeds"], own["values"], strict=True):
                told = {"seed": seed, "value": value, "rank": own["rank"]}
                rows.append({**shared, **told, **own["facts"]})
    return rows


def _task_text(task: dict[str, Any]) -> str:
    title = " / ".join(filter(None, (task["data"], task["metric"])))
    facts = dict.fromkeys(name for own in task["rows"] for name in own["facts"])
    rows = [
        [
            "–" if own["rank"] is None else str(own["rank"]),
            own["method"],
            spread(own, own["n"]),
            "" if own["low"] is None else f"{own['n']} seeds",
            *(f"{name}: {own['facts'].get(name, '–')}" for name in facts),
        ]
        for own in task["rows"]
    ]
    return f"{title}   {better(task['goal'])} ({task['told']})\n{aligned(rows, right=(0,))}"


def _aggregates_text(aggregates: dict[str, Any]) -> str:
    count = len(aggregates["tasks"])
    head = ["method", *STATISTICS.values(), "seeds"]
    rows = [
        [
            own["method"],
            *(spread({**own[k], "mean": own[k]["value"]}, own["n"]) for k in STATISTICS),
            str(own["n"]),
        ]
        for own in aggregates["rows"]
    ]
    names = f": {listed(aggregates['tasks'])}" if count <= _LISTED else ""
    text = f"over {count} task{'s' * (count > 1)}, scores from 0 (worst) to 1 (best){names}\n"
    text += aligned([head, *rows]) if rows else "  no method has them all"
    for method, why in aggregates["missing"].items():
        text += f"\n  {method} is not here: {', '.join(why)}"
    return text


def _improvement_text(improvement: dict[str, Any], tasks: list[str]) -> str:
    methods = improvement["methods"]
    rows = [
        [method, *chances(methods, method, values)]
        for method, values in zip(methods, improvement["matrix"], strict=True)
    ]
    title = "probability that a run of the row's method beats one of the column's"
    where = "" if improvement["tasks"] == tasks else f": {listed(improvement['tasks'])}"
    return f"{title}{where}\n{aligned([['', *methods], *rows], right=range(1, len(methods) + 1))}"


def listed(tasks: list[str], between: str = ", ") -> str:
    """The tasks by name, or how many there are where the names would be no reading."""
    return between.join(tasks) if len(tasks) <= _LISTED else f"{len(tasks)} tasks"


def chances(methods: list[str], method: str, values: list[float | None]) -> list[str]:
    """A row of the probabilities; nothing is said of a method and itself."""
    pairs = zip(methods, values, strict=True)
    return ["–" if other == method else chance(value) for other, value in pairs]


def chance(value: float | None) -> str:
    """A probability with two digits; too few seeds have none."""
    return f"{value:.2f}" if finite(value) else "few seeds"
