"""Figures of rooms as the pages show them."""

from __future__ import annotations

from typing import Any

from tfkit.figure import Figure
from tfkit.report import plots
from tfkit.report.images import strips


def prepared(name: str, figure: Figure) -> dict[str, Any]:
    """What `figure.html.jinja` draws: strips of pictures, or a drawing with the names of its
    series.
    """
    shown = {"name": name.replace("_", " "), "caption": figure.caption, "kind": figure.kind}
    if figure.kind == "images":
        columns = figure.labels.get("columns") or []
        count = figure.arrays["images"].shape[1]
        return {**shown, "strips": strips(figure), "columns": columns, "count": count}
    series = figure.labels.get("series") or figure.labels.get("groups") or []
    return {**shown, "svg": plots.draw(figure), "series": series}
