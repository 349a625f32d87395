"""What many trained models say together: how much method, strength and seed matter, and whether
the metrics agree.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tfkit.recipe import difference
from tfkit.report.agreement import AGREEMENT, add_agreement
from tfkit.report.goals import Reading
from tfkit.report.numbers import finite
from tfkit.report.runs import Run
from tfkit.report.tasks import at, data_identity, data_names, is_method_path
from tfkit.statistics.explained import variance_explained
from tfkit.statistics.transfer import transfer_table

LEAST_MODELS = 8  # fewer are no study
_SAMPLED = "sampled_"  # a metric of sampled codes, beside that of their means
_QUARTILES = (0, 25, 50, 75, 100)


@dataclass
class Model:
    """One trained model of a study.

    Args:
        data: name of its data set.
        method: its words: names and kinds, at the paths where the models differ.
        strength: its numbers, at the paths that vary within the method.
        seed: of its training.
        metrics: by name, the finite ones.
        run: its folder.
    """

    data: str
    method: str
    strength: str
    seed: Any
    metrics: dict[str, float]
    run: Run = field(repr=False)

    @property
    def setting(self) -> tuple[str, str]:
        """Method and strength."""
        return self.method, self.strength


def study(runs: Sequence[Run], readings: Mapping[str, Reading]) -> dict[str, Any] | None:
    """The tables of a study, or None where the runs are none: at least eight models on one data
    set, two settings of them from two seeds each, and two metrics.

    Where the runs kept their representations, `udr` is a metric too: how far each model agrees with
    those of the same setting and other seeds.

    Args:
        runs: evaluated ones, oldest first.
        readings: how each metric that counts is read.
    Returns a dict that JSON can hold:
        data: by data set: models, methods, distributions (a row a metric and method: n and
            quartiles), settings (a row a method and strength: n and the means), sampled (metrics
            that were measured on sampled codes too), correlation (metrics, matrix of Spearman's
            rank correlation), explained (a row a metric: R^2 by method and by setting, each with
            its value by chance), floors, goals.
        transfer: rows of `transfer_table` over the metrics of which 1 is the best.
    """
    by_data: dict[str, list[Model]] = {}
    for model in models_of(runs):
        by_data.setdefault(model.data, []).append(model)
    for own in by_data.values():
        add_agreement(own)
    kept = {data: own for data, own in by_data.items() if _is_study(own, readings)}
    if not kept:
        return None
    return {
        "data": {data: _tables(own, readings) for data, own in kept.items()},
        "transfer": transfer_table(_scores(kept, readings)),
    }


def models_of(runs: Sequence[Run]) -> list[Model]:
    """A model for each seed of each run, told apart by the recipe's words and numbers; of two runs
    of one seed the newer counts.
    """
    names, (words, numbers) = data_names(runs), _paths(runs)
    by_method: dict[str, list[Run]] = {}
    for run in runs:
        by_method.setdefault(", ".join(_said(run, words)), []).append(run)
    found = {}
    for method, own in by_method.items():
        varied = [p for p in numbers if len({repr(at(run.recipe, p)) for run in own}) > 1]
        for run in own:
            data, strength = names[data_identity(run)], _strength(run, varied)
            for index, seed in enumerate(run.seeds):
                metrics = {k: v[index] for k, v in run.metrics.items() if finite(v[index])}
                model = Model(data, method, strength, seed, metrics, run)
                found[data, method, strength, seed] = model
    return list(found.values())


def _strength(run, varied) -> str:
    values = {path: at(run.recipe, path) for path in varied}
    return ", ".join(
        f"{path.rpartition('.')[2]} {value:g}"
        for path, value in values.items()
        if value is not None
    )


def _paths(runs):
    """The paths of the recipes that differ: those of words, and those of numbers."""
    paths: dict[str, None] = {}
    for run in runs[1:]:
        changes = difference(runs[0].recipe, run.recipe)
        paths |= {c.path: None for c in changes if is_method_path(c.path)}
    words, numbers = [], []
    for path in paths:
        values = [at(run.recipe, path) for run in runs]
        plain = [value for value in values if value is not None]
        if all(isinstance(v, int | float) and not isinstance(v, bool) for v in plain):
            numbers.append(path)
        elif all(isinstance(value, str | bool) for value in plain):
            words.append(path)
    return words, numbers


def _said(run, words):
    values = (at(run.recipe, path) for path in words)
    return [str(value) for value in values if value is not None] or [str(run.recipe.get("name"))]


def _is_study(models, readings) -> bool:
    settings = [model.setting for model in models]
    several = {setting for setting in settings if settings.count(setting) > 1}
    return len(models) >= LEAST_MODELS and len(several) > 1 and len(_shared(models, readings)) > 1


def _shared(models, readings) -> list[str]:
    """The metrics that count and that every model has."""
    names = [name for name in models[0].metrics if name in readings or name == AGREEMENT]
    return [name for name in names if all(name in model.metrics for model in models)]


def _tables(models, readings):
    metrics = _shared(models, readings)
    values = {m: np.array([model.metrics[m] for model in models]) for m in metrics}
    varied = [m for m in metrics if np.ptp(values[m]) > 0]
    methods = [model.method for model in models]
    settings = [model.setting for model in models]
    return {
        "models": len(models),
        "methods": list(dict.fromkeys(methods)),
        "distributions": [
            {"metric": m, "method": method, **_spread(values[m], methods, method)}
            for m in metrics
            for method in dict.fromkeys(methods)
        ],
        "settings": [
            {
                "method": setting[0],
                "strength": setting[1],
                "n": settings.count(setting),
                "means": {m: float(np.mean(_of(values[m], settings, setting))) for m in metrics},
            }
            for setting in sorted(set(settings), key=_in_order)
        ],
        "sampled": [m for m in metrics if _SAMPLED + m in values],
        "correlation": {"metrics": varied, "matrix": _correlation([values[m] for m in varied])},
        "explained": [_explained(m, values[m], methods, settings) for m in varied],
        "floors": _floors(models, metrics),
        "goals": {m: readings[m].goal for m in metrics if m in readings},
    }


def _in_order(setting):
    """The method, and then the strength as numbers: 5 comes before 100."""
    numbers = [float(word) for word in re.findall(r"[-+.\de]*\d", setting[1])]
    return setting[0], numbers, setting[1]


def _of(values, groups, group):
    return values[[one == group for one in groups]]


def _spread(values, methods, method):
    own = _of(values, methods, method)
    names = ("min", "low", "median", "high", "max")
    found = np.percentile(own, _QUARTILES)
    return {
        "n": len(own),
        **dict(zip(names, map(float, found), strict=True)),
        "values": own.tolist(),
    }


def _correlation(columns) -> list[list[float]]:
    from scipy.stats import rankdata

    return np.corrcoef([rankdata(column) for column in columns]).tolist() if columns else []


def _explained(metric, values, methods, settings):
    method, by_chance = variance_explained(values, methods)
    setting, setting_by_chance = variance_explained(values, settings)
    return {
        "metric": metric,
        "method": method,
        "method_by_chance": by_chance,
        "setting": setting,
        "setting_by_chance": setting_by_chance,
    }


def _floors(models, metrics) -> dict[str, dict[str, float]]:
    """Of each floor the mean over the runs that have it."""
    found: dict[str, dict[str, list[float]]] = {}
    for run in {id(model.run): model.run for model in models}.values():
        for floor, known in run.floors.items():
            for metric in (m for m in metrics if finite(known.get(m))):
                found.setdefault(floor, {}).setdefault(metric, []).append(known[metric])
    return {f: {m: float(np.mean(v)) for m, v in known.items()} for f, known in found.items()}


def _is_score(how: Reading | None) -> bool:
    """Whether a metric has a best value, and it is the largest."""
    return how is not None and how.scale is not None and how.goal == "max"


def _scores(by_data, readings) -> dict[tuple[str, str], np.ndarray]:
    """[settings, seeds] of each score on each data set."""
    everyone = [model for own in by_data.values() for model in own]
    settings = list(dict.fromkeys(model.setting for model in everyone))
    seeds = list(dict.fromkeys(model.seed for model in everyone))
    found = {}
    for data, own in by_data.items():
        for metric in (m for m in _shared(own, readings) if _is_score(readings.get(m))):
            table = np.full((len(settings), len(seeds)), np.nan)
            for model in own:
                place = settings.index(model.setting), seeds.index(model.seed)
                table[place] = readings[metric].score(model.metrics[metric])
            found[data, metric] = table
    return found
