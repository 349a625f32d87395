"""Engines by name."""

from pathlib import Path

from tfkit import catalog
from tfkit.errors import UsageError
from tfkit.search.engines.base import Engine, Terms


def make_engine(
    kind: str,
    space,
    *,
    trials: int | None = None,
    seed: int = 0,
    directory,
    goal: str = "min",
    defaults=None,
    objective: str = "objective",
    **options,
) -> Engine:
    """The engine called `kind`; a directory with a search goes on where that stopped.

    Args:
        kind: a name that `tfkit list engine` shows: "random", "grid", "bayesian", "hyperband" or
            "optuna".
        space: dotted path -> distribution, as in the recipe.
        trials: how many to ask for at the most; None: what the kind has (grid and hyperband all
            of theirs, the others 10).
        seed: tfkit's seed s is Keras Tuner's s + 1.
        directory: where the engine's memory lies.
        goal: "min" or "max".
        defaults: the recipe's own values by path.
        objective: what the told numbers are called.
        options: of the engine.
    Raises `UsageError` for an unknown kind or option, and where the directory holds another search.
    """
    entry = catalog.find("engine", kind)
    if entry is None:
        known = ", ".join(entry.name for entry in catalog.load().of("engine"))
        raise UsageError(f"search.engine: there is no engine {kind!r}; there are: {known}.")
    own = [p.name for p in entry.parameters if not p.supplied]
    if unknown := sorted(set(options) - set(own)):
        raise UsageError(
            f"search.engine: {kind} has no option {unknown[0]}; it has {', '.join(own) or 'none'}."
        )
    engine = catalog.resolve(entry)
    terms = Terms(dict(space), trials, seed, Path(directory), goal, dict(defaults or {}), objective)
    try:
        return engine(terms, **options)
    except ValueError as error:  # what a constructor refuses is the recipe's mistake
        raise UsageError(f"search.engine: {kind}: {error}") from error
