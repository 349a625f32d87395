"""Arguments of optimizers and schedules, held to the bounds that their docstrings tell."""

from collections.abc import Callable, Mapping
from operator import ge, gt, le, lt

from tfkit.docstrings import parse_bounds, parse_docstring

_SIGNS = {"gt": (gt, ">"), "ge": (ge, ">="), "lt": (lt, "<"), "le": (le, "<=")}


def check_bounds(function: Callable, arguments: Mapping) -> None:
    """Refuse numbers outside of what `Args` of the docstring says, such as "decay, in [0, 1)".

    Args:
        function: whose docstring it is.
        arguments: its arguments by name; what is no number (a schedule, None) is not looked at.
    Raises:
        ValueError: names the argument, the bounds and the value.
    """
    for name, doc in parse_docstring(function.__doc__ or "")["args"].items():
        bounds = [(*_SIGNS[key], bound) for key, bound in parse_bounds(doc).items()]
        given = arguments[name]
        for value in given if isinstance(given, list | tuple) else (given,):
            if isinstance(value, int | float) and not all(
                holds(value, bound) for holds, _, bound in bounds
            ):
                words = " and ".join(f"{sign} {bound}" for _, sign, bound in bounds)
                raise ValueError(f"{function.__name__}: {name} must be {words}, got {value}.")
