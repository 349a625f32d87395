"""Two runs side by side: what differs in their recipes, and whether it made a difference."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tfkit.errors import UsageError
from tfkit.recipe import difference
from tfkit.report.goals import Reading, reading
from tfkit.report.numbers import alike
from tfkit.report.runs import Run, read_run
from tfkit.report.standing import LEAST_SEEDS
from tfkit.report.tables import TESTS, p_value
from tfkit.report.tasks import data_identity
from tfkit.statistics.improvement import probability_of_improvement
from tfkit.statistics.intervals import mean_interval
from tfkit.statistics.paired import holm, paired_tests

_LEVEL = 0.05


def compare(
    a: str | os.PathLike,
    b: str | os.PathLike,
    *,
    metrics: Sequence[str] = (),
    goals: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Compare two runs, metric by metric, and pair their seeds.

    The same seed draws the same batches in both runs, so that the difference by seed varies less
    than the runs do. p-values are given as they are and after Holm's correction for the number of
    metrics.

    Args:
        a: the first run's folder.
        b: the second's; differences are b - a.
        metrics: those to compare; none are all that both measured on the test sample.
        goals: {metric, or "" for all: "max" or "min"}; see `tfkit.report.goals.reading`.
    Returns a dict that JSON can hold:
        a, b: run, name, seeds. changes: path, old, new of the recipes.
        metrics: metric, goal, told, a and b (mean, low, high, values), better ("a", "b" or None),
            seeds (the common ones), difference, low, high, tests ({t, wilcoxon, sign_flip}: {"p",
            "holm"}), least, improvement (P(a run of b beats one of a)), words.
        notes: what else a reader must know.
    Raises: UsageError where a folder is no run, a run was not evaluated, or no metric is common.
    """
    first, second = _evaluated(Path(a)), _evaluated(Path(b))
    names = _names(first, second)
    common = _common(first, second, metrics)
    rows = [_row(first, second, metric, goals) for metric in common]
    _correct(rows)
    for row in rows:
        row["words"] = _words(row, names, len(rows))
    changes = difference(first.recipe, second.recipe)
    return {
        "a": {"run": str(first.path), "name": names[0], "seeds": _seeds(first)},
        "b": {"run": str(second.path), "name": names[1], "seeds": _seeds(second)},
        "changes": [change._asdict() for change in changes],
        "metrics": rows,
        "notes": _notes(first, second, changes, rows),
    }


def comparison_rows(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row for each metric, run and seed, from which every figure can be computed again."""
    return [
        {"metric": row["metric"], "goal": row["goal"], "run": found[side]["run"]}
        | {"seed": seed, "value": value}
        for row in found["metrics"]
        for side in ("a", "b")
        for seed, value in zip(found[side]["seeds"], row[side]["values"], strict=True)
    ]


def _evaluated(path: Path) -> Run:
    run = read_run(path)
    if not run.counts:
        why = f" ({run.why})" if run.why else ""
        raise UsageError(f"{path} has no metrics to compare: it is {run.status}{why}")
    return run


def _names(a: Run, b: Run) -> tuple[str, str]:
    """The recipes' names, or the folders' where those are the same."""
    names = [str(run.recipe.get("name") or run.path.name) for run in (a, b)]
    if names[0] == names[1]:
        names = [run.path.resolve().name for run in (a, b)]
    if names[0] == names[1]:
        names = [str(run.path) for run in (a, b)]
    return names[0], names[1]


def _common(a: Run, b: Run, wanted: Sequence[str]) -> list[str]:
    both = [name for name in a.metrics if name in b.metrics]
    if missing := [name for name in wanted if name not in both]:
        raise UsageError(f"not measured in both runs: {', '.join(missing)}; {_measured(a, b)}")
    chosen = list(wanted) or [name for name in both if not name.startswith("valid/")]
    if not chosen:
        raise UsageError(f"the runs have no metric in common; {_measured(a, b)}")
    return chosen


def _measured(a: Run, b: Run) -> str:
    return "; ".join(f"{run.path} has {', '.join(run.metrics)}" for run in (a, b))


def _seeds(run: Run) -> list[int | None]:
    return [seed if isinstance(seed, int) else None for seed in run.seeds]


def _row(a: Run, b: Run, metric: str, goals: Mapping[str, str] | None) -> dict[str, Any]:
    how = reading(metric, [a.recipe, b.recipe], goals)
    values = [dict(zip(run.seeds, run.metrics[metric], strict=True)) for run in (a, b)]
    pairs = {s: (values[0][s], values[1][s]) for s in values[0] if s in values[1]}
    paired = {s: pair for s, pair in pairs.items() if all(map(math.isfinite, pair))}
    row: dict[str, Any] = {"metric": metric, "goal": how.goal, "told": how.told}
    row |= {"a": _spread(values[0]), "b": _spread(values[1])}
    row |= {"better": _better(row, how), "seeds": list(paired)}
    row |= {"unpaired": [s for s in pairs if s not in paired]}
    return row | _tested(list(paired.values())) | {"improvement": _chance(*values, how)}


def _spread(values: Mapping[Any, float]) -> dict[str, Any]:
    spread = mean_interval(list(values.values()))
    few = len(values) < LEAST_SEEDS
    return spread | {"low": None, "high": None} if few else spread


def _better(row: Mapping[str, Any], how: Reading) -> str | None:
    one, other = how.score(row["a"]["mean"]), how.score(row["b"]["mean"])
    if one == other or not math.isfinite(other - one):
        return None
    return "b" if other > one else "a"


def _tested(pairs: list[tuple[float, float]]) -> dict[str, Any]:
    none = {"difference": None, "low": None, "high": None, "tests": None, "least": None}
    if not pairs:
        return none
    one, other = zip(*pairs, strict=True)
    found = paired_tests(other, one)
    if found["n"] < LEAST_SEEDS:
        return none | {"difference": found["difference"]}
    shown = {key: found[key] for key in ("difference", "low", "high", "least")}
    return shown | {"tests": {name: {"p": found[name]} for name in TESTS}}


def _chance(a: Mapping[Any, float], b: Mapping[Any, float], how: Reading) -> float | None:
    known = [[[how.score(v)] for v in side.values()] for side in (b, a)]
    if min(map(len, known)) < LEAST_SEEDS or not all(math.isfinite(v) for s in known for [v] in s):
        return None
    return probability_of_improvement(*known)


def _correct(rows: Sequence[dict[str, Any]]) -> None:
    """Holm's correction over the metrics, for each test on its own."""
    tested = [row for row in rows if row["tests"]]
    for name in TESTS:
        adjusted = holm([row["tests"][name]["p"] for row in tested])
        for row, value in zip(tested, adjusted, strict=True):
            row["tests"][name]["holm"] = value


def _words(row: Mapping[str, Any], names: tuple[str, str], metrics: int) -> str:
    """The row as a sentence that says no more than it can."""
    if row["better"] is None:
        equal = row["a"]["mean"] == row["b"]["mean"]
        return f"{row['metric']}: " + ("equal means." if equal else "not finite, so no better one.")
    winner, loser = names if row["better"] == "a" else names[::-1]
    best, worst = (row[s]["mean"] for s in (("a", "b") if row["better"] == "a" else ("b", "a")))
    text = (
        f"{row['metric']}: {winner} has the better mean, {' against '.join(alike([best, worst]))}"
    )
    if row["tests"] is None:
        n = len(row["seeds"])
        few = (
            "no seed is common, so nothing is paired" if n == 0 else f"n={n}, so nothing is tested"
        )
        return f"{text}; {few}."
    step, low, high = alike([row["difference"], row["low"], row["high"]])
    text += (
        f"; {names[1]} - {names[0]} is {step} [{low}, {high}] over {len(row['seeds'])} common seeds"
    )
    chance = row["improvement"]
    if chance is not None:
        odds = chance if row["better"] == "b" else 1 - chance
        text += f", and a run of {winner} beats one of {loser} with probability {odds:.2f}"
    return f"{text}. {_verdict(row, metrics)}"


def _verdict(row: Mapping[str, Any], metrics: int) -> str:
    least, test = row["least"] * metrics, row["tests"]["sign_flip"]
    for_all = f" (corrected for {metrics} metrics)" if metrics > 1 else ""
    if least > _LEVEL:
        return (
            f"If differences are normal, {_p(row['tests']['t']['holm'])}{for_all}; "
            f"without supposing so, so few seeds cannot give less than {p_value(min(1.0, least))}."
        )
    said = f"{_p(test['holm'])}{for_all}, by sign flips"
    beyond = test["holm"] <= _LEVEL
    return f"{'More than' if beyond else 'Not more than'} chance would do at 5 %: {said}."


def _p(value: float) -> str:
    text = p_value(value)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def _notes(a: Run, b: Run, changes: Sequence, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    notes = []
    if data_identity(a) != data_identity(b):
        notes.append("the runs were measured on different data, so seeds pair nothing but numbers")
    settings = [c.path for c in changes if c.path.startswith("evaluate.")]
    settings = [path for path in settings if path not in ("evaluate.seeds", "evaluate.metrics")]
    if settings:
        notes.append(f"measured with different {', '.join(settings)}, which may move the figures")
    for row in rows:
        if row["unpaired"]:
            seeds = ", ".join(map(str, row["unpaired"]))
            notes.append(
                f"{row['metric']}: seed {seeds} is not finite and was left out of the tests"
            )
    for run in (a, b):
        if run.status != "finished":
            notes.append(f"{run.path}: {run.status} after its metrics were measured")
    return notes
