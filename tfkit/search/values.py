"""A recipe with other values at dotted paths."""

from collections.abc import Mapping
from copy import deepcopy

from tfkit import catalog
from tfkit.recipe import Recipe, load
from tfkit.recipe.paths import spread


def with_values(recipe: Recipe, values: Mapping) -> Recipe:
    """The recipe with other values at dotted paths, checked and resolved anew.

    An item of a list is named by its index: `train.callbacks.0.patience`. Names in braces get one
    value: `model.{lower,upper}.layer`. A component that gets another name keeps only the options
    that the new one knows.
    """
    given = deepcopy(recipe.given)
    values = {one: value for path, value in values.items() for one in spread(path)}
    for path in sorted(values, key=lambda path: not path.endswith(".name")):
        *parents, last = path.split(".")
        place, known = given, recipe.resolved
        for key in parents:
            known = within(known, key)
            place = opened(place, key, known)
        if last == "name" and place.get("name") != values[path]:
            rename(place, values[path])
        place[key_of(place, last)] = values[path]
    return load(given)


def within(value, key: str):
    """What a mapping holds at a key, or a list at an index; None where there is nothing."""
    if isinstance(value, Mapping):
        return value.get(key)
    if isinstance(value, list) and key.isdecimal() and int(key) < len(value):
        return value[int(key)]
    return None


def key_of(place: dict | list, key: str) -> str | int:
    """A part of a path as what it stands in takes it."""
    return int(key) if isinstance(place, list) else key


def opened(place: dict | list, key: str, resolved) -> dict | list:
    """The mapping or list at a key, written out where the recipe has it in short form or leaves it
    at its default.
    """
    found = within(place, key)
    if isinstance(found, dict | list):
        return found
    found = deepcopy(resolved) if isinstance(resolved, list) else named(found, resolved)
    place[key_of(place, key)] = found
    return found


def named(given, resolved) -> dict:
    """A component as a mapping, where the recipe has it in short form or leaves it at its default;
    a section that it leaves out as an empty one.
    """
    name = given if isinstance(given, str) else None
    if given is None and isinstance(resolved, Mapping):
        name = resolved.get("name")
    return {"name": name} if name else {}


def rename(component: dict, name: str) -> None:
    """Drop the options that the component called `name` does not have."""
    found = catalog.load().named(name)
    keep = {option for entry in found for option in entry.options} | {"batch_size"}
    for option in [key for key in component if key not in keep]:
        del component[option]
