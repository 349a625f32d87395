"""Checks of a space of values: every path exists, every distribution fits the option it varies."""

from dataclasses import replace
from math import isfinite

from tfkit.catalog import Parameter
from tfkit.recipe.components import Checker, nearest, wrong_value
from tfkit.recipe.options import plain_type, shown

KEYS = {
    "float": ("log", "step", "when"),
    "int": ("log", "step", "when"),
    "choice": ("when",),
    "bool": ("when",),
    "fixed": ("when",),
}
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
        for path in (path for path in space if path in LENGTHS):
            message = f"hyperband itself decides how long a trial is trained, so {path} cannot vary"
            checker.complain(("search", "space", path), message)


def check_space(checker: Checker, space: dict, where: tuple) -> None:
    """Complain of every wrong line of a space that stands at `where`."""
    if not space:
        checker.complain(where, f"is empty; a {where[0]} needs at least one path to vary")
    for path, distribution in space.items():
        place = (*where, path)
        if not isinstance(path, str):
            checker.complain(place, "must be a recipe path, such as model.beta")
            continue
        kind = _kind(checker, place, distribution)
        option = _option(checker, place, path, space)
        if kind is None:
            continue
        _check_values(checker, place, kind, distribution, option)
        _check_when(checker, place, distribution.get("when"), space)
    _refuse_circles(checker, space, where)


def _kind(checker: Checker, place: tuple, distribution) -> str | None:
    example = (
        "{float: [1, 16], log: true}, {int: [1, 8]}, {choice: [a, b]}, {bool: true} or {fixed: 3}"
    )
    if not isinstance(distribution, dict):
        checker.complain(place, f"must be a distribution like {example}, got {shown(distribution)}")
        return None
    kinds = [key for key in distribution if key in KEYS]
    if len(kinds) != 1:
        found = f"both {' and '.join(kinds)}" if kinds else shown(distribution)
        checker.complain(place, f"must be one distribution like {example}, got {found}")
        return None
    for key in distribution:
        if key != kinds[0] and key not in KEYS[kinds[0]]:
            allowed = ", ".join(KEYS[kinds[0]])
            near = nearest(key, KEYS[kinds[0]])
            checker.complain((*place, key), f"unknown key of {kinds[0]} (allowed: {allowed})", near)
    return kinds[0]


def _option(checker: Checker, place: tuple, path: str, space: dict) -> Parameter | None:
    """The option that a path of the space varies, also when it belongs to a searched component."""
    parts = tuple(int(part) if part.isdigit() else part for part in path.split("."))
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
    names = chooser.get("choice")
    for name in names if isinstance(names, list) else []:
        other = checker.catalog.find(entry.kind, name) if isinstance(name, str) else None
        if other and parts[-1] in other.options:
            return other.options[parts[-1]]
    return None


def _known(checker: Checker) -> list[str]:
    plain = [path for path, option in checker.parameters.items() if plain_type(option) is not None]
    return [".".join(map(str, path)) for path in plain if len(path) > 1 and path[0] in SEARCHED]


def _check_values(checker: Checker, place: tuple, kind: str, distribution: dict, option) -> None:
    value, below = distribution[kind], (*place, kind)
    if kind in ("float", "int"):
        if _check_range(checker, below, kind, value) and option:
            _check_fit(checker, below, kind, value, option)
        _check_scale(checker, place, kind, distribution)
    elif kind == "bool":
        if value is not True:
            checker.complain(below, f"must be true (both values are tried), got {shown(value)}")
        elif option and not _accepts(option, [True, False]):
            checker.complain(below, _mismatch("bool", option, True))
    elif kind == "choice":
        if _check_choice(checker, below, value) and option:
            for index, item in enumerate(value):
                if not _accepts(option, [item]):
                    checker.complain((*below, index), wrong_value(option, item))
    elif option and not _accepts(option, [value]):
        checker.complain(below, wrong_value(option, value))


def _check_range(checker: Checker, path: tuple, kind: str, value) -> bool:
    number = (int,) if kind == "int" else (int, float)
    words = "integers" if kind == "int" else "finite numbers"
    pair = isinstance(value, list) and len(value) == 2
    if not pair or not all(_is_number(item, number) for item in value):
        checker.complain(path, f"must be two {words} [lowest, highest], got {shown(value)}")
        return False
    low, high = value
    if low == high:
        message = f"the range [{low:g}, {high:g}] holds one value; write {{fixed: {low:g}}}"
        checker.complain(path, message)
    elif low > high:
        message = f"the lowest is above the highest, got {shown(value)}; write [{high:g}, {low:g}]"
        checker.complain(path, message)
    return low < high


def _is_number(value, types: tuple) -> bool:
    return isinstance(value, types) and not isinstance(value, bool) and isfinite(value)


def _check_fit(checker: Checker, path: tuple, kind: str, value: list, option: Parameter) -> None:
    """The range lies within the option's own bounds and gives values of its type."""
    sample = [float(item) for item in value] if kind == "float" else value
    if _accepts(option, sample):
        return
    unbounded = replace(option, bounds={})
    wrong = [item for item in sample if not _accepts(option, [item])][0]
    if not _accepts(unbounded, sample):
        checker.complain(path, _mismatch(kind, option, wrong))
    else:
        checker.complain(path, f"{option.name} {wrong_value(option, wrong)}")


def _mismatch(kind: str, option: Parameter, value) -> str:
    wanted = wrong_value(option, value).partition(", got")[0]
    cure = "; use {int: [lo, hi]}" if kind == "float" and "integer" in wanted else ""
    return f"{kind} does not fit: {option.name} {wanted}{cure}"


def _check_scale(checker: Checker, place: tuple, kind: str, distribution: dict) -> None:
    value, log, step = distribution[kind], distribution.get("log", False), distribution.get("step")
    if not isinstance(log, bool):
        checker.complain((*place, "log"), f"must be true or false, got {shown(log)}")
        return
    numbers = isinstance(value, list) and all(_is_number(item, (int, float)) for item in value)
    if log and numbers and value and value[0] <= 0:
        checker.complain((*place, "log"), f"needs a lowest value > 0, got {shown(value[0])}")
    if step is None:
        return
    number = (int,) if kind == "int" else (int, float)
    least = 1 if log else 0
    if not _is_number(step, number) or step <= least:
        words = f"{'an integer' if kind == 'int' else 'a number'} > {least}"
        ratio = ", the ratio of two neighbours," if log else ""
        checker.complain((*place, "step"), f"must be {words}{ratio} got {shown(step)}")


def _check_choice(checker: Checker, path: tuple, value) -> bool:
    if not isinstance(value, list) or not value:
        checker.complain(path, f"must be a list of values, got {shown(value)}")
        return False
    types = {type(item).__name__ for item in value}
    if len(types) > 1 or not types <= {"int", "float", "str", "bool"}:
        found = ", ".join(sorted(types))
        checker.complain(path, f"must be values of one type (int, float, str or bool), got {found}")
        return False
    if len(set(value)) < len(value):
        checker.complain(path, f"holds a value twice: {shown(value)}")
        return False
    return True


def _accepts(option: Parameter, values: list) -> bool:
    from pydantic import TypeAdapter, ValidationError

    adapter = TypeAdapter(plain_type(option), config={"strict": True})
    try:
        for value in values:
            adapter.validate_python(value)
    except ValidationError:
        return False
    return True


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
