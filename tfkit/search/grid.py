"""The points of a sweep: which there are, in which order, and what they are called."""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tfkit.errors import UsageError
from tfkit.recipe.paths import short_names
from tfkit.search.conditions import conditions, parents_first

LONGEST_NAME = 120  # of a folder; file systems allow 255 bytes


class Point(NamedTuple):
    """One combination of values.

    Args:
        name: its folder, which says the values.
        values: by dotted path; without those that do not exist under the others.
    """

    name: str
    values: dict


def points(grid: Mapping) -> list[Point]:
    """All points of a resolved `sweep.grid`, in the grid's order: the last path moves fastest, and
    a path that another one decides over comes behind that one. Of a path's several rules the one
    counts whose conditions hold.
    """
    rules = {path: rule if isinstance(rule, list) else [rule] for path, rule in grid.items()}
    parents = {path: {"when": _parents(own)} for path, own in rules.items()}
    single = {path: own[0] for path, own in rules.items()}
    found: list[dict] = [{}]
    for path in parents_first(parents):
        known = [(conditions({**single, path: rule}, path), rule) for rule in rules[path]]
        found = [each for point in found for each in _spread(point, path, known)]
    return named(found, list(grid))


def _parents(rules: Sequence[Mapping]) -> dict[str, list]:
    """The paths that any of the rules depends on."""
    return {parent: [] for rule in rules for parent in rule.get("when", {})}


def _spread(point: dict, path: str, rules: Sequence[tuple[Mapping, Mapping]]) -> list[dict]:
    """The point with every value of the path; as it is where the path does not exist there."""
    holding = [rule for needed, rule in rules if exists(needed, point)]
    if len(holding) > 1:
        told = ", ".join(f"{key} {value}" for key, value in point.items())
        raise UsageError(f"sweep.grid.{path}: more than one of its rules holds at {told}.")
    if not holding:
        return [point]
    values = [True, False] if "bool" in holding[0] else holding[0]["choice"]
    return [{**point, path: value} for value in values]


def exists(needed: Mapping, point: Mapping) -> bool:
    """Whether a path with these conditions is there at all at a point."""
    return all(parent in point and point[parent] in values for parent, values in needed.items())


def named(found: Sequence[dict], paths: Sequence[str]) -> list[Point]:
    """The points with names of their own."""
    short = short_names(paths)
    names = [name_of({short[path]: value for path, value in each.items()}) for each in found]
    count = Counter(names)  # two: "a/b" and "a-b"
    return [
        Point(f"{name[:LONGEST_NAME]}-{digest(each)}", each)
        if count[name] > 1 or len(name) > LONGEST_NAME
        else Point(name, each)
        for name, each in zip(names, found, strict=True)
    ]


def name_of(values: Mapping) -> str:
    """model=beta_vae,beta=4: nothing that a shell or a file system trips over."""
    text = ",".join(f"{key}={value}" for key, value in values.items())
    return re.sub(r"[^\w.,=+-]", "-", text, flags=re.ASCII) or "recipe"


def digest(values: Mapping) -> str:
    """Six hexadecimal digits of a point."""
    return hashlib.sha256(repr(sorted(values.items())).encode()).hexdigest()[:6]


def shard_of(text: str) -> tuple[int, int]:
    """ "3/20" -> (3, 20), the third of twenty."""
    number, slash, count = text.partition("/")
    if not (slash and number.isdecimal() and count.isdecimal()):
        raise UsageError(f"--shard takes K/N, such as 3/20 for the third of twenty, got {text}")
    k, n = int(number), int(count)
    if n < 1:
        raise UsageError(f"--shard {text}: there is at least one shard, so N >= 1")
    if not 1 <= k <= n:
        raise UsageError(f"--shard {text}: the shards of {n} are 1/{n} to {n}/{n}")
    return k, n
