"""The recipe's search space as Keras Tuner's HyperParameters."""

from collections.abc import Mapping
from contextlib import ExitStack

import keras_tuner

from tfkit.errors import UsageError


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


def parents_first(space: Mapping) -> list[str]:
    """The paths in the space's order, moved behind the parents that they depend on."""
    graph = {path: list(rule.get("when", {})) for path, rule in space.items()}
    for path, parents in graph.items():
        if unknown := [parent for parent in parents if parent not in space]:
            raise UsageError(
                f"search.space.{path}.when: {unknown[0]} is not in the space; "
                f"it holds {', '.join(space)}."
            )
    ordered: dict[str, None] = {}
    for path in space:
        place(path, graph, ordered, ())
    return list(ordered)


def place(path: str, graph: Mapping, ordered: dict[str, None], descent: tuple[str, ...]) -> None:
    """Append `path` to `ordered` behind its parents."""
    if path in descent:
        circle = " → ".join([*descent[descent.index(path) :], path])
        raise UsageError(f"search.space: `when` goes in a circle: {circle}.")
    for parent in graph[path]:
        place(parent, graph, ordered, (*descent, path))
    ordered[path] = None


def conditions(space: Mapping, path: str) -> dict[str, list]:
    """The conditions under which `path` exists, its parents' own ones first."""
    found = {}
    for parent, values in space[path].get("when", {}).items():
        found |= conditions(space, parent)
        found[parent] = values if isinstance(values, list) else [values]
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
    values = {path: at_path(recipe, path) for path in space}
    return {path: value for path, value in values.items() if can_be(space[path], value)}


def can_be(rule: Mapping, value) -> bool:
    """Whether a distribution contains `value`."""
    if value is None:
        return False
    if "choice" in rule:
        return value in rule["choice"]
    if "bool" in rule:
        return isinstance(value, bool)
    low, high = rule.get("float") or rule.get("int") or (value, value)
    return low <= value <= high


def at_path(recipe: Mapping, path: str):
    """The value at a dotted path, None where there is none."""
    value = recipe
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
