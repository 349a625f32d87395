"""Engines by name."""

from collections.abc import Mapping
from pathlib import Path

from tfkit import catalog
from tfkit.catalog import Entry
from tfkit.errors import UsageError
from tfkit.recipe.distributions import KEYS
from tfkit.search.engines.base import Engine, Terms


def make_engine(
    kind: str,
    space: Mapping,
    *,
    trials: int | None = None,
    seed: int = 0,
    directory,
    goal: str = "min",
    defaults: Mapping | None = None,
    objective: str = "objective",
    work: str = "",
    **options,
) -> Engine:
    """The engine called `kind`; a directory with a search goes on where that stopped.

    Args:
        kind: a name that `tfkit list engine` shows.
        trials: None: what the kind has (grid and hyperband all of theirs, the others 10).
        options: of the engine. All else is described at `tfkit.search.engines.base.Terms`.
    Raises `UsageError` for what is unknown, and where the directory holds another search.
    """
    entry = entry_of(kind, options)
    if trials is not None and trials < 1:
        raise UsageError(
            f"search.trials: must be >= 1, or none for the engine's own, got {trials}."
        )
    require_distributions(space)
    place, own = Path(directory), dict(defaults or {})
    terms = Terms(dict(space), trials, seed, place, goal, own, objective, work)
    try:
        return catalog.resolve(entry)(terms, **options)
    except ValueError as error:  # what a constructor refuses is the recipe's mistake
        raise UsageError(f"search.engine: {kind}: {error}") from error


def entry_of(kind: str, options: Mapping) -> Entry:
    """The catalogue's entry of an engine, which has these options."""
    entry = catalog.find("engine", kind)
    if entry is None:
        known = ", ".join(entry.name for entry in catalog.load().of("engine"))
        raise UsageError(f"search.engine: there is no engine {kind!r}; there are: {known}.")
    own = [p.name for p in entry.parameters if not p.supplied]
    if unknown := sorted(set(options) - set(own)):
        raise UsageError(
            f"search.engine: {kind} has no option {unknown[0]}; it has {', '.join(own) or 'none'}."
        )
    return entry


def require_distributions(space: Mapping) -> None:
    """Refuse rules of a space that are no distribution; a recipe's were looked at more closely."""
    for path, rule in space.items():
        if not isinstance(rule, Mapping) or len([kind for kind in KEYS if kind in rule]) != 1:
            known = ", ".join(KEYS)
            raise UsageError(
                f"search.space.{path}: must be a mapping with one of {known}, got {rule!r}."
            )
