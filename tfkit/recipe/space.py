"""Checks of a space of values: every path exists, every distribution fits the option it varies."""

from tfkit.catalog import Parameter
from tfkit.recipe.components import Checker, nearest
from tfkit.recipe.distributions import check_values, kind_of
from tfkit.recipe.options import plain_type, shown
from tfkit.recipe.paths import spread

LENGTHS = ("train.steps", "train.epochs", "train.save_every")
SEARCHED = ("data", "model", "train")


def check(checker: Checker, resolved: dict) -> None:
    """Complain of every wrong line of `search.space`."""
    search = resolved.get("search") or {}
    space = search.get("space")
    if not isinstance(space, dict):
        return
    check_space(checker, space, ("search", "space"))
    if (search.get("engine") or {}).get("name") == "hyperband":
        for path in (path for path in space if {*spread(str(path))} & {*LENGTHS}):
            message = f"hyperband itself decides how long a trial is trained, so {path} cannot vary"
            checker.complain(("search", "space", path), message)


def check_space(checker: Checker, space: dict, where: tuple) -> None:
    """Complain of every wrong line of a space that stands at `where`."""
    if not space:
        checker.complain(where, f"is empty; a {where[0]} needs at least one path to vary")
    every = _written_out(checker, space, where)
    for path, distribution in space.items():
        place = (*where, path)
        if not isinstance(path, str):
            checker.complain(place, "must be a recipe path, such as model.beta")
            continue
        kind = kind_of(checker, place, distribution)
        option = _shared_option(checker, place, spread(path), every)
        if kind is None:
            continue
        check_values(checker, place, kind, distribution, option)
        _check_when(checker, place, distribution.get("when"), space)
    _check_length(checker, every, where)
    _refuse_circles(checker, space, where)


def _written_out(checker: Checker, space: dict, where: tuple) -> dict:
    """The distributions by single path, those with braces written out."""
    every = {}
    for path in (path for path in space if isinstance(path, str)):
        for one in spread(path):
            if one in every:
                checker.complain((*where, path), f"{one} is varied twice; leave out one of the two")
            every[one] = space[path]
    return every


def _shared_option(checker: Checker, place: tuple, paths: list[str], every: dict):
    """The option that a path varies; of several in braces the first, if all take the same."""
    options = [_option(checker, place, path, every) for path in paths]
    if None in options:
        return None
    if any((o.type, o.bounds) != (options[0].type, options[0].bounds) for o in options):
        message = f"{' and '.join(paths)} take different values and cannot vary as one"
        checker.complain(place, message)
        return None
    return options[0]


def _check_length(checker: Checker, space: dict, where: tuple) -> None:
    """Only what the recipe counts in can vary: steps and epochs do not stand together."""
    train = checker.document.value.get("train")
    train = train if isinstance(train, dict) else {}
    counted, other = ("steps", "epochs") if train.get("epochs") is None else ("epochs", "steps")
    if f"train.{other}" in space:
        said = "" if train.get(counted) is not None else ", as it says neither"
        cure = f"vary train.{counted}, or count in {other} by train.{other} instead"
        message = f"the recipe counts in {counted}{said}; {cure}"
        checker.complain((*where, f"train.{other}"), message)


def _option(checker: Checker, place: tuple, path: str, space: dict) -> Parameter | None:
    """The option that a path of the space varies, also when it belongs to a searched component."""
    parts = tuple(int(part) if part.isdecimal() else part for part in path.split("."))
    if parts[0] not in SEARCHED:
        near = nearest(path, _known(checker))
        checker.complain(place, f"only data., model. and train. can be varied, not {path}", near)
        return None
    if parts[-1] == "name" and parts[:-1] in checker.entries:
        kind = checker.entries[parts[:-1]].kind
        names = [repr(entry.name) for entry in checker.catalog.of(kind)]
        return Parameter("name", f"Literal[{', '.join(names)}]", None, True, (), False, {}, "")
    option = checker.parameters.get(parts) or _of_choice(checker, parts, space)
    if option is None:
        if parts[0] in {p[0] for p in checker.parameters if p}:
            checker.complain(place, f"the recipe has no {path}", nearest(path, _known(checker)))
        return None
    if plain_type(option) is None:
        checker.complain(place, f"{path} is a component; vary {path}.name or one of its options")
        return None
    return option


def _of_choice(checker: Checker, parts: tuple, space: dict) -> Parameter | None:
    """An option of a component that the space itself chooses by name."""
    chooser = space.get(".".join(map(str, (*parts[:-1], "name"))))
    entry = checker.entries.get(parts[:-1])
    if entry is None or not isinstance(chooser, dict):
        return None
    names = chooser.get("choice", [chooser.get("fixed")])
    for name in names if isinstance(names, list) else []:
        other = checker.catalog.find(entry.kind, name) if isinstance(name, str) else None
        if other and parts[-1] in other.options:
            return other.options[parts[-1]]
    return None


def _known(checker: Checker) -> list[str]:
    plain = [path for path, option in checker.parameters.items() if plain_type(option) is not None]
    return [".".join(map(str, path)) for path in plain if len(path) > 1 and path[0] in SEARCHED]


def _check_when(checker: Checker, place: tuple, when, space: dict) -> None:
    below = (*place, "when")
    if when is None:
        return
    if not isinstance(when, dict) or not when:
        checker.complain(below, f"must be {{other.path: [values]}}, got {shown(when)}")
        return
    for parent, values in when.items():
        path = (*below, parent)
        if parent not in space:
            others = [name for name in space if name != place[-1]]
            message = (
                f"{parent} is not in the {place[1]}; a condition needs a path that is varied too"
            )
            checker.complain(path, message, nearest(parent, others))
            continue
        if not isinstance(values, list) or not values:
            checker.complain(path, f"must be a list of values, got {shown(values)}")
            continue
        choice = space[parent].get("choice") if isinstance(space[parent], dict) else None
        for index, value in enumerate(values):
            if isinstance(choice, list) and value not in choice:
                message = f"{parent} is never {shown(value)} (it is one of {shown(choice)})"
                checker.complain((*path, index), message)


def _refuse_circles(checker: Checker, space: dict, where: tuple) -> None:
    """Conditions must lead to a path without one."""
    for path in space:
        seen, todo = set(), [path]
        while todo:
            when = space[todo.pop()]
            parents = when.get("when") if isinstance(when, dict) else None
            for parent in parents if isinstance(parents, dict) else ():
                if parent == path:
                    place = (*where, path, "when", parent)
                    checker.complain(place, f"{path} depends on itself")
                    todo = []
                    break
                if parent in space and parent not in seen:
                    seen.add(parent)
                    todo.append(parent)
