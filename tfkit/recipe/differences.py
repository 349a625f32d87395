"""What differs between two recipes."""

from typing import NamedTuple

from tfkit.recipe.options import shown
from tfkit.recipe.reading import dotted

ABSENT = "(absent)"


class Change(NamedTuple):
    """One path whose values differ; a value that only one recipe has is `ABSENT` in the other."""

    path: str
    old: object
    new: object

    def __str__(self) -> str:
        return f"{self.path}: {_shown(self.old)} -> {_shown(self.new)}"


def difference(old, new, path: tuple = ()) -> list[Change]:
    """The changes that lead from one recipe to another, in the order of their keys."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        # 1 and true are equal in Python, not in a recipe
        same = old == new and isinstance(old, bool) == isinstance(new, bool)
        return [] if same else [Change(dotted(path), old, new)]
    changes = []
    for key in dict.fromkeys([*old, *new]):
        changes += difference(old.get(key, ABSENT), new.get(key, ABSENT), (*path, key))
    return changes


def _shown(value) -> str:
    return ABSENT if value == ABSENT else shown(value)
