"""What many trained models say together: how much method, strength and seed matter, and whether
the metrics agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tfkit.report.agreement import AGREEMENT, add_agreement
from tfkit.report.goals import Reading
from tfkit.report.numbers import finite
from tfkit.report.runs import Run
from tfkit.report.trained import Model, in_order, models_of
from tfkit.statistics.explained import variance_explained
from tfkit.statistics.transfer import transfer_table

LEAST_MODELS = 8  # fewer are no study
_SAMPLED = "sampled_"  # a metric of sampled codes, beside that of their means
_QUARTILES = (0, 25, 50, 75, 100)


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
        transfer: rows of `transfer_table` over the metrics that their evaluator calls a score.
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


def _is_study(models, readings) -> bool:
    settings = [model.setting for model in models]
    several = {setting for setting in settings if settings.count(setting) > 1}
    return len(models) >= LEAST_MODELS and len(several) > 1 and len(_shared(models, readings)) > 1


def _shared(models, readings) -> list[str]:
    """The metrics that count and that enough models have: one that lacks it costs no other one."""
    names = dict.fromkeys(name for model in models for name in model.metrics)
    counted = [name for name in names if name in readings or name == AGREEMENT]
    return [name for name in counted if np.isfinite(_values(models, name)).sum() >= LEAST_MODELS]


def _values(models, metric) -> np.ndarray:
    return np.array([model.metrics.get(metric, np.nan) for model in models])


def _tables(models, readings):
    metrics = _shared(models, readings)
    values = {m: _values(models, m) for m in metrics}
    varied = [m for m in metrics if np.nanmax(values[m]) > np.nanmin(values[m])]
    methods = [model.method for model in models]
    settings = [model.setting for model in models]
    spreads = [
        {"metric": m, "method": method, **spread}
        for m in metrics
        for method in dict.fromkeys(methods)
        if (spread := _spread(_of(values[m], methods, method)))
    ]
    return {
        "models": len(models),
        "methods": list(dict.fromkeys(methods)),
        "distributions": spreads,
        "settings": [
            {
                "method": setting[0],
                "strength": setting[1],
                "n": settings.count(setting),
                "means": {m: _mean(_of(values[m], settings, setting)) for m in metrics},
            }
            for setting in sorted(set(settings), key=in_order)
        ],
        "sampled": [m for m in metrics if _SAMPLED + m in values],
        "correlation": {"metrics": varied, "matrix": _correlation([values[m] for m in varied])},
        "explained": [_explained(m, values[m], methods, settings) for m in varied],
        "floors": _floors(models, metrics),
        "goals": {m: readings[m].goal for m in metrics if m in readings},
    }


def _of(values, groups, group):
    """The values of a group that are there."""
    own = values[[one == group for one in groups]]
    return own[np.isfinite(own)]


def _mean(values) -> float | None:
    return float(values.mean()) if len(values) else None


def _spread(own) -> dict[str, Any] | None:
    if not len(own):
        return None
    names = ("min", "low", "median", "high", "max")
    found = np.percentile(own, _QUARTILES)
    quartiles = dict(zip(names, map(float, found), strict=True))
    return {"n": len(own), **quartiles, "values": own.tolist()}


def _correlation(columns) -> list[list[float | None]]:
    """Spearman's of every two columns, over the models that have both."""
    return [[_ranked_alike(one, other) for other in columns] for one in columns]


def _ranked_alike(one, other) -> float | None:
    both = np.isfinite(one) & np.isfinite(other)
    ranks = [_ranks(column[both]) for column in (one, other)]
    if both.sum() < 2 or any(np.ptp(rank) == 0 for rank in ranks):
        return None
    return float(np.corrcoef(ranks)[0, 1])


def _ranks(values) -> np.ndarray:
    """Ranks from 1, equal values share their mean (scipy.stats costs a second to import)."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[places]


def _explained(metric, values, methods, settings):
    there = np.isfinite(values)
    kept = [
        [g for g, known in zip(groups, there, strict=True) if known]
        for groups in (methods, settings)
    ]
    method, by_chance = variance_explained(values[there], kept[0])
    setting, setting_by_chance = variance_explained(values[there], kept[1])
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
    """Whether models are chosen by a metric, and it has a best value, the largest."""
    return how is not None and how.chooses and how.scale is not None and how.goal == "max"


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
                value = model.metrics.get(metric, np.nan)
                table[place] = readings[metric].score(value)
            found[data, metric] = table
    return found
