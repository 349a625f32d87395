"""What the report says: from the files of a run to the words, numbers and pictures of its page."""

from __future__ import annotations

import shlex
from typing import Any

import numpy as np

from tfkit import catalog
from tfkit.report import plots, settings
from tfkit.report.figures import prepared
from tfkit.report.folder import RunFolder
from tfkit.report.numbers import finite, number, spread_of, told
from tfkit.report.ranking import search_block
from tfkit.report.strips import ends_of, strip_places
from tfkit.statistics.few_seeds import LEAST_SEEDS

_STATUS = {  # word -> what it means, in the page's header
    "finished": "The run finished.",
    "diverged": "The loss became NaN or infinite; the last good checkpoint was kept.",
    "interrupted": "The run was interrupted and can be resumed.",
    "failed": "The run failed.",
    "running": "The run had not finished when this page was written.",
}
_APART = ("export", "status", "diverged")  # of the provenance, shown elsewhere on the page


def content(run: RunFolder) -> dict[str, Any]:
    """The variables of report.html.jinja."""
    status = run.status
    curves = _curves(run)
    return {
        "name": run.resolved.get("name") or run.path.name,
        "folder": str(run.path),
        "method": _name(run.resolved.get("model")),
        "data": _name(run.resolved.get("data")),
        "status": {"word": status, "meaning": _meaning(run, status)},
        "shown": run.evaluation.get("shown"),
        "error": run.error.strip(),
        "seeds": _seeds(run),
        "metrics": [_metric(name, value) for name, value in _metrics(run).items()],
        "definitions": _definitions(run),
        "floors": _floors(run),
        "told": run.evaluation.get("facts") or {},
        "least": LEAST_SEEDS,
        "split": run.evaluation.get("split", "test"),
        "search": search_block(run.search, run.evaluation, list(run.curves.values())),
        "curves": curves,
        "has_valid": any("valid" in multiple["kinds"] for multiple in curves),
        "figures": _figures(run),
        "settings": settings.lines(run.resolved, catalog.load()),
        "provenance": _flat({k: v for k, v in run.provenance.items() if k not in _APART}),
        "export": run.provenance.get("export") or {},
        "commands": _commands(run, status),
        "timing": _timing(run.timing),
    }


def _metrics(run: RunFolder) -> dict[str, Any]:
    """The evaluation's metrics, then what it measured on the validation sample."""
    valid = run.evaluation.get("valid") or {}
    named = {k if k.startswith("valid/") else f"valid/{k}": v for k, v in valid.items()}
    return {**(run.evaluation.get("metrics") or {}), **named}


def _metric(name: str, value: Any) -> dict[str, Any]:
    """A metric's mean, interval and values as words, and on a strip of their own."""
    spread = spread_of(value)
    # on a scale of its own a strip without an interval says nothing
    strip = None if spread["low"] is None else strip_places(spread, ends_of([spread]))
    return {"name": name, **told(**spread), "strip": strip}


def _definitions(run: RunFolder) -> dict[str, str]:
    """What the method's evaluator says of each metric that this run has."""
    known = catalog.load()
    model = known.find("model", _name(run.resolved.get("model")))
    evaluator = known.beside(model, "evaluator") if model else None
    told = {gift["name"]: gift["doc"] for gift in evaluator.gives} if evaluator else {}
    return {name: told[name] for name in run.evaluation.get("metrics") or {} if name in told}


def _floors(run: RunFolder) -> dict[str, Any] | None:
    """The metrics of what learned nothing, a row each below those of the run."""
    floors = run.evaluation.get("floors") or {}
    own = run.evaluation.get("metrics") or {}
    names = [name for name in own if any(name in known for known in floors.values())]
    if not names:
        return None
    means = {name: spread_of(own[name])["mean"] for name in names}
    rows = {"this run": means, **floors}
    cells = [
        (row, [number(float(f"{known[n]:.3g}")) if finite(known.get(n)) else "–" for n in names])
        for row, known in rows.items()
    ]
    return {"names": names, "rows": cells}


def _meaning(run: RunFolder, status: str) -> str:
    where = run.provenance.get("diverged")
    if status != "diverged" or not where:
        return _STATUS.get(status, "")
    return f"{_STATUS[status]} First seen at step {where.get('step')} in {where.get('tensor')}."


def _name(component: Any) -> str:
    return str(component.get("name", "")) if isinstance(component, dict) else str(component or "")


def _seeds(run: RunFolder) -> list:
    evaluated = run.evaluation.get("seeds") or [run.evaluation.get("seed")]
    known = [seed for seed in evaluated if seed is not None]
    return known or list((run.resolved.get("evaluate") or {}).get("seeds") or [])


def _curves(run: RunFolder) -> list[dict[str, Any]]:
    """One small multiple per metric: train in the first colour, valid in the second."""
    lines = [line for rows in run.curves.values() for line in rows]
    names = [(line.get("stage", ""), _base(key)) for line in lines for key in line]
    multiples = []
    for stage, name in dict.fromkeys(names):
        series = []
        for rows in run.curves.values():
            own = [row for row in rows if row.get("stage", "") == stage]
            for index, key in enumerate((name, f"valid/{name}")):
                points = [(row["step"], row[key]) for row in own if finite(row.get(key))]
                if points:
                    series.append((*np.array(points, float).T, index))
        if series and name != "step":
            title = f"{stage}: {name}" if stage else name
            multiples.append(_multiple(title, series, len(run.curves)))
    return multiples


def _multiple(name: str, series: list, runs: int) -> dict[str, Any]:
    """The picture, and in words where each line starts and ends."""
    kinds = {0: "train", 1: "valid"}
    ends = "; ".join(
        f"{kinds[index]} from {number(float(values[0]))} to {number(float(values[-1]))}"
        for _, values, index in series[:6]
    )
    alt = f"{name} over steps, {runs} training run{'s' if runs > 1 else ''}: {ends}."
    kept = sorted({index for _, _, index in series})
    return {"name": name, "svg": plots.curve(series, alt), "kinds": [kinds[k] for k in kept]}


def _base(key: str) -> str:
    return key.removeprefix("valid/")


def _figures(run: RunFolder) -> list[dict[str, Any]]:
    """Pictures of data first: they tell a reader most."""
    order = sorted(run.figures.items(), key=lambda item: item[1].kind != "images")
    return [prepared(name, figure) for name, figure in order]


def _flat(tree: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """[("git.sha", "…")]: one line a leaf; a list of words is one line."""
    rows = []
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            rows += _flat(value, f"{prefix}{key}.")
        elif isinstance(value, list) and key == "argv":
            rows.append((prefix + key, shlex.join(map(str, value))))
        elif isinstance(value, list):
            rows.append((prefix + key, ", ".join(settings.written(v) for v in value) or "–"))
        else:
            rows.append((prefix + key, "–" if value is None else settings.written(value)))
    return rows


def _commands(run: RunFolder, status: str) -> list[dict[str, str]]:
    """What to type for the same numbers, in order."""
    folder = shlex.quote(str(run.path))
    git = run.provenance.get("git")
    sha = (git.get("sha") or git.get("commit")) if isinstance(git, dict) else git
    commands = []
    if sha:
        changed = isinstance(git, dict) and git.get("uncommitted_sha256")
        what = "the same source, but for uncommitted changes" if changed else "the same source"
        commands.append({"what": what, "line": f"git checkout {shlex.quote(str(sha))}"})
    if status in ("interrupted", "running"):
        commands.append({"what": "go on from here", "line": f"tfkit run --resume {folder}"})
    if run.best:
        best = shlex.quote(str(run.best))
        commands.append({"what": "the winner of the search alone", "line": f"tfkit run {best}"})
    again = shlex.quote(str(run.path / "resolved.yaml"))
    commands.append({"what": "the same run, in a new folder", "line": f"tfkit run {again}"})
    commands.append({"what": "the metrics alone, again", "line": f"tfkit evaluate {folder}"})
    export = run.provenance.get("export") or {}
    if export.get("folder"):
        target = shlex.quote(str(export["folder"]))
        commands.append(
            {"what": "answers from the export", "line": f"tfkit predict {target} --input FILE"}
        )
    return commands


def _timing(runs: list[list[dict]]) -> dict[str, str] | None:
    """Steps of one run, seconds of all, steps a second: the median over chunks."""
    rows = [row for run in runs for row in run if finite(row.get("seconds"))]
    rates = [row["steps_per_second"] for row in rows if finite(row.get("steps_per_second"))]
    if not rates:
        return None
    last = {row.get("stage", ""): row["step"] for row in rows}  # steps begin anew with a stage
    return {
        "steps": number(int(sum(last.values()))),
        "seconds": number(round(sum(row["seconds"] for row in rows), 1)),
        "rate": f"{np.median(rates):.3g}",
    }
