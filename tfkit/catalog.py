"""What exists: every model, network, data set, optimizer … by kind and name, with its parameters.

The catalogue is read from `catalog.json`, which `scripts/make_catalog.py` generates from signatures
and docstrings, and from plug-ins; nothing of it imports TensorFlow until `resolve`.
"""

import importlib
import json
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import metadata
from pathlib import Path

from tfkit import declared
from tfkit.errors import TfkitError

PLUGINS = (
    "tfkit.catalog"  # entry-point group: each gives a dict or JSON text with {"entries": [...]}
)
# kinds whose objects are Keras classes that `.keras` files may hold
_KERAS = ("model", "layer", "activation", "loss", "metric", "optimizer", "schedule")


@dataclass(frozen=True)
class Parameter:
    """One parameter of an entry.

    Args:
        name: as in the signature and in the recipe.
        type: the annotation's text, e.g. "int | None".
        default: its default as plain data; None where it is required.
        required: it has no default.
        component: kinds of the catalogue that may stand there; empty for plain values.
        supplied: the engine gives it (from the data or from other parts); refused in a recipe.
        bounds: {"gt" | "ge" | "lt" | "le": number}.
        doc: its line in the docstring.
    """

    name: str
    type: str
    default: object
    required: bool
    component: tuple[str, ...]
    supplied: bool
    bounds: dict[str, float]
    doc: str


@dataclass(frozen=True)
class Entry:
    """One thing of the catalogue.

    Args:
        kind: model, network, layer, activation, loss, metric, optimizer, schedule, callback,
            dataset, evaluator, server, engine or section.
        name: what recipes call it.
        object: "module:attribute".
        summary: the docstring's first paragraph.
        doc: the whole docstring.
        parameters: in the signature's order.
        needs: keys of a batch that a model or metric reads.
        gives: what a data set, evaluator or server gives: {"name", "needs", "doc"} each.
        logs: what a model's objective logs.
        references: the paper.
        optimizers: a model's further optimizers, legal keys of `train`.
        room: the package with a model's other parts, such as `tfkit.methods.disentanglement`.
    """

    kind: str
    name: str
    object: str
    summary: str
    doc: str
    parameters: tuple[Parameter, ...]
    needs: tuple[str, ...] = ()
    gives: tuple[dict, ...] = ()
    logs: tuple[str, ...] = ()
    references: str = ""
    optimizers: tuple[str, ...] = ()
    room: str = ""

    @classmethod
    def from_dict(cls, data: dict) -> "Entry":
        """The entry that one record of `catalog.json` or of a plug-in describes."""
        parameters = [
            Parameter(**{**p, "component": tuple(p["component"])}) for p in data["parameters"]
        ]
        lists = ("needs", "gives", "logs", "optimizers")
        tuples = {key: tuple(data.get(key, ())) for key in lists}
        return cls(**{**data, **tuples, "parameters": tuple(parameters)})

    @property
    def module(self) -> str:
        """The module that defines it."""
        return self.object.partition(":")[0]

    @property
    def keras(self) -> bool:
        """Whether a `.keras` file may hold it."""
        return self.kind in _KERAS

    @cached_property
    def options(self) -> dict[str, Parameter]:
        """What a recipe may say: every parameter that is not supplied, by name."""
        return {p.name: p for p in self.parameters if not p.supplied}

    @property
    def given_names(self) -> tuple[str, ...]:
        """The names alone of what it gives."""
        return tuple(item["name"] for item in self.gives)


class Catalog:
    """All entries, found by kind and name."""

    def __init__(self, entries: list[Entry]):
        self.entries = tuple(entries)
        self._by_key = {(entry.kind, entry.name): entry for entry in entries}

    def find(self, kind: str, name: str) -> Entry | None:
        """The entry of that kind and name, or None."""
        return self._by_key.get((kind, name))

    def find_any(self, kinds: tuple[str, ...], name: str) -> Entry | None:
        """The first entry of that name among several kinds, or None."""
        found = (self._by_key.get((kind, name)) for kind in kinds)
        return next((entry for entry in found if entry), None)

    def of(self, *kinds: str) -> list[Entry]:
        """The entries of these kinds, in the catalogue's order."""
        return [entry for entry in self.entries if entry.kind in kinds]

    def named(self, name: str) -> list[Entry]:
        """The entries of that name, whatever their kind."""
        return [entry for entry in self.entries if entry.name == name]

    def beside(self, entry: Entry, kind: str) -> Entry | None:
        """The entry of another kind in the same room, such as a model's evaluator."""
        return next((e for e in self.of(kind) if e.room == entry.room), None)


@cache
def load() -> Catalog:
    """The catalogue of tfkit and its installed plug-ins."""
    text = (Path(__file__).parent / "catalog.json").read_text(encoding="utf-8")
    records = json.loads(text)["entries"] + _plugin_records()
    return Catalog([Entry.from_dict(record) for record in records])


def find(kind: str | tuple[str, ...], name: str) -> Entry | None:
    """The entry of that name among one or several kinds, or None.

    "my_module:build_encoder" is a component of the user's own; see `declared_entry`.
    """
    kinds = (kind,) if isinstance(kind, str) else tuple(kind)
    if ":" in name:
        return declared_entry(kinds[0], name)
    return load().find_any(kinds, name)


def declared_entry(kind: str, target: str) -> Entry:
    """The entry of a user's own "my_module:build_encoder", read from its source, not imported.

    Raises `declared.NotFound` when there is no such module or attribute.
    """
    return Entry.from_dict(declared.declare(kind, target, target, (str(Path.cwd()),)))


def resolve(entry: Entry):
    """The object itself: imports its module (and with it, for most kinds, TensorFlow)."""
    if ":" in entry.name:
        _allow_current_folder()
    module, _, attribute = entry.object.partition(":")
    return getattr(importlib.import_module(module), attribute)


def _allow_current_folder() -> None:
    # an installed `tfkit` program has no current folder on sys.path, `python -m tfkit` has
    import sys

    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))


def _plugin_records() -> list[dict]:
    records = []
    for point in metadata.entry_points(group=PLUGINS):
        try:
            fragment = point.load()
            fragment = fragment() if callable(fragment) else fragment
            fragment = json.loads(fragment) if isinstance(fragment, str) else fragment
            records += [_complete(record) for record in fragment["entries"]]
        except Exception as error:
            message = f"the plug-in {point.name} ({point.value}) gives no catalogue: {error!r}"
            raise TfkitError(message) from error
    return records


def _complete(record: dict) -> dict:
    """A plug-in's record: either complete, or {kind, name, object} to be read from its source."""
    if "parameters" in record:
        return record
    return declared.declare(record["kind"], record["name"], record["object"])
