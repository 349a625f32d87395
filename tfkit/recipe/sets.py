"""`--set a.b=1`, `a.b+=[x]`, `a.b=null`: single values of a recipe from the command line."""

import copy
from difflib import SequenceMatcher

from tfkit import catalog
from tfkit.errors import Problem, RecipeError
from tfkit.recipe.options import shown
from tfkit.recipe.reading import Document, Place, dotted, parse

SPACES = (("search", "space"), ("sweep", "grid"))
NEAR = 0.9  # likeness above which a new key must be a misspelt neighbour


def override(recipe: dict, sets: str | list[str]) -> dict:
    """A new recipe with the changes applied from left to right; the argument stays as it is.

        override(recipe, ["model.beta=6", "evaluate.metrics+=[mig]", "search=null"])

    The right side is YAML. A list's item is named by its index: `train.callbacks.0.patience=3`.
    Raises `RecipeError` for what no catalogue is needed to refuse.
    """
    document = Document(copy.deepcopy(recipe), {(): Place()})
    problems = apply(document, sets)
    if problems:
        raise RecipeError(problems)
    return document.value


def apply(document: Document, sets: str | list[str] | tuple[str, ...]) -> list[Problem]:
    """Change the document in place, with the `--set` as the place of what it wrote."""
    problems = []
    for text in [sets] if isinstance(sets, str) else sets:
        try:
            _apply_one(document, text)
        except RecipeError as error:
            problems += error.problems
    return problems


def _apply_one(document: Document, text: str) -> None:
    place = Place(typed=text)
    left, equals, right = text.partition("=")
    adding = left.endswith("+")
    left = left.removesuffix("+").strip()
    if not equals:
        raise RecipeError([place.problem("has no =; write path=value, such as train.steps=100")])
    if not left or "" in left.split("."):
        raise RecipeError([place.problem("has no path before the =, such as train.steps=100")])
    try:
        value = parse(right)
    except RecipeError as error:
        reason = error.problems[0].message.removeprefix("not YAML: ")
        raise RecipeError([place.problem(f"what follows = is not YAML: {reason}")]) from error
    container, key, path = _locate(document, left, place)
    _refuse_misspelt(container, key, path, place)
    if adding:
        value = _added(container, key, value, path, place)
        document.places[path] = place
    else:
        document.put(path, place)
    container[key] = value


def _locate(document: Document, left: str, place: Place) -> tuple:
    """The mapping or list to change, its key, and the whole path; makes mappings on the way."""
    value = document.value
    if not isinstance(value, dict):
        raise RecipeError([place.problem("the recipe is not a mapping")])
    rest, path = left.split("."), ()
    while True:
        key, rest = _next_key(value, rest, path, place)
        path = (*path, key)
        if not rest:
            return value, key, path
        below = value[key] if isinstance(value, list) else value.get(key)
        if below is None:
            below = value[key] = {}
            document.put(path, place)  # what is wrong with it is the `--set`'s mistake
        if not isinstance(below, dict | list):
            message = f"{dotted(path)} is {shown(below)}, which has nothing below it"
            raise RecipeError([place.problem(message)])
        value = below


def _next_key(value, rest: list[str], path: tuple, place: Place) -> tuple:
    """The next key and what remains; keys of a space hold dots themselves."""
    if isinstance(value, list):
        if not rest[0].isdigit() or int(rest[0]) >= len(value):
            last = f"an index from 0 to {len(value) - 1}" if value else "nothing: the list is empty"
            message = f"{dotted(path)} is a list and takes {last}, got {rest[0]}"
            raise RecipeError([place.problem(message)])
        return int(rest[0]), rest[1:]
    for length in range(len(rest), 1, -1):
        if ".".join(rest[:length]) in value:
            return ".".join(rest[:length]), rest[length:]
    if path in SPACES:
        return ".".join(rest), []
    return rest[0], rest[1:]


def _added(container, key, value, path: tuple, place: Place) -> list:
    before = container[key] if isinstance(container, list) else container.get(key)
    if not isinstance(value, list):
        message = f"+= takes a list, such as {dotted(path)}+=[{shown(value)}]"
        raise RecipeError([place.problem(message)])
    if not isinstance(before, list | None):
        message = f"+= adds to a list, but {dotted(path)} is {shown(before)}"
        raise RecipeError([place.problem(message)])
    return [*(before or []), *value]


def _refuse_misspelt(container, key, path: tuple, place: Place) -> None:
    """A new key that is almost its neighbour, and that the catalogue does not know, is a slip."""
    if not isinstance(container, dict) or key in container or path[:2] in SPACES:
        return
    name = str(container.get("name", ""))
    known = {option for entry in catalog.load().named(name) for option in entry.options}
    section = catalog.find("section", str(path[-2]) if len(path) > 1 else "recipe")
    known |= set(section.options) if section else set()
    if key in known or ":" in name:
        return
    for other in container:
        if SequenceMatcher(None, str(other), key).ratio() >= NEAR:
            owner = f" of {name}" if name and len(path) > 1 else ""
            raise RecipeError([place.problem(f"unknown option{owner}", dotted(path), str(other))])
