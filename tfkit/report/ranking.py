"""The search on one table, and the winner's value on fresh seeds beside its value in the search."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfkit.statistics.intervals import mean_interval


def search_block(
    search: dict[str, Any], evaluation: dict[str, Any], curves: list[list[dict]] = ()
) -> dict[str, Any] | None:
    """Trials from best to worst, who won, and what the win was worth.

        gap = value in the search - mean value on fresh seeds      (turned round for goal min)

    The winner of many noisy trials looks better than it is; the gap is what of it did not last.

    Args:
        search: search.json.
        evaluation: evaluation.json of the run that confirms the winner.
        curves: its lines of metrics.jsonl, one list a seed.
    """
    if not search:
        return None
    goal, best = search.get("goal", "max"), search.get("best")
    trials = [_trial(trial, best) for trial in search.get("trials", [])]
    trials.sort(key=lambda trial: _rank(trial, goal))
    paths = dict.fromkeys(path for trial in trials for path in trial["values"])
    winner = next((trial for trial in trials if trial["best"]), None)
    fresh, where = _fresh(evaluation, search.get("objective", ""), curves)
    gap = None
    if winner and winner["objective"] is not None and fresh is not None:
        gap = winner["objective"] - fresh["mean"]
        gap = -gap if goal == "min" else gap
    return {
        "objective": search.get("objective", ""),
        "goal": goal,
        "paths": list(paths),
        "trials": trials,
        "winner": winner,
        "labels": list(search.get("uses_labels") or []),
        "fresh": fresh,
        "where": where,
        "gap": gap,
    }


def _trial(trial: dict[str, Any], best: Any) -> dict[str, Any]:
    value = trial.get("objective")
    finite = isinstance(value, int | float) and bool(np.isfinite(value))
    return {
        "id": str(trial.get("id", "")),
        "values": trial.get("values") or {},
        "objective": float(value) if finite else None,
        "status": str(trial.get("status", "")),
        "seconds": trial.get("seconds"),
        "error": str(trial.get("error") or ""),
        "best": best is not None and trial.get("id") == best,
    }


def _rank(trial: dict[str, Any], goal: str) -> tuple:
    """Those without a value come last, in the order of their ids."""
    value = trial["objective"]
    if value is None:
        return (1, 0.0, trial["id"])
    return (0, -value if goal == "max" else value, trial["id"])


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
    spread = dict(value) if isinstance(value, dict) else {"mean": value, "values": [value]}
    finite = isinstance(spread.get("mean"), int | float) and bool(np.isfinite(spread["mean"]))
    return {"low": None, "high": None, "values": [spread["mean"]], **spread} if finite else None
