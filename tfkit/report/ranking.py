"""The search on one table, and the winner's value on fresh seeds beside its value in the search."""

from __future__ import annotations

from typing import Any

from tfkit.recipe.paths import short_names
from tfkit.report import trial_plots
from tfkit.report.importance import importance
from tfkit.report.numbers import alike, finite, spread_of, told
from tfkit.report.strips import ends_of, strip_places
from tfkit.statistics.intervals import mean_interval

_FEWEST_LINES = 2  # trials below which parallel coordinates show nothing


def search_block(
    search: dict[str, Any], evaluation: dict[str, Any], curves: list[list[dict]] = ()
) -> dict[str, Any] | None:
    """Trials from best to worst, who won, and what the win was worth.

        gap = value in the search - mean value on fresh seeds      (turned round for goal min)

    The winner of many noisy trials looks better than it is; the gap is what of it did not last.
    Trials that were trained on a smaller budget come after those with the full one.

    Args:
        search: search.json.
        evaluation: evaluation.json of the run that confirms the winner.
        curves: its lines of metrics.jsonl, one list a seed.
    """
    if not search:
        return None
    goal, objective = search.get("goal", "max"), search.get("objective", "")
    confirm = search.get("confirm") or {}
    best = confirm.get("winner") or search.get("best")
    trials = [_trial(trial, best) for trial in search.get("trials", [])]
    full = max((trial["budget"] or 0 for trial in trials), default=0)
    trials.sort(key=lambda trial: _rank(trial, goal, full))
    winner = next((trial for trial in trials if trial["best"]), None)
    fresh, where = _confirmed(confirm, best, objective) or _fresh(evaluation, objective, curves)
    gap = None
    if winner and winner["objective"] is not None and fresh is not None:
        gap = winner["objective"] - fresh["mean"]
        gap = -gap if goal == "min" else gap
    names = short_names(path for trial in trials for path in trial["values"])
    return {
        "objective": objective,
        "goal": goal,
        "engine": str((search.get("engine") or {}).get("name", "")),
        "paths": list(names),
        "names": names,
        "conditional": any(set(names) - set(trial["values"]) for trial in trials),
        "trials": trials,
        "states": _states(trials),
        "several_budgets": len({trial["budget"] for trial in trials}) > 1,
        "winner": winner,
        "labels": list(search.get("uses_labels") or []),
        "fresh": fresh,
        "interval": _told(fresh)["interval"],
        "where": where,
        "gap": gap,
        "confirm": _confirm(confirm),
        **_pictures(search, trials),
    }


def _trial(trial: dict[str, Any], best: Any) -> dict[str, Any]:
    value, last = trial.get("objective"), trial.get("last")
    return {
        "id": str(trial.get("id", "")),
        "values": trial.get("values") or {},
        "objective": float(value) if finite(value) else None,
        "last": float(last) if finite(last) else None,
        "status": str(trial.get("status", "")),
        "seconds": trial.get("seconds"),
        "ended": trial.get("ended"),
        "budget": trial.get("budget"),
        "origin": str(trial.get("origin") or ""),
        "error": str(trial.get("error") or ""),
        "best": best is not None and trial.get("id") == best,
    }


def _rank(trial: dict[str, Any], goal: str, full: int) -> tuple:
    """Those without a value come last, in the order of their ids."""
    value = trial["objective"]
    if value is None:
        return (2, 0.0, trial["id"])
    short = (trial["budget"] or full) < full
    return (int(short), -value if goal == "max" else value, trial["id"])


def _states(trials: list[dict[str, Any]]) -> str:
    """How many trials ended how, in words; nothing where all completed."""
    words = [trial["status"] for trial in trials if trial["status"]]
    counts = {word: words.count(word) for word in dict.fromkeys(words)}
    if set(counts) <= {"completed"}:
        return ""
    return ", ".join(f"{count} {word}" for word, count in counts.items())


def _pictures(search: dict[str, Any], trials: list[dict[str, Any]]) -> dict[str, Any]:
    """Parallel coordinates, best value against time and importance, each where it has enough."""
    goal, objective = search.get("goal", "max"), search.get("objective", "")
    done = [trial for trial in trials if trial["objective"] is not None]
    space = search.get("space") or {}
    lines = len(done) >= _FEWEST_LINES and any(trial["values"] for trial in trials)
    timed = [trial for trial in done if finite(trial["ended"])]
    alt = ""
    if done:
        best = "; ".join(f"{path} {value}" for path, value in done[0]["values"].items())
        alt = f"the best, {done[0]['id']}, with {objective} {done[0]['objective']:.4g} at {best}."
    return {
        "coordinates": trial_plots.coordinates(
            trials, space, objective, f"Parallel coordinates of {len(trials)} trials; {alt}"
        )
        if lines
        else None,
        "progress": trial_plots.progress(
            trials, goal, objective, f"Best {objective} against time, {len(timed)} trials; {alt}"
        )
        if len(timed) >= _FEWEST_LINES
        else None,
        "importance": importance(done, space, goal) if lines else {"groups": [], "why": []},
    }


def _confirmed(
    confirm: dict[str, Any], winner: Any, objective: str
) -> tuple[dict | None, str] | None:
    """The winner's objective on fresh seeds, where the search itself confirmed it."""
    known = [each for each in confirm.get("candidates", []) if each.get("id") == winner]
    fresh = _spread(known[0].get("fresh") or {}) if known else None
    where = "validation" if objective.startswith("valid/") else "training"
    return (fresh, where) if fresh else None


def _confirm(confirm: dict[str, Any]) -> dict[str, Any] | None:
    """The table of candidates: in the search, on fresh seeds, the gap, test metrics."""
    candidates = confirm.get("candidates") or []
    if not candidates:
        return None
    spreads = [_spread(each.get("fresh") or {}) for each in candidates]
    searched = [spread_of(each.get("search")) for each in candidates]
    ends = ends_of([*filter(None, spreads), *searched])
    rows = [
        _candidate(each, spread, ends, each.get("id") == confirm.get("winner"))
        for each, spread in zip(candidates, spreads, strict=True)
    ]
    names = dict.fromkeys(name for each in candidates for name in each.get("metrics") or {})
    return {
        "seeds": list(confirm.get("seeds") or []),
        "rows": rows,
        "metrics": list(names),
        "ends": alike(list(ends)),
    }


def _candidate(
    each: dict[str, Any], spread: dict | None, ends: tuple[float, float], won: bool
) -> dict[str, Any]:
    own = spread or {"mean": None, "low": None, "high": None}
    numbers = [each.get("search"), each.get("gap"), own["mean"], own["low"], own["high"]]
    searched, gap, *_ = alike(numbers)
    row = {
        "id": str(each.get("id", "")),
        "rank": each.get("rank"),
        "searched": searched,
        "gap": gap,
        "won": won,
        "fresh": None,
        "metrics": {name: _told(_spread(v)) for name, v in (each.get("metrics") or {}).items()},
    }
    if spread is None:
        return row
    strip = strip_places(spread, ends)
    if strip and finite(each.get("search")):
        strip["also"] = 100 * (each["search"] - ends[0]) / (ends[1] - ends[0])
    return {**row, "fresh": _told(spread), "strip": strip}


def _told(spread: dict | None) -> dict[str, Any]:
    """A spread as words, also one that is not there."""
    return told(**spread) if spread else {"mean": "–", "interval": "", "values": []}


def _fresh(evaluation: dict, objective: str, curves: list) -> tuple[dict | None, str]:
    """The objective measured again after the search, and on which sample.

    The validation sample is the fair comparison; where only the test sample was measured, that is
    said.
    """
    name = objective.removeprefix("valid/")
    valid = evaluation.get("valid") or {}
    for key in (objective, name):
        if key in valid:
            return _spread(valid[key]), "validation"
    logged = [rows[-1][objective] for rows in curves if rows and objective in rows[-1]]
    if logged:  # the objective is what training logs, not what an evaluation measures
        return _spread(mean_interval(logged)), "training"
    metrics = evaluation.get("metrics") or {}
    return (_spread(metrics[name]), "test") if name in metrics else (None, "")


def _spread(value: Any) -> dict | None:
    spread = spread_of(value)
    return spread if finite(spread["mean"]) else None
