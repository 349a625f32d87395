"""Checks of one distribution of a space: its kind, its values, and whether an option takes them."""

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


def kind_of(checker: Checker, place: tuple, distribution) -> str | None:
    """Which kind of distribution it is; complains where it is none, or has strange keys."""
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


def check_values(checker: Checker, place: tuple, kind: str, distribution: dict, option) -> None:
    """Complain of values that are none, or that the option does not take; None: not known."""
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
    if len(value) == 1 and path[0] == "search":  # in a sweep, one value is a column of its table
        checker.complain(path, f"holds one value; write {{fixed: {shown(value[0])}}}")
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
