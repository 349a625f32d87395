"""Which command a recipe is for, and how a command's options say what keys of it say too."""

from tfkit.errors import UsageError
from tfkit.program import program
from tfkit.recipe.document import Recipe


def search_sets(trials: int | None, budget: str | float | None, workers: int | None) -> list[str]:
    """Options of `tfkit search` as the `--set`s that they stand for."""
    options = {
        "search.trials": trials,
        "search.budget": budget,
        "search.executor": None if workers is None else f"{{name: local, workers: {workers}}}",
    }
    return [f"{path}={value}" for path, value in options.items() if value is not None]


def refuse_sweep(known: Recipe) -> None:
    """A sweep has a command of its own."""
    if known.resolved["sweep"] is not None:
        raise UsageError(
            f"{known.path or 'run'}: the recipe has a sweep, which `{program()} sweep` runs; one "
            "run of it, without the sweep: --set sweep=null"
        )


def require_search(known: Recipe) -> None:
    """Refuse a recipe without a search."""
    if known.resolved["search"] is None:
        raise UsageError(
            f"{known.path or 'search'}: the recipe has no `search` section; see `tfkit describe "
            "search`, or use `tfkit run`."
        )
