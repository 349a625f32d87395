"""`extends`: a recipe over its base recipes."""

from pathlib import Path

from tfkit import catalog
from tfkit.errors import RecipeError
from tfkit.recipe.reading import Document, Place, parse_document, read_text


def with_bases(document: Document, folder: Path, chain: tuple[Path, ...] = ()) -> Document:
    """The document merged over what it `extends`, and that over what it extends in turn.

    Args:
        document: a parsed recipe.
        folder: what a relative `extends` is relative to.
        chain: the files that led here, to find a circle.
    """
    if not isinstance(document.value, dict) or document.value.get("extends") is None:
        return _without_extends(document)
    target, place = document.value["extends"], document.place(("extends",))
    if not isinstance(target, str):
        message = "must be the path of one recipe file, relative to this one"
        raise RecipeError([place.problem(message, "extends")])
    path = folder / target
    if path.resolve() in chain:
        names = " -> ".join(step.name for step in (*chain, path.resolve()))
        raise RecipeError(
            [place.problem(f"recipes extend each other in a circle: {names}", "extends")]
        )
    base = parse_document(read_text(path, place), str(path))
    base = with_bases(base, path.parent, (*chain, path.resolve()))
    if not isinstance(base.value, dict):
        raise RecipeError([place.problem(f"{path} is no recipe: not a mapping", "extends")])
    return merge(base, _without_extends(document))


def merge(base: Document, over: Document) -> Document:
    """`over` on `base`: mappings merge, the rest replaces, renamed components start anew."""
    merged = Document(None, dict(base.places), over.text)
    merged.value = _merged(base.value, over.value, (), merged, over)
    return merged


def _merged(base, over, path: tuple, merged: Document, top: Document):
    if _is_component(base, path) and isinstance(over, str):
        over = {"name": over}
    if not (isinstance(base, dict) and isinstance(over, dict)):
        merged.forget(path)
        merged.places |= {p: place for p, place in top.places.items() if p[: len(path)] == path}
        return over
    if _is_component(base, path) and over.get("name", base["name"]) != base["name"]:
        base = {k: v for k, v in base.items() if k in _section_keys(path)}
        for known in [p for p in merged.places if p[: len(path)] == path and len(p) > len(path)]:
            if known[len(path)] not in base:
                del merged.places[known]
    result = dict(base)
    if path in top.places:
        merged.places[path] = top.places[path]
    for key, value in over.items():
        below = (*path, key)
        result[key] = _merged(base.get(key), value, below, merged, top)
        merged.places[below] = top.place(below)
    return result


def _is_component(value, path: tuple) -> bool:
    # the recipe itself and `export` have a name of their own, which is no component's
    return isinstance(value, dict) and "name" in value and path not in ((), ("export",))


def _section_keys(path: tuple) -> tuple[str, ...]:
    """Keys of a section that stand among its component's options, such as data.batch_size."""
    section = catalog.find("section", str(path[0])) if len(path) == 1 else None
    return tuple(section.options) if section else ()


def _without_extends(document: Document) -> Document:
    if isinstance(document.value, dict) and "extends" in document.value:
        value = {k: v for k, v in document.value.items() if k != "extends"}
        return Document(value, document.places, document.text)
    return document


def placed(value: object, place: Place | None = None) -> Document:
    """A document of values that come from Python, not from a file."""
    return Document(value, {(): place or Place()})
