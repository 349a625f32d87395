"""Metrics of a model on the held-out data: the room's evaluator, and the model's own logs."""

from collections.abc import Collection
from contextlib import contextmanager

import numpy as np

from tfkit import catalog
from tfkit.data.source import reading_from
from tfkit.errors import TfkitError, UsageError
from tfkit.train import seeds
from tfkit.train.build import Assembly

VALID = "valid/"


def measure(assembly: Assembly, split: str, names: list[str] | None) -> dict[str, float]:
    """The values of `names` on `split` ("valid" or "test"); None: all that the room can give.

    A name is one of the room's metrics or one of the terms that the model logs. Noise that the
    model draws for them comes from the eval stream, and training's generators are left as found.
    """
    evaluate = assembly.room.function("evaluate", "evaluate")
    known = {gift["name"] for gift in evaluator(assembly).gives} if evaluate else set()
    logged = [name for name in names or () if name not in known]
    with borrowed_noise(assembly), reading_from(assembly.source):
        values = {}
        if evaluate and (names is None or set(names) & known):
            wanted = None if names is None else [name for name in names if name in known]
            values = evaluate(
                assembly.model,
                assembly.source,
                split,
                wanted,
                assembly.seeds["eval"],
                **options(assembly.recipe),
            )
        if logged or not (values or names):
            values |= logs(assembly, split, logged)
    return {name: float(value) for name, value in values.items()}


def evaluator(assembly: Assembly):
    """The catalogue's entry of the room's evaluator."""
    room = assembly.room.package
    known = (entry for entry in catalog.load().of("evaluator") if entry.room == room)
    return next(known, None) or catalog.declared_entry("evaluator", f"{room}.evaluate:evaluate")


def options(recipe: dict) -> dict:
    """What the recipe's `evaluate` section hands to the room."""
    return {k: v for k, v in recipe["evaluate"].items() if k not in ("seeds", "metrics")}


def logs(assembly: Assembly, split: str, names: list[str]) -> dict[str, float]:
    """The model's own terms on the held-out data; all of them where `names` is empty."""
    found = assembly.model.evaluate(assembly.held_out(split), return_dict=True, verbose=0)
    if missing := [name for name in names if name not in found]:
        raise TfkitError(
            f"{type(assembly.model).__name__} reports no {', '.join(missing)}; "
            f"it reports {', '.join(sorted(found))}."
        )
    return {name: found[name] for name in names or found}


@contextmanager
def borrowed_noise(assembly: Assembly):
    """Seed the model's generators from the eval stream, and put training's states back."""
    generators = seeds.seed_generators(assembly.model)
    before = [np.array(state) for state in generators]
    for index, state in enumerate(generators):
        state.assign(np.array([assembly.seeds["eval"], index], state.dtype))
    try:
        yield
    finally:
        for state, value in zip(generators, before, strict=True):
            state.assign(value)


def figures(assembly: Assembly) -> dict:
    """The room's figures of a trained model, as data."""
    draw = assembly.room.function("evaluate", "figures")
    return draw(assembly.model, assembly.source, assembly.seeds["eval"]) if draw else {}


def require_possible(assembly: Assembly) -> None:
    """Refuse, before training, metrics that the room knows it could not compute afterwards."""
    check = assembly.room.function("evaluate", "check")
    wanted = assembly.recipe["evaluate"]["metrics"]
    if check is None:
        return
    known = {gift["name"] for gift in evaluator(assembly).gives}
    own = None if wanted is None else [name for name in wanted if name in known]
    try:
        check(assembly.model, assembly.source, own, **options(assembly.recipe))
    except ValueError as error:
        raise UsageError(str(error)) from error


def floors(assembly: Assembly, names: list[str]) -> dict[str, dict[str, float]]:
    """Metrics of what learned nothing, by the name of that; {} where the room knows no such."""
    compute = assembly.room.function("evaluate", "floors")
    own = options(assembly.recipe)
    return compute(assembly.model, assembly.source, names, **own) if compute else {}


def facts(assembly: Assembly, chosen_by: Collection[str] = ()) -> dict[str, str]:
    """What a reader of the metrics must know besides; `chosen_by` are a search's objectives."""
    tell = assembly.room.function("evaluate", "facts")
    train = assembly.recipe["train"]
    return tell(assembly.model, assembly.source, train, tuple(chosen_by)) if tell else {}


def arrays(assembly: Assembly) -> dict[str, dict]:
    """What comparisons of several trained models need of this one: arrays by name of a file."""
    give = assembly.room.function("evaluate", "arrays")
    return give(assembly.model, assembly.source, assembly.seeds["eval"]) if give else {}
