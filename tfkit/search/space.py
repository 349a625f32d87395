"""The recipe's search space as Keras Tuner's HyperParameters."""

from collections.abc import Mapping
from contextlib import ExitStack
from functools import reduce

import keras_tuner

from tfkit.recipe.paths import spread
from tfkit.search.conditions import conditions, parents_first
from tfkit.search.values import within


def hyperparameters(space: Mapping, defaults: Mapping | None = None) -> keras_tuner.HyperParameters:
    """Register every path of `space`; a parameter's name is its dotted path.

        {float: [lo, hi], log, step}   Float   (with log and step, step is a ratio)
        {int: [lo, hi], log, step}     Int, hi included
        {choice: [...]}                Choice
        {bool: true}                   Boolean
        {fixed: v}                     Fixed
        when: {other.path: [v, …]}     exists only where the other parameter has one of the values

    Args:
        space: dotted path -> distribution, as in the recipe; parents of a `when` may come later.
        defaults: the recipe's own value by path; Keras Tuner's (lowest, first) where it is absent.
    Raises `UsageError` where a `when` names no parameter of the space, or itself by detours.
    """
    found = keras_tuner.HyperParameters()
    for path in parents_first(space):
        with ExitStack() as scopes:
            for parent, values in conditions(space, path).items():
                scopes.enter_context(found.conditional_scope(parent, list(values)))
            register(found, path, space[path], (defaults or {}).get(path))
    return found


def register(found: keras_tuner.HyperParameters, path: str, rule: Mapping, default) -> None:
    """Add one parameter."""
    sampling = "log" if rule.get("log") else "linear"
    if "float" in rule:
        low, high = map(float, rule["float"])
        found.Float(path, low, high, step=rule.get("step"), sampling=sampling, default=default)
    elif "int" in rule:
        low, high = rule["int"]
        found.Int(path, low, high, step=rule.get("step"), sampling=sampling, default=default)
    elif "choice" in rule:
        found.Choice(path, list(rule["choice"]), default=default)
    elif "bool" in rule:
        found.Boolean(path, default=bool(default))
    else:
        found.Fixed(path, rule["fixed"])


def recipe_defaults(recipe: Mapping, space: Mapping) -> dict:
    """The recipe's own value of each path, where the distribution can take it."""
    values = {path: at_path(recipe, spread(path)[0]) for path in space}
    return {path: value for path, value in values.items() if can_be(space[path], value)}


def can_be(rule: Mapping, value) -> bool:
    """Whether a distribution contains `value`, which may be of another kind: a learning rate may
    be a schedule, a number of steps `auto`.
    """
    if value is None:
        return False
    if "choice" in rule:
        return value in rule["choice"]
    if "bool" in rule:
        return isinstance(value, bool)
    if "fixed" in rule:
        return value == rule["fixed"]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    low, high = rule["float"] if "float" in rule else rule["int"]
    return low <= value <= high and ("float" in rule or value == int(value))


def at_path(recipe: Mapping, path: str):
    """The value at a dotted path, None where there is none; a list's item has its index."""
    return reduce(within, path.split("."), recipe)
