"""Trained models sorted by what made them: data, method, strength, seed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tfkit.recipe import difference
from tfkit.report.numbers import finite
from tfkit.report.runs import Run
from tfkit.report.tasks import at, data_identity, data_names, is_method_path

_MODEL = "model.name"


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


def models_of(runs: Sequence[Run]) -> list[Model]:
    """A model for each seed of each run; of two runs of one seed the newer counts.

    What differs between recipes makes the method where it is words, such as names and kinds, and
    the strength where it is numbers. What only distinguishes one method from others that do not
    have it says nothing new.
    """
    names, (words, numbers) = data_names(runs), _paths(runs)
    by_method: dict[str, list[Run]] = {}
    for run in runs:
        by_method.setdefault(", ".join(_said(run, words)), []).append(run)
    found = {}
    for method, own in by_method.items():
        varied = [path for path in numbers if _varies(own, path)]
        for run in own:
            data, strength = names[data_identity(run)], _strength(run, varied)
            for index, seed in enumerate(run.seeds):
                metrics = {k: v[index] for k, v in run.metrics.items() if finite(v[index])}
                model = Model(data, method, strength, seed, metrics, run)
                found[data, method, strength, seed] = model
    return list(found.values())


def in_order(setting: tuple[str, str]) -> tuple:
    """A key to sort settings by: the method, then the strength as numbers, 5 before 100."""
    words = (part.rpartition(" ")[2] for part in setting[1].split(", "))
    numbers = [float(word) for word in words if re.fullmatch(r"-?\d[\d.e+-]*", word)]
    return setting[0], numbers, setting[1]


def _strength(run, varied) -> str:
    values = {path: at(run.recipe, path) for path in varied}
    return ", ".join(
        f"{path.rpartition('.')[2]} {value:g}"
        for path, value in values.items()
        if value is not None
    )


def _paths(runs):
    """The paths of the recipes that differ: those of words, and those of numbers alone."""
    paths: dict[str, None] = {}
    for run in runs[1:]:
        changes = difference(runs[0].recipe, run.recipe)
        paths |= {c.path: None for c in changes if is_method_path(c.path)}
    by_model: dict[str, list[Run]] = {}
    for run in runs:
        by_model.setdefault(str(at(run.recipe, _MODEL)), []).append(run)
    words, numbers = [], []
    for path in paths:
        values = [at(run.recipe, path) for run in runs]
        plain = [value for value in values if value is not None]
        if all(isinstance(v, int | float) and not isinstance(v, bool) for v in plain):
            numbers.append(path)
        elif path == _MODEL or any(_varies(own, path) for own in by_model.values()):
            words.append(path)
    return words, numbers


def _varies(runs, path) -> bool:
    return len({repr(at(run.recipe, path)) for run in runs}) > 1


def _said(run, words):
    values = (at(run.recipe, path) for path in words)
    return [str(value) for value in values if value is not None] or [str(run.recipe.get("name"))]
