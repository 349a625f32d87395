"""The recipe's search space as Optuna's suggestions, with the values that Keras Tuner has."""

import math
from collections.abc import Mapping

from tfkit.search.conditions import conditions, parents_first


def draw(trial, space: Mapping) -> dict:
    """Let an Optuna trial suggest a value for every path that exists, parents first.

    A parameter whose conditions do not hold is absent.
    """
    values = {}
    for path in parents_first(space):
        wanted = conditions(space, path)
        if all(p in values and values[p] in allowed for p, allowed in wanted.items()):
            values[path] = suggest(trial, path, space[path])
    return values


def suggest(trial, path: str, rule: Mapping):
    """One value, of the recipe's type.

    Where a step makes a float's or a logarithmic range countable, the values are suggested by
    number: Optuna refuses `step` with `log`, and rounds otherwise than Keras Tuner does.
    """
    if "choice" in rule:
        return trial.suggest_categorical(path, list(rule["choice"]))
    if "bool" in rule:
        return trial.suggest_categorical(path, [False, True])
    if "fixed" in rule:
        return rule["fixed"]
    kind, log, step = (
        "float" if "float" in rule else "int",
        rule.get("log", False),
        rule.get("step"),
    )
    low, high = rule[kind]
    if step is None:
        suggestion = trial.suggest_float if kind == "float" else trial.suggest_int
        return suggestion(path, low, high, log=log)
    if kind == "int" and not log:
        return trial.suggest_int(path, low, low + (count(rule) - 1) * step, step=step)
    return value(rule, trial.suggest_int(path, 0, count(rule) - 1))


def count(rule: Mapping) -> int:
    """How many values a range with a step has, as Keras Tuner counts them."""
    low, high = limits(rule)
    if rule.get("log"):
        return int(math.log(high / low, rule["step"]) + 1e-8) + 1
    return int((high - low) // rule["step"] + 1)


def value(rule: Mapping, index: int) -> int | float:
    """The value of that number of a range with a step, by Keras Tuner's own arithmetic."""
    low, _ = limits(rule)
    found = low * math.pow(rule["step"], index) if rule.get("log") else low + index * rule["step"]
    return int(found) if "int" in rule else float(found)


def limits(rule: Mapping) -> tuple:
    """Lowest and highest value of a range."""
    return tuple(rule["int"]) if "int" in rule else tuple(map(float, rule["float"]))


def varied(rule: Mapping) -> bool:
    """Whether a rule is a range of numbers, with more than one in it, that always exists."""
    if "when" in rule or not ("int" in rule or "float" in rule):
        return False
    return rule.get("step") is None or count(rule) > 1
