"""A study's tables and figures for the leaderboard's page."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfkit.figure import Figure
from tfkit.report import plots
from tfkit.report.study_text import percent, rounded

_SAMPLED = "sampled_"


def study_block(study: dict[str, Any] | None) -> dict[str, Any] | None:
    """The variables of the page's part on the study; None where there is none."""
    if study is None:
        return None
    parts = [_part(data, found) for data, found in study["data"].items()]
    transfer = [
        {
            "words": f"by {own['metric']} metric, on {own['data']} data",
            "value": percent(own["value"]),
            "pairs": own["pairs"],
        }
        for own in study["transfer"]
    ]
    return {"parts": parts, "transfer": transfer}


def _part(data, found):
    return {
        "data": data,
        "models": found["models"],
        "violins": _violins(data, found),
        "floors": list(found["floors"]),
        "rows": [_row(own, found["floors"]) for own in found["distributions"]],
        "explained": [_explained(own) for own in found["explained"]],
        "correlation": _correlation(data, found["correlation"]),
        "sampled": [_sampled(data, metric, found["settings"]) for metric in found["sampled"]],
    }


def _row(own, floors):
    keys = ("min", "low", "median", "high", "max")
    known = [floors[name].get(own["metric"]) for name in floors]
    return {
        "metric": own["metric"],
        "method": own["method"],
        "n": own["n"],
        "numbers": [rounded(own[key]) for key in keys],
        "floors": ["–" if value is None else rounded(value) for value in known],
    }


def _explained(own):
    keys = ("method", "method_by_chance", "setting", "setting_by_chance")
    shares = [percent(own[key]) for key in keys]
    return {"metric": own["metric"], "shares": [*shares, percent(1 - own["setting"])]}


def _violins(data, found):
    """A picture a metric: the distribution of each method over strengths and seeds."""
    drawn = []
    for metric in dict.fromkeys(own["metric"] for own in found["distributions"]):
        rows = [own for own in found["distributions"] if own["metric"] == metric]
        values = [own["values"] for own in rows]
        medians = ", ".join(f"{own['method']} {rounded(own['median'])}" for own in rows)
        figure = Figure(
            kind="violins",
            arrays={
                "values": np.concatenate(values),
                "group": np.repeat(np.arange(len(rows)), [len(own) for own in values]),
            },
            caption=f"{metric} of every model, by method.",
            alt=f"Distribution of {metric} on {data} by method; medians: {medians}.",
            labels={"names": [own["method"] for own in rows], "y": metric},
        )
        drawn.append({"metric": metric, "svg": plots.draw(figure)})
    return drawn


def _correlation(data, found):
    names, values = found["metrics"], np.array(found["matrix"], float)
    if len(names) < 2:
        return None
    return plots.draw(
        Figure(
            kind="heatmap",
            arrays={"values": values},
            caption="Spearman's rank correlation of the metrics.",
            alt=f"Heat map of the rank correlations of {len(names)} metrics on {data}.",
            labels={"rows": names, "columns": names, "value": "rank correlation"},
        )
    )


def _sampled(data, metric, settings):
    """A metric of the mean representation beside that of sampled codes, a bar pair a setting."""
    pair = metric, _SAMPLED + metric
    settings = [own for own in settings if None not in [own["means"][key] for key in pair]]
    names = [f"{own['method']}, {own['strength']}" for own in settings]
    values = [[own["means"][key] for own in settings] for key in pair]
    figure = Figure(
        kind="bars",
        arrays={"values": np.array(values)},
        caption=f"{metric} of the means and of sampled codes.",
        alt=f"Bars of {metric} on {data} for {len(names)} settings, of means and of samples.",
        labels={"names": names, "series": ["mean", "sampled"], "y": metric},
    )
    return {"metric": metric, "svg": plots.draw(figure), "series": ["mean", "sampled"]}
