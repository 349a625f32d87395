"""Checks of `sweep`: values written out, path by path, under the rules of a search's space."""

from tfkit.recipe.components import Checker
from tfkit.recipe.options import shown
from tfkit.recipe.space import check_space
from tfkit.seeding import MOST_REPLICATES

WHERE = ("sweep", "grid")
KINDS = ("choice", "bool")


class Listed:
    """A checker for which a bare list is a choice: its complaints name the list itself."""

    def __init__(self, checker: Checker, bare: set):
        self.checker, self.bare = checker, bare
        self.catalog, self.document = checker.catalog, checker.document
        self.entries, self.parameters = checker.entries, checker.parameters

    def complain(self, path: tuple, message: str, suggestion: str | None = None) -> None:
        """Note one mistake, where its author wrote it."""
        if path[2:3] and path[2] in self.bare and path[3:4] == ("choice",):
            path = (*path[:3], *path[4:])
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
    bare = {path for path, values in grid.items() if isinstance(values, list)}
    written = {path: _written_out(values) for path, values in grid.items()}
    plain = {path: rule for path, rule in written.items() if not _refused(checker, path, rule)}
    if plain or not grid:
        check_space(Listed(checker, bare), plain, WHERE)
    sweep["grid"] = written


def _written_out(values):
    """`[a, b]` as `{choice: [a, b]}`; 1 beside 0.5 is 1.0."""
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
