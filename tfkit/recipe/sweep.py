"""Checks of `sweep`: values written out, path by path, under the rules of a search's space."""

from tfkit.recipe.components import Checker
from tfkit.recipe.options import shown
from tfkit.recipe.space import check_space
from tfkit.seeding import MOST_REPLICATES

WHERE = ("sweep", "grid")
KINDS = ("choice", "bool")


class Listed:
    """A checker for which a bare list is a choice: its complaints name the list itself, and those
    of one of several rules of a path its number.
    """

    def __init__(self, checker: Checker, bare: set, number: dict[str, int]):
        self.checker, self.bare, self.number = checker, bare, number
        self.catalog, self.document = checker.catalog, checker.document
        self.entries, self.parameters = checker.entries, checker.parameters

    def complain(self, path: tuple, message: str, suggestion: str | None = None) -> None:
        """Note one mistake, where its author wrote it."""
        if path[2:3] and path[2] in self.bare and path[3:4] == ("choice",):
            path = (*path[:3], *path[4:])
        if path[2:3] and path[2] in self.number:
            path = (*path[:3], self.number[path[2]], *path[3:])
        self.checker.complain(path, message, suggestion)


def check(checker: Checker, resolved: dict) -> None:
    """Complain of every wrong line of the section, and write its short forms out."""
    sweep = resolved.get("sweep")
    if sweep is None:
        return
    if resolved.get("search") is not None:
        message = (
            "stands beside search; keep one of the two, or leave one out with --set search=null"
        )
        checker.complain(("sweep",), message)
    _check_seeds(checker, sweep.get("seeds"))
    grid = sweep.get("grid")
    if not isinstance(grid, dict):
        return
    grid = {path: values for path, values in grid.items() if values is not None}
    bare = {path for path, values in grid.items() if isinstance(values, list)}
    written = {path: _written_out(values) for path, values in grid.items()}
    several = {path: rules for path, rules in written.items() if isinstance(rules, list)}
    plain = {path: _first(rule) for path, rule in written.items()}
    plain = {path: rule for path, rule in plain.items() if not _refused(checker, path, rule)}
    if plain or not grid:
        check_space(Listed(checker, bare - several.keys(), dict.fromkeys(several, 0)), plain, WHERE)
    for path, rules in several.items():
        _check_several(checker, path, rules, plain, several)
    sweep["grid"] = written


def _check_several(checker: Checker, path: str, rules: list, plain: dict, several: dict) -> None:
    """Each rule but the first, which was checked with the others', and that all have conditions."""
    for number, rule in enumerate(rules):
        place = (*WHERE, path, number)
        if not isinstance(rule.get("when"), dict):
            checker.complain(place, "needs a `when`, as the path has several rules")
            continue
        if deciding := [parent for parent in rule["when"] if parent in several]:
            message = f"{deciding[0]} has several rules itself and cannot decide over others"
            checker.complain((*place, "when", deciding[0]), message)
        elif number:
            parents = {parent: plain[parent] for parent in rule["when"] if parent in plain}
            check_space(Listed(checker, set(), {path: number}), {**parents, path: rule}, WHERE)


def _first(rule):
    """The rule that stands for a path's several ones where they are not told apart."""
    return rule[0] if isinstance(rule, list) else rule


def _is_several(values) -> bool:
    """Whether a list holds rules and not values."""
    return (
        isinstance(values, list)
        and bool(values)
        and all(isinstance(v, dict) and any(kind in v for kind in KINDS) for v in values)
    )


def _written_out(values):
    """`[a, b]` as `{choice: [a, b]}`; 1 beside 0.5 is 1.0; several rules one by one."""
    if _is_several(values):
        return [_written_out(rule) for rule in values]
    rule = {"choice": values} if isinstance(values, list) else values
    listed = rule.get("choice") if isinstance(rule, dict) else None
    if isinstance(listed, list) and {type(value) for value in listed} == {int, float}:
        return {**rule, "choice": [float(value) for value in listed]}
    return rule


def _refused(checker: Checker, path, rule) -> bool:
    """Whether a rule is none that lists its values."""
    if isinstance(rule, dict) and any(kind in rule for kind in KINDS):
        return False
    example = "such as [1, 2, 4], {choice: [1, 2, 4], when: {other.path: [v]}} or {bool: true}"
    checker.complain((*WHERE, path), f"must be a list of values, {example}, got {shown(rule)}")
    return True


def _check_seeds(checker: Checker, seeds) -> None:
    place = ("sweep", "seeds")
    if isinstance(seeds, int) and seeds < 1:
        checker.complain(place, f"must be a number of seeds >= 1 or a list of them, got {seeds}")
    if isinstance(seeds, int) and seeds > MOST_REPLICATES:
        message = f"asks for {seeds} seeds, and may ask for 1 to {MOST_REPLICATES}"
        checker.complain(place, f"{message}; [{seeds}] is the one seed {seeds}")
    if seeds == []:
        checker.complain(place, "is empty; give at least one seed, such as [1]")
    for index, seed in enumerate(seeds if isinstance(seeds, list) else []):
        if seed in seeds[:index]:
            message = f"seed {seed} is there twice; every replicate needs a seed of its own"
            checker.complain((*place, index), message)
