"""A study's tables as text for a terminal."""

from __future__ import annotations

from typing import Any

from tfkit.report.columns import aligned
from tfkit.report.numbers import number

_SAMPLED = "sampled_"
_SHORT = 12  # letters of a metric at the head of a column


def study_text(study: dict[str, Any] | None) -> list[str]:
    """Blocks of text, in the order in which one asks: how much does what matter, do the metrics
    agree, and does choosing by one help for another.
    """
    if study is None:
        return []
    blocks = []
    for data, found in study["data"].items():
        blocks += [
            _distributions(data, found),
            _explained(data, found),
            _correlation(data, found),
            *([_sampled(data, found)] if found["sampled"] else []),
        ]
    return blocks + ([_transfer(study["transfer"])] if study["transfer"] else [])


def _distributions(data, found) -> str:
    rows = [["", "method", "n", "min", "25 %", "median", "75 %", "max"]]
    before = None
    for own in found["distributions"]:
        numbers = [rounded(own[key]) for key in ("min", "low", "median", "high", "max")]
        head = "" if own["metric"] == before else own["metric"]
        if head and before:
            rows += _floor_rows(found, before)
        rows.append([head, own["method"], str(own["n"]), *numbers])
        before = own["metric"]
    rows += _floor_rows(found, before)
    title = f"study of {found['models']} models on {data}: each method over its strengths and seeds"
    return f"{title}\n{aligned(rows, right=range(2, 8))}"


def _floor_rows(found, metric):
    return [
        ["", f"({floor})", "", "", "", rounded(values[metric]), "", ""]
        for floor, values in found["floors"].items()
        if metric in values
    ]


def _explained(data, found) -> str:
    rows = [["", "method", "(by chance)", "method x strength", "(by chance)", "the rest: seed"]]
    for own in found["explained"]:
        keys = ("method", "method_by_chance", "setting", "setting_by_chance")
        shares = [percent(own[key]) for key in keys]
        rows.append([own["metric"], *shares, percent(1 - own["setting"])])
    title = f"variance explained on {data} (R^2 of the categories, and what chance would give)"
    return f"{title}\n{aligned(rows, right=range(1, 6))}"


def _correlation(data, found) -> str:
    metrics = found["correlation"]["metrics"]
    keys = [str(index + 1) for index in range(len(metrics))]
    rows = [["", *keys]]
    for key, metric, values in zip(keys, metrics, found["correlation"]["matrix"], strict=True):
        rows.append([f"{key} {metric}", *map(_correlated, values)])
    title = f"Spearman's rank correlation of the metrics on {data}"
    return f"{title}\n{aligned(rows, right=range(1, len(rows)))}"


def _sampled(data, found) -> str:
    names = found["sampled"]
    rows = [["", "", "n", *(word for n in names for word in (n[:_SHORT], "sampled"))]]
    for own in found["settings"]:
        pairs = [rounded(own["means"][key]) for n in names for key in (n, _SAMPLED + n)]
        rows.append([own["method"], own["strength"], str(own["n"]), *pairs])
    title = f"means of a setting on {data}: of the mean representation, and of sampled codes"
    told = "; ".join(f"{name[:_SHORT]}: {name}" for name in names if len(name) > _SHORT)
    return f"{title}\n{aligned(rows, right=range(2, len(rows[0])))}" + (
        f"\n  {told}" if told else ""
    )


def _transfer(rows) -> str:
    title = (
        "choosing a setting by a score with one seed: how often it beats a random setting with "
        "another seed"
    )
    told = [["", "value", "pairs"]]
    for own in rows:
        words = f"by {own['metric']} metric, on {own['data']} data"
        told.append([words, percent(own["value"]), str(own["pairs"])])
    return f"{title}\n{aligned(told, right=(1, 2))}"


def _correlated(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}".replace("0.", ".")


def rounded(value: float | None) -> str:
    """Three digits; a dash where there is nothing."""
    if value is None:
        return "–"
    return number(float(f"{value:.3g}"))


def percent(share: float) -> str:
    """A share in percent."""
    return f"{100 * share:.0f} %"
