"""Checks of one component or section against the catalogue: names, types, ranges, defaults."""

from dataclasses import replace
from difflib import get_close_matches

from tfkit import catalog as catalogs
from tfkit.catalog import Catalog, Entry, Parameter
from tfkit.declared import NotFound
from tfkit.recipe.options import expected, is_file, is_list, model_of, shown
from tfkit.recipe.reading import Document

_CALLED = {"dataset": "data set", "section": "section"}


class Checker:
    """Collects every problem of a document while it makes its values explicit.

    Args:
        document: the recipe, with places.
        catalog: what exists.
    """

    def __init__(self, document: Document, catalog: Catalog):
        self.document, self.catalog = document, catalog
        self.problems = []
        self.parameters: dict[tuple, Parameter] = {}  # path -> the option that stands there
        self.entries: dict[tuple, Entry] = {}  # path of a component -> its entry

    def complain(self, path: tuple, message: str, suggestion: str | None = None) -> None:
        """Note one mistake."""
        self.problems.append(self.document.problem(path, message, suggestion))

    def component(self, kinds: tuple, value, path: tuple, beside: tuple = ()) -> dict | None:
        """`{name, **every option}` of a component; None where it cannot be told.

        Args:
            kinds: kinds of the catalogue that may stand here.
            value: what the recipe says.
            path: where it says so.
            beside: parameters of the section itself that stand among the options.
        """
        entry = self._entry(kinds, value, path)
        if entry is None:
            return None
        self.entries[path] = entry
        given = {k: v for k, v in value.items() if k != "name"} if isinstance(value, dict) else {}
        whole = replace(entry, parameters=(*beside, *entry.parameters))
        return {"name": entry.name, **self.options(whole, given, path)}

    def options(self, entry: Entry, given: dict, path: tuple, open: bool = False) -> dict:
        """Every option of an entry, the given ones checked, the others at their defaults.

        Args:
            entry: what the options belong to.
            given: what the recipe says.
            path: where.
            open: let unknown keys pass, because what they belong to is itself unknown.
        """
        plain, resolved = {}, {}
        for key, value in given.items():
            option = entry.options.get(key)
            if option is None or not self._is_component(option, value):
                plain[key] = value
        checked = self._plain_values(entry, plain, path, open)
        for name, option in entry.options.items():
            below = (*path, name)
            self.parameters[below] = option
            if name in plain:
                resolved[name] = checked.get(name)
            elif name in given:
                resolved[name] = self._component_option(option, given[name], below)
            elif option.required:
                self.complain(below, f"missing: it must be {expected(option)}")
            else:
                resolved[name] = self._default(option, below)
        return resolved

    def _default(self, option: Parameter, path: tuple):
        if not self._is_component(option, option.default):
            return option.default
        return self._component_option(option, option.default, path)

    def _is_component(self, option: Parameter, value) -> bool:
        if not option.component or value is None or is_file(option, value):
            return False
        return isinstance(value, list) if is_list(option) else isinstance(value, dict | str)

    def _component_option(self, option: Parameter, value, path: tuple):
        if isinstance(value, list):
            found = enumerate(value)
            return [self.component(option.component, item, (*path, i)) for i, item in found]
        return self.component(option.component, value, path)

    def _plain_values(self, entry: Entry, given: dict, path: tuple, open: bool) -> dict:
        """The plain options that pass, converted (1 -> 1.0 for a number); complains of the rest."""
        from pydantic import ValidationError

        strange = [key for key in given if not isinstance(key, str)]
        for key in strange:
            self.complain((*path, key), "a key must be text; put it in quotes")
        known = {key: value for key, value in given.items() if key not in strange}
        if open:
            known = {key: value for key, value in known.items() if key in entry.options}
        model, good = model_of(entry), known
        try:
            values = model.model_validate(known)
        except ValidationError as error:
            self._complain_of(error, entry, known, path)
            bad = {item["loc"][0] for item in error.errors(include_url=False)}
            good = {key: value for key, value in known.items() if key not in bad}
            values = model.model_validate(good)
        return {o: getattr(values, f"f{i}") for i, o in enumerate(entry.options) if o in good}

    def _complain_of(self, error, entry: Entry, given: dict, path: tuple) -> None:
        seen = set()
        for item in error.errors(include_url=False, include_context=False):
            name, *rest = item["loc"]
            indices = [part for part in rest[:1] if isinstance(part, int)]
            place = (*path, name, *indices)
            if place in seen:
                continue  # each branch of a union complains
            seen.add(place)
            if name not in entry.options:
                self._unknown_option(entry, name, path)
                continue
            value = given[name][indices[0]] if indices else given[name]
            self.complain(place, wrong_value(entry.options[name], value, bool(indices)))

    def _unknown_option(self, entry: Entry, name: str, path: tuple) -> None:
        word = "key" if entry.kind == "section" else "option"
        if any(p.name == name and p.supplied for p in entry.parameters):
            reason = (
                f"{name} of {entry.name} is supplied by tfkit (from the data, the other parts or "
            )
            self.complain((*path, name), f"{reason}the section train); leave it out")
            return
        owner = entry.name if entry.name != "recipe" else "a recipe"
        near = nearest(name, entry.options) or self._elsewhere(name, entry)
        allowed = "" if near else f" ({_listed(entry.options)})"
        stale = self._stale(entry, path, name)
        self.complain((*path, name), f"unknown {word} of {owner}{allowed}{stale}", near)

    def _stale(self, entry: Entry, path: tuple, name: str) -> str:
        """The cure where a `--set` changed a component's name under the options of the old one."""
        blame = self.document.places.get((*path, "name"))
        here = self.document.place((*path, name))
        if blame is None or blame.typed is None or here.typed is not None:
            return ""
        return f"; to drop the old options: --set {'.'.join(map(str, path))}={{name: {entry.name}}}"

    def _elsewhere(self, name: str, entry: Entry) -> str | None:
        """A key that is right, but in another section."""
        if entry.kind != "section":
            return None
        for other in self.catalog.of("section"):
            if name in other.options:
                return name if other.name == "recipe" else f"{other.name}.{name}"
        return None

    def _entry(self, kinds: tuple, value, path: tuple) -> Entry | None:
        names = [entry.name for entry in self.catalog.of(*kinds)]
        called = " or ".join(_CALLED.get(kind, kind) for kind in kinds[:1])
        if isinstance(value, dict) and "name" not in value:
            self.complain((*path, "name"), f"missing: the name of a {called} ({_listed(names)})")
            return None
        name = value["name"] if isinstance(value, dict) else value
        below = (*path, "name") if isinstance(value, dict) else path
        if not isinstance(name, str):
            self.complain(
                below, f"must be the name of a {called} ({_listed(names)}), got {shown(name)}"
            )
            return None
        if ":" in name:
            return self._own(kinds[0], name, below)
        entry = self.catalog.find_any(kinds, name)
        if entry is None:
            self._no_such(name, kinds, names, called, below)
        return entry

    def _own(self, kind: str, target: str, path: tuple) -> Entry | None:
        """A component of the user's, read from its source."""
        try:
            return catalogs.declared_entry(kind, target)
        except NotFound as error:
            message, *rest = error.args
            near = nearest(rest[0], rest[1]) if rest else None
            looked = "" if rest else " (looked for in the current folder and on sys.path)"
            self.complain(path, f"{target}: {message}{looked}", near)
            return None

    def _no_such(self, name: str, kinds: tuple, names: list, called: str, path: tuple) -> None:
        others = self.catalog.named(name)
        if others:
            other = _CALLED.get(others[0].kind, others[0].kind)
            message = f"{name} is {_article(other)}, but {_article(called)} is needed here"
            self.complain(path, f"{message} ({_listed(names)})")
            return
        near = nearest(name, names)
        allowed = "" if near else f" ({_listed(names)})"
        self.complain(path, f"there is no {called} called {name}{allowed}", near)


def wrong_value(option: Parameter, value, item: bool = False) -> str:
    """Expected, received, and the cure for an integer written as a float or a number in quotes."""
    wanted = expected(option)
    cure = ""
    takes_int = "integer" in wanted
    if takes_int and "number" not in wanted and isinstance(value, float) and value == value // 1:
        cure = f"; write {int(value)}"
    if isinstance(value, str) and ("number" in wanted or takes_int) and _is_number(value):
        cure = "; write it without quotes"
    inside = "in the list: " if item else ""
    return f"{inside}must be {wanted}, got {shown(value)}{cure}"


def nearest(word: str, among) -> str | None:
    """The name that was probably meant: alike but for case and underscores, or its initials."""
    names = [str(name) for name in among]
    plain = {_letters(name): name for name in names}
    found = get_close_matches(_letters(str(word)), plain, n=1, cutoff=0.6)
    if found:
        return plain[found[0]]
    short = [n for n in names if "_" in n and "".join(p[:1] for p in n.split("_")) == word]
    return short[0] if len(short) == 1 else None


def _letters(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _listed(names) -> str:
    names = list(names)
    return f"allowed: {', '.join(names)}" if names else "there is none"


def _article(word: str) -> str:
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"
