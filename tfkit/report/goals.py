"""How a metric is to be read: which way is better, and from worst to best."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tfkit import catalog
from tfkit.docstrings import parse_bounds
from tfkit.errors import UsageError

# what an evaluator's docstring says of a metric that has a better end
_SAID = {"larger is better": "max", "smaller is better": "min"}
ASSUMED = "assumed"


@dataclass(frozen=True)
class Reading:
    """How to read one metric.

    Args:
        goal: whether it is to be large or small.
        told: who says so.
        scale: (worst, best), which scores 0 and 1; None where it has no natural ends.
        chooses: whether its evaluator says that it is "a score", by which models are chosen.
    """

    goal: Literal["max", "min"]
    told: str
    scale: tuple[float, float] | None = None
    chooses: bool = False

    def score(self, value: float) -> float:
        """0 at the worst, 1 at the best; without a scale only the order is right."""
        worst, best = self.scale or ((0.0, 1.0) if self.goal == "max" else (0.0, -1.0))
        return (value - worst) / (best - worst)


def reading(
    metric: str,
    recipes: Iterable[Mapping[str, Any]],
    goals: Mapping[str, str] | None = None,
    scales: Mapping[str, tuple[float, float]] | None = None,
) -> Reading:
    """What is known of a metric, from the nearest source that knows.

    The goal: `goals[metric]`, the order of `scales[metric]`, the `search` of a recipe that searched
    for it, "larger is better" or "smaller is better" in its evaluator's docstring, else max.
    The scale: `scales[metric]`, else bounds in that docstring, "in [0, 1]".

    Args:
        metric: its name; `valid/mig` is read as `mig`.
        recipes: resolved, of the runs that have it.
        goals: {metric: "max" or "min"}.
        scales: {metric: (worst, best)}.
    """
    goals, scales = goals or {}, scales or {}
    name = metric.removeprefix("valid/")
    recipes = list(recipes)
    said = _documented(name, recipes)
    scale = scales.get(metric, scales.get(name))
    own = goals.get(metric, goals.get(name))
    goal, told = _goal(name, recipes, said, scale, own)
    if scale is None:
        bounds = parse_bounds(said)
        if "ge" in bounds and "le" in bounds:
            ends = (bounds["ge"], bounds["le"])
            scale = ends if goal == "max" else ends[::-1]
    if scale is not None and (goal == "max") != (scale[0] < scale[1]):
        raise UsageError(
            f"--goal says {metric} is to be {goal}, --scale {metric}={scale[0]:g},{scale[1]:g} "
            "the opposite; the worst comes first"
        )
    return Reading(goal, told, scale, "a score" in said)


def _goal(
    name: str, recipes: list, said: str, scale: tuple | None, own: str | None
) -> tuple[Literal["max", "min"], str]:
    if own:
        return own, "--goal"
    if scale is not None:
        return ("max" if scale[0] < scale[1] else "min"), "--scale"
    searches = [recipe.get("search") or {} for recipe in recipes]
    searched = {s.get("goal") for s in searches if _objective(s) == name} - {None}
    if len(searched) > 1:
        raise UsageError(
            f"some runs searched for a large {name}, some for a small: say --goal {name}=max"
        )
    if searched:
        return searched.pop(), "the recipe's search"
    for words, goal in _SAID.items():
        if words in said:
            return goal, "its evaluator"
    return "max", ASSUMED


def require_measured(asked: Iterable[str], measured: Iterable[str], option: str) -> None:
    """Refuse an option for metrics that no run has measured: a typo must not count for nothing."""
    if wrong := sorted(set(asked) - set(measured)):
        there = ", ".join(sorted(set(measured))) or "nothing"
        raise UsageError(f"{option}: no run has measured {', '.join(wrong)}; there is {there}")


def guesses(readings: Iterable[tuple[str, Reading]]) -> list[str]:
    """A note on the metrics for which nobody says which way is better; none where all are told."""
    names = sorted({metric for metric, how in readings if how.told == ASSUMED})
    if not names:
        return []
    said = "taken for better where larger, since nothing says which way"
    return [f"{', '.join(names)}: {said}; --goal {names[0]}=min turns it"]


def _objective(search: Mapping[str, Any]) -> str:
    return str(search.get("objective", "")).removeprefix("valid/")


def _documented(metric: str, recipes: list) -> str:
    """What the evaluators of the recipes' models say of the metric."""
    names = {(recipe.get("model") or {}).get("name") for recipe in recipes}
    known = catalog.load()
    models = [known.find("model", name) for name in sorted(filter(None, names))]
    judges = [known.beside(model, "evaluator") for model in models if model]
    gifts = [gift for judge in judges if judge for gift in judge.gives]
    return next((gift["doc"] for gift in gifts if gift["name"] == metric), "")


def parse_goals(texts: Iterable[str]) -> dict[str, str]:
    """`["nll=min", "accuracy=max"]` -> {"nll": "min", "accuracy": "max"}"""
    goals = {}
    for text in texts:
        metric, _, goal = text.rpartition("=")
        if goal not in ("max", "min") or not metric:
            raise UsageError(f"--goal takes METRIC=max or METRIC=min, got {text}")
        goals[metric] = goal
    return goals


def parse_scales(texts: Iterable[str]) -> dict[str, tuple[float, float]]:
    """`["nll=2.3,0"]` -> {"nll": (2.3, 0.0)}, the worst first."""
    scales = {}
    for text in texts:
        metric, _, ends = text.rpartition("=")
        try:
            worst, best = map(float, ends.split(","))
            usable = bool(metric) and worst != best and abs(worst) + abs(best) < float("inf")
        except ValueError:
            usable = False
        if not usable:
            raise UsageError(f"--scale takes METRIC=WORST,BEST, such as accuracy=0,1; got {text}")
        scales[metric] = (worst, best)
    return scales
