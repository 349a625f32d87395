"""Two runs side by side: what differs in their recipes, and whether it made a difference."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tfkit.errors import UsageError
from tfkit.recipe import difference
from tfkit.report.goals import Reading, guesses, reading, require_measured
from tfkit.report.runs import Run, names_of, read_run
from tfkit.report.tables import TESTS
from tfkit.report.tasks import data_identity
from tfkit.report.verdict import better_of, words_of
from tfkit.statistics.few_seeds import LEAST_SEEDS, as_shown
from tfkit.statistics.improvement import probability_of_improvement
from tfkit.statistics.intervals import mean_interval
from tfkit.statistics.paired import holm, paired_tests


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
        goals: {metric: "max" or "min"}; see `tfkit.report.goals.reading`.
    Returns a dict that JSON can hold:
        a, b: run, name, seeds. changes: path, old, new of the recipes.
        metrics: metric, goal, told, a and b (mean, low, high, values), seeds (the common ones),
            unpaired (common, but not finite in both), means (a's and b's over the common seeds
            where these are tested, else over all), better ("a", "b" or None) by these, improvement
            (P(a run of b beats one of a)) of these, difference, low, high, tests ({t, wilcoxon,
            sign_flip}: {"p", "holm"}, of which t is None where all differences are equal), least,
            words.
        notes: what else a reader must know.
    Raises: UsageError where a folder is no run, a run was not evaluated, or no metric is common.
    """
    first, second = _evaluated(Path(a)), _evaluated(Path(b))
    names = names_of((first, second))
    common = _common(first, second, metrics)
    measured = {*first.metrics, *second.metrics}
    measured |= {name.removeprefix("valid/") for name in measured}
    require_measured(goals or (), measured, "--goal")
    rows = [_row(first, second, metric, goals) for metric in common]
    tested = _correct(rows)
    for row in rows:
        row["words"] = words_of(row, names, tested)
    changes = difference(first.recipe, second.recipe)
    return {
        "a": {"run": str(first.path), "name": names[0], "seeds": _seeds(first)},
        "b": {"run": str(second.path), "name": names[1], "seeds": _seeds(second)},
        "changes": [change._asdict() for change in changes],
        "metrics": rows,
        "notes": _notes(first, second, changes, rows)
        + guesses((row["metric"], Reading(row["goal"], row["told"])) for row in rows),
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
    row |= {"seeds": list(paired), "unpaired": [s for s in pairs if s not in paired]}
    row |= _tested(list(paired.values()))
    if row["tests"]:  # what is said of the runs is said of the seeds that are tested
        values = [{seed: side[seed] for seed in paired} for side in values]
    means = [_spread(side)["mean"] for side in values]
    all_finite = math.isfinite(row["a"]["mean"] + row["b"]["mean"])
    row |= {"means": means, "better": better_of(means, how.goal) if all_finite else None}
    return row | {"improvement": _chance(*values, how)}


def _spread(values: Mapping[Any, float]) -> dict[str, Any]:
    return as_shown(mean_interval(list(values.values())))


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


def _correct(rows: Sequence[dict[str, Any]]) -> int:
    """Holm's correction over the metrics, for each test on its own; how many were tested."""
    tested = [row["tests"] for row in rows if row["tests"]]
    for name in TESTS:
        for tests in tested:
            tests[name]["holm"] = None
        known = [tests[name] for tests in tested if tests[name]["p"] is not None]
        for own, value in zip(known, holm([own["p"] for own in known]), strict=True):
            own["holm"] = value
    return len(tested)


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
    for run, other in ((a, b), (b, a)):
        alone = [seed for seed in _seeds(run) if seed not in other.seeds and seed is not None]
        if alone and len(alone) < len(run.seeds):
            notes.append(
                f"{run.path}: seed {', '.join(map(str, alone))} is not in the other run, so it "
                "counts in this run's mean and in no test"
            )
        if run.status != "finished":
            notes.append(f"{run.path}: {run.status} after its metrics were measured")
    return notes
