"""A recipe from file or dict to what runs: bases, overrides, checks, defaults, hash."""

import copy
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tfkit import catalog
from tfkit.errors import RecipeError
from tfkit.recipe import sets as overrides
from tfkit.recipe.checks import check
from tfkit.recipe.extends import merge, placed, with_bases
from tfkit.recipe.reading import Document, parse_document, read_text

HASH_LENGTH = 6


@dataclass(frozen=True)
class Recipe:
    """A valid recipe.

    Args:
        written: the file's text as it was given, comments and all, or the dict.
        given: merged with its bases and `--set`s, before defaults.
        resolved: every key explicit, `extends` gone, components in their long form.
        path: the file; None for a recipe that came as a dict.
    """

    written: str | dict
    given: dict
    resolved: dict
    path: Path | None = field(default=None, compare=False)

    @property
    def raw_text(self) -> str:
        """What was given, as YAML text."""
        return self.written if isinstance(self.written, str) else to_yaml(self.written)

    @property
    def seeds(self) -> list[int]:
        """The training replicates."""
        return self.resolved["evaluate"]["seeds"]

    @property
    def hash(self) -> str:
        """Six hexadecimal digits of the resolved recipe; the order of keys does not matter."""
        canonical = json.dumps(self.resolved, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:HASH_LENGTH]

    def dump(self) -> str:
        """The resolved recipe as YAML text, itself a recipe with the same hash."""
        return to_yaml(self.resolved)


def load(
    source: "str | Path | dict | Recipe", sets: str | list[str] | tuple = (), set_files: tuple = ()
) -> Recipe:
    """The recipe of a file or dict, checked and complete; `RecipeError` holds every mistake.

    Args:
        source: path of a recipe, or the recipe as a dict.
        sets: changes such as "train.steps=100", applied last, from left to right.
        set_files: YAML files merged over the recipe before the `sets`.
    """
    if isinstance(source, Recipe):
        if not sets and not set_files:
            return source
        source = source.given
    path = None if isinstance(source, dict) else Path(source)
    document = _read(source, path)
    written = _plain(source) if path is None else document.text
    for name in set_files:
        change = with_bases(parse_document(read_text(name), str(name)), Path(name).parent)
        if not isinstance(change.value, dict):
            raise RecipeError([change.problem((), "must be a mapping of keys to values")])
        document = merge(document, change)
    sets = [sets] if isinstance(sets, str) else list(sets)
    problems = overrides.apply(document, sets)
    given = copy.deepcopy(document.value)
    resolved, found = check(document, catalog.load())
    if problems or found:
        turn = {text: index for index, text in enumerate(sets)}  # as typed, then by line
        problems += found
        raise RecipeError(sorted(problems, key=lambda p: turn.get(p.typed, len(turn))))
    return Recipe(written, given, resolved, path)


def from_dict(recipe: Mapping, sets: str | list[str] | tuple = ()) -> Recipe:
    """The recipe of a dict, checked and complete; a relative `extends` is looked for here."""
    return load(dict(recipe), sets)


def validate(recipe: dict) -> dict:
    """The resolved form of a recipe given as a dict; `RecipeError` holds every mistake."""
    return load(recipe).resolved


def to_yaml(value: dict) -> str:
    """YAML text of plain values that `parse` reads back to the same."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = None  # innermost mappings and lists on one line
    yaml.sort_base_mapping_type_on_output = False
    yaml.allow_unicode = False  # ruamel.yaml loses U+0085 and its like otherwise
    yaml.width = 4096  # a break inside a flow mapping reads badly
    stream = io.StringIO()
    yaml.dump(value, stream)
    return stream.getvalue()


def _read(source, path: Path | None) -> Document:
    if path is None:
        return with_bases(placed(_plain(source)), Path.cwd())
    document = parse_document(read_text(path), str(path))
    return with_bases(document, path.parent, (path.resolve(),))


def _plain(value):
    """Tuples become lists, as YAML would have them."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return copy.deepcopy(value)
