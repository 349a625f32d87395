"""What `explain` found, as a page and as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tfkit.report.columns import aligned
from tfkit.report.figures import prepared
from tfkit.report.page import render


def explained_page(found: Mapping[str, Any]) -> str:
    """The HTML of what `explain` found."""
    return render(
        "explained.html.jinja",
        {
            "title": "What the models look at",
            "examples": found["examples"],
            "notes": found["notes"],
            "methods": _methods(found),
            "runs": [{**run, "cells": _cells(run, found)} for run in found["runs"]],
            "figures": [prepared(name, figure) for name, figure in found["figures"].items()],
        },
    )


def explained_text(found: Mapping[str, Any]) -> str:
    """A line for each run, and what else to know."""
    head = ["share on the region", *_methods(found), "seed", "folder"]
    rows = [
        [run["name"], *_cells(run, found), str(run["seed"]), run["run"]] for run in found["runs"]
    ]
    table = aligned([head, *rows], right=range(1, len(head) - 1))
    return "\n".join([table, *(f"note: {note}" for note in found["notes"])])


def _methods(found) -> list[str]:
    return [name.replace("_", " ") for name in found["figures"]]


def _cells(run, found) -> list[str]:
    shares = [run["shares"][method] for method in found["figures"]]
    return ["–" if share is None else f"{share:.3f}" for share in shares]
