"""A search in pictures: parallel coordinates of its trials, and its best value against time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from tfkit.recipe.paths import short_names
from tfkit.report.numbers import finite, number
from tfkit.report.plots import (
    GRID,
    INK,
    LOG_RATIO,
    MUTED,
    PAPER,
    STYLE,
    colour,
    new_canvas,
    scale_for,
    short,
    to_svg,
)
from tfkit.report.settings import written

_ABSENT = -0.17  # where a line passes an axis that its trial does not have
_BEST = 3  # trials that stand out
_SPREAD = 0.035  # lines of one category are this far apart at most, to be told apart
_UNITS = (("hours", 7200, 3600), ("minutes", 180, 60), ("seconds", 0, 1))


@dataclass(frozen=True)
class Coordinate:
    """One axis: where values lie between 0 and 1.

    Args:
        name: the setting's path, or the objective.
        low: the lower end.
        high: the upper end.
        log: whether it is logarithmic.
        words: of a choice, in order; empty for numbers.
    """

    name: str
    low: float = 0.0
    high: float = 1.0
    log: bool = False
    words: tuple[str, ...] = ()

    def place(self, value: Any) -> float:
        """0 at the lower end, 1 at the upper."""
        if self.words:
            return self.words.index(written(value)) / max(1, len(self.words) - 1)
        ends = (self.low, self.high, float(value))
        low, high, at = map(math.log, ends) if self.log else ends
        return (at - low) / (high - low) if high > low else 0.5

    def ticks(self) -> list[tuple[float, str]]:
        """[(place, label)]"""
        if self.words:
            return [(self.place(word), short(word)) for word in self.words]
        if not self.high > self.low:
            return [(0.5, number(self.low))]
        if self.log:
            first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
            step = max(1, -(-(last - first + 1) // 5))
            values = [10.0**k for k in range(first, last + 1, step)]
            values = values if len(values) > 1 else [self.low, self.high]
        else:
            whole = isinstance(self.low, int) and isinstance(self.high, int)
            values = MaxNLocator(4, integer=whole).tick_values(self.low, self.high)
        return [(self.place(v), f"{v:.3g}") for v in values if self.low <= v <= self.high]


def coordinates(
    trials: Sequence[Mapping[str, Any]], space: Mapping[str, Any], objective: str, alt: str
) -> Markup:
    """Each trial a line through its settings to its objective; the best in the second colour.

    A trial without an objective is dotted and ends before the last axis; a setting that it does not
    have is passed below the axis.

    Args:
        trials: from best to worst: "values", "objective" (or None), "budget".
        space: {path: distribution} of the recipe; what it lacks is told from the values.
        objective: its name.
        alt: the picture in words.
    """
    axes_of = _axes(trials, space, objective)
    with matplotlib.rc_context({**STYLE, "axes.grid": False, "axes.spines.bottom": False}):
        canvas, axes = new_canvas(max(6.4, 1.35 * len(axes_of)), 3.6)
        for column, axis in enumerate(axes_of):
            absent = column < len(axes_of) - 1 and any(_value(t, axis.name) is None for t in trials)
            _draw_axis(axes, column, axis, absent)
        order = [trial for trial in trials if trial["objective"] is not None]
        for rank, trial in reversed(list(enumerate([*order, *_without(trials)]))):
            _draw_trial(axes, axes_of, trial, rank, len(order))
        axes.set_yticks([])
        known = short_names(axis.name for axis in axes_of[:-1])
        names = [*map(short, known.values()), short(objective)]
        axes.set_xticks(range(len(names)), names)
        axes.tick_params(axis="x", length=0, labelcolor=INK, pad=8)
        if sum(map(len, names)) > 11 * len(names):
            for label in axes.get_xticklabels():
                label.set(rotation=18, ha="right", rotation_mode="anchor")
        axes.set_xlim(-0.25, len(names) - 0.45)
        return to_svg(canvas, alt)


def progress(trials: Sequence[Mapping[str, Any]], goal: str, objective: str, alt: str) -> Markup:
    """Every trial when it ended, and the best value so far; crosses below have no value.

    Args:
        trials: with "ended", seconds since the search began.
        goal: max or min.
        objective: its name.
        alt: the picture in words.
    """
    timed = sorted((t for t in trials if finite(t["ended"])), key=lambda t: t["ended"])
    unit, _, seconds = next(u for u in _UNITS if timed[-1]["ended"] >= u[1])
    done = [t for t in timed if t["objective"] is not None]
    x, y = np.array([(t["ended"] / seconds, t["objective"]) for t in done]).T  # [N] each
    best = (np.maximum if goal == "max" else np.minimum).accumulate(y)
    with matplotlib.rc_context(STYLE):
        canvas, axes = new_canvas(6.4, 2.8)
        axes.scatter(x, y, s=22, color=colour(0), alpha=0.75, linewidths=0, zorder=3)
        end = timed[-1]["ended"] / seconds
        axes.step([*x, end], [*best, best[-1]], where="post", color=colour(1))
        scale_for(axes, y)
        lost = [t["ended"] / seconds for t in timed if t["objective"] is None]
        crossed = axes.get_xaxis_transform()  # on the lower edge, whatever the values are
        axes.plot(lost, [0.03] * len(lost), "x", color=MUTED, transform=crossed, markersize=5)
        axes.set_xlabel(f"{unit} since the search began")
        axes.set_ylabel(short(objective))
        axes.set_xlim(left=0)
        return to_svg(canvas, alt)


def _axes(trials, space: Mapping[str, Any], objective: str) -> list[Coordinate]:
    paths = [p for p in space if any(p in t["values"] for t in trials)]
    paths += [p for p in dict.fromkeys(p for t in trials for p in t["values"]) if p not in paths]
    axes = [
        _axis(p, [t["values"][p] for t in trials if p in t["values"]], space.get(p)) for p in paths
    ]
    budgets = [t["budget"] for t in trials if t.get("budget") is not None]
    if len(set(budgets)) > 1:
        axes.append(Coordinate("budget", min(budgets), max(budgets), log=min(budgets) > 0))
    values = [t["objective"] for t in trials if t["objective"] is not None]
    wide = min(values) > 0 and max(values) / min(values) > LOG_RATIO
    return [*axes, Coordinate(objective, min(values), max(values), log=wide)]


def _axis(path: str, values: list, rule: Mapping[str, Any] | None) -> Coordinate:
    rule = rule or {}
    kind = next((k for k in ("float", "int") if k in rule), None)
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    if not numbers or (rule and kind is None):
        every = [*rule.get("choice", []), *([False, True] if "bool" in rule else []), *values]
        return Coordinate(path, words=tuple(dict.fromkeys(map(written, every))))
    ends = [*values, *rule.get(kind, [])]
    return Coordinate(path, min(ends), max(ends), log=bool(rule.get("log")) and min(ends) > 0)


def _value(trial: Mapping[str, Any], name: str) -> Any:
    """A setting, the budget or, by any other name, the objective."""
    if name in trial["values"]:
        return trial["values"][name]
    return trial.get("budget") if name == "budget" else None


def _without(trials: Sequence[Mapping[str, Any]]) -> list:
    return [trial for trial in trials if trial["objective"] is None]


def _draw_axis(axes: Axes, column: int, axis: Coordinate, absent: bool) -> None:
    axes.vlines(column, 0, 1, color=GRID, linewidth=1.4, zorder=1)
    for place, label in axis.ticks():
        _label(axes, column, place, label)
    if absent:
        axes.vlines(column, _ABSENT, 0, color=GRID, linewidth=1, linestyle=(0, (1, 2)), zorder=1)
        _label(axes, column, _ABSENT, "absent")


def _label(axes: Axes, column: int, place: float, label: str) -> None:
    axes.plot([column - 0.02, column + 0.02], [place, place], color=MUTED, linewidth=1, zorder=4)
    axes.text(
        column + 0.04,
        place,
        label,
        color=MUTED,
        fontsize=8,
        va="center",
        zorder=5,
        bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.8, "alpha": 0.75},
    )


def _draw_trial(axes: Axes, all_axes: list[Coordinate], trial, rank: int, done: int) -> None:
    completed = trial["objective"] is not None
    columns, places = [], []
    for column, axis in enumerate(all_axes[:-1]):
        value = _value(trial, axis.name)
        jitter = _SPREAD * (2 * ((rank * 0.618) % 1) - 1) if axis.words else 0.0
        columns.append(column)
        places.append(_ABSENT if value is None else axis.place(value) + jitter)
    if completed:
        columns.append(len(all_axes) - 1)
        places.append(all_axes[-1].place(trial["objective"]))
    best = completed and rank < min(_BEST, max(1, done // 3))
    style = {
        "color": colour(0),
        "alpha": max(0.2, 0.7 - 0.5 * rank / max(1, done)),
        "linewidth": 1.1,
    }
    if best:
        style = {"color": colour(1), "alpha": 1, "linewidth": 2.2}
    elif not completed:
        style = {"color": MUTED, "alpha": 0.7, "linewidth": 1, "linestyle": (0, (1.5, 2))}
    axes.plot(columns, places, zorder=3 if best else 2, **style)
