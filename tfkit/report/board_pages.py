"""Leaderboard and comparison as pages in the style of the report."""

from __future__ import annotations

from typing import Any

from tfkit.recipe.options import shown
from tfkit.report.numbers import alike, finite, told
from tfkit.report.page import render
from tfkit.report.strips import ends_of, strip_places
from tfkit.report.tables import (
    STATISTICS,
    TESTS,
    better,
    chances,
    comparison_cells,
    listed,
    sides,
)


def leaderboard_page(board: dict[str, Any]) -> str:
    """The HTML of what `leaderboard` found."""
    tasks = [_task(task) for task in board["tasks"]]
    return render(
        "leaderboard.html.jinja",
        {
            "title": "Leaderboard",
            "by": board["by"],
            "runs": board["runs"],
            "tasks": tasks,
            "aggregates": _aggregates(board["aggregates"]),
            "improvement": _improvement(board["improvement"]),
            "study": _study(board["study"]),
            "uncounted": board["uncounted"],
            "notes": board["notes"],
        },
    )


def _study(study: dict[str, Any] | None) -> dict[str, Any] | None:
    if study is None:
        return None
    from tfkit.report.study_page import study_block  # draws, which other pages need not wait for

    return study_block(study)


def comparison_page(found: dict[str, Any]) -> str:
    """The HTML of what `compare` found."""
    metrics = []
    for row in found["metrics"]:
        ends = ends_of([row["a"], row["b"]])
        pair = [
            {"side": side.upper(), "name": own["name"], **_drawn(row[side], ends)}
            for side, own in sides(found)
        ]
        metrics.append(
            {
                "metric": row["metric"],
                "better": better(row["goal"]),
                "told": row["told"],
                "pair": pair,
                "ends": alike(list(ends)),
                "words": row["words"],
                "tested": comparison_cells(row)[2:],
            }
        )
    changes = [(c["path"], shown(c["old"]), shown(c["new"])) for c in found["changes"]]
    title = " and ".join(own["name"] for _, own in sides(found))
    return render(
        "comparison.html.jinja",
        {
            "title": title,
            "sides": sides(found),
            "changes": changes,
            "metrics": metrics,
            "tests": list(TESTS.values()),
            "tested": sum(row["tests"] is not None for row in found["metrics"]),
            "notes": found["notes"],
        },
    )


def _drawn(own: dict[str, Any], ends: tuple[float, float]) -> dict[str, Any]:
    """A spread as words and as a strip."""
    words = told(own["mean"], own["low"], own["high"], own["values"])
    return {**words, "strip": strip_places(own, ends)}


def _task(task: dict[str, Any]) -> dict[str, Any]:
    ends = ends_of(task["rows"])
    rows = [{**own, **_drawn(own, ends)} for own in task["rows"]]
    named = [part for part in (task["data"], task["metric"]) if part]
    left, right = alike(list(ends))
    facts = list(dict.fromkeys(name for own in rows for name in own["facts"]))
    return {**task, "title": " · ".join(named), "better": better(task["goal"]), "rows": rows} | {
        "ends": [left, right],
        "facts": facts,
    }


def _aggregates(aggregates: dict[str, Any] | None) -> dict[str, Any] | None:
    if aggregates is None:
        return None
    rows = []
    for own in aggregates["rows"]:
        cells = [
            told(own[key]["value"], own[key]["low"], own[key]["high"], n=own["n"])
            for key in STATISTICS
        ]
        rows.append({"method": own["method"], "n": own["n"], "cells": cells})
    where = listed(aggregates["tasks"], "; ")
    return {**aggregates, "where": where, "names": list(STATISTICS.values()), "rows": rows}


def _improvement(improvement: dict[str, Any] | None) -> dict[str, Any] | None:
    """The matrix as words, and how far each probability is from one half, in percent."""
    if improvement is None:
        return None
    methods, rows = improvement["methods"], []
    for method, values in zip(methods, improvement["matrix"], strict=True):
        words = chances(methods, method, values)
        depth = [round(200 * abs(v - 0.5)) if finite(v) else 0 for v in values]
        wins = [finite(v) and v > 0.5 for v in values]
        rows.append((method, list(zip(words, depth, wins, strict=True))))
    return {**improvement, "where": listed(improvement["tasks"], "; "), "rows": rows}
