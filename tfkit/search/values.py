"""A recipe with other values at dotted paths."""

from collections.abc import Mapping
from copy import deepcopy

from tfkit import catalog
from tfkit.recipe import Recipe, load


def with_values(recipe: Recipe, values: Mapping) -> Recipe:
    """The recipe with other values at dotted paths, checked and resolved anew.

    A component that gets another name keeps only the options that the new one knows.
    """
    given = deepcopy(recipe.given)
    for path in sorted(values, key=lambda path: not path.endswith(".name")):
        *parents, last = path.split(".")
        place, known = given, recipe.resolved
        for key in parents:
            known = known.get(key) if isinstance(known, Mapping) else None
            if not isinstance(place.get(key), dict):
                place[key] = named(place.get(key), known)
            place = place[key]
        if last == "name" and place.get("name") != values[path]:
            rename(place, parents[-1], values[path])
        place[last] = values[path]
    return load(given)


def named(given, resolved) -> dict:
    """A component as a mapping, where the recipe has it in short form or leaves it at its default;
    a section that it leaves out as an empty one.
    """
    name = given if isinstance(given, str) else None
    if given is None and isinstance(resolved, Mapping):
        name = resolved.get("name")
    return {"name": name} if name else {}


def rename(component: dict, place: str, name: str) -> None:
    """Drop the options that the component called `name` does not have."""
    found = catalog.load().named(name)
    keep = {option for entry in found for option in entry.options} | {"batch_size"}
    for option in [key for key in component if key not in keep]:
        del component[option]
