"""YAML text to plain values, with the file, line and column of every key."""

from dataclasses import dataclass, field
from pathlib import Path

from tfkit.errors import Problem, RecipeError

MOST_NODES = 100_000  # nested aliases can make gigabytes of a short file


@dataclass(frozen=True)
class Place:
    """Where a key stands: in a file (1-based line and column), or in a `--set` as it was typed."""

    file: str | None = None
    line: int | None = None
    column: int | None = None
    source: str | None = None
    typed: str | None = None

    def problem(self, message: str, path: str = "", suggestion: str | None = None) -> Problem:
        """A mistake at this place."""
        return Problem(message, path, suggestion=suggestion, **vars(self))


@dataclass
class Document:
    """A recipe as it is being put together: plain values, and the place of every path in them.

    Args:
        value: the plain values.
        places: path, a tuple of keys and indices, -> place.
        text: the text it was read from.
    """

    value: object
    places: dict[tuple, Place] = field(default_factory=dict)
    text: str = ""

    def place(self, path: tuple) -> Place:
        """Where `path` stands; for a path that is not there, its nearest parent."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path) or Place()

    def problem(self, path: tuple, message: str, suggestion: str | None = None) -> Problem:
        """A mistake at that path."""
        return self.place(path).problem(message, dotted(path), suggestion)

    def put(self, path: tuple, place: Place) -> None:
        """Give everything at and below `path` one place, such as the `--set` that wrote it."""
        self.forget(path)
        self.places[path] = place

    def forget(self, path: tuple) -> None:
        """Drop the places at and below `path`."""
        for known in [p for p in self.places if p[: len(path)] == path]:
            del self.places[known]


def dotted(path: tuple) -> str:
    """("train", "callbacks", 0) -> "train.callbacks.0"."""
    return ".".join(str(key) for key in path)


def parse(text: str) -> object:
    """What YAML 1.2 text holds, as plain values; `RecipeError` gives the line of what is not YAML.

    `1e-3` is a number, `no` and `1:30` are strings, `010` is ten, a key given twice is an error.
    """
    return parse_document(text).value


def read_text(path: str | Path, place: Place | None = None) -> str:
    """A recipe file's text; `RecipeError` in one sentence when there is none."""
    place = place or Place(file=str(path))
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        message = f"there is no file {path}"
    except IsADirectoryError:
        message = f"{path} is a folder; name the recipe file in it"
    except UnicodeDecodeError as error:
        message = f"{path} is not UTF-8 text (byte {error.start} cannot be read)"
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}"
    raise RecipeError([place.problem(message)])


def parse_document(text: str, file: str | None = None) -> Document:
    """Like `parse`, with the places of all keys."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    yaml = YAML(typ="safe", pure=True)
    try:
        root = yaml.compose(text)
        _refuse_bombs(root, file, text)
        value = None if root is None else yaml.constructor.construct_document(root)
    except MarkedYAMLError as error:
        raise RecipeError([_syntax_problem(error, file, text)]) from error
    except (YAMLError, ValueError) as error:
        message = f"not YAML: {' '.join(str(error).split())}"
        raise RecipeError([_unmarked_place(error, file, text).problem(message)]) from error
    except RecursionError as error:
        place = Place(file, 1, 1, (text.splitlines() or [""])[0])
        raise RecipeError([place.problem("not a recipe: nested too deeply")]) from error
    places = {} if root is None else _Notes(yaml.constructor, file, text).take(root)
    return Document(value, places or {(): Place(file, 1, 1)}, text)


class _Notes:
    """Collects the places of the keys and list items below a YAML node."""

    def __init__(self, constructor, file: str | None, text: str):
        self.constructor, self.file, self.lines = constructor, file, text.splitlines()
        self.places: dict[tuple, Place] = {}

    def take(self, node, path: tuple = ()) -> dict[tuple, Place]:
        self.places.setdefault(path, _place(node.start_mark, self.file, self.lines))
        if not isinstance(node.value, list):
            return self.places
        for index, item in enumerate(node.value):
            key, value = item if isinstance(item, tuple) else (None, item)
            name = index if key is None else self.constructor.construct_object(key, deep=True)
            mark = (key or value).start_mark
            self.places[*path, name] = _place(mark, self.file, self.lines)
            self.take(value, (*path, name))
        return self.places


def _place(mark, file: str | None, lines: list[str]) -> Place:
    line = min(mark.line, max(len(lines) - 1, 0))
    return Place(file, line + 1, mark.column + 1, lines[line] if lines else "")


def _syntax_problem(error, file: str | None, text: str) -> Problem:
    mark, lines = error.problem_mark or error.context_mark, text.splitlines()
    key = str(error.context) == "while scanning a simple key"
    if error.context_mark and (key or mark.line >= len(lines)):
        mark = error.context_mark  # where it was opened, not where it was missed
    words = " ".join(str(error.problem or error.context).split())
    if type(error).__name__ == "DuplicateKeyError":
        message = f"{words.split(' with value')[0].replace('found duplicate', 'duplicate')}"
        return _place(mark, file, lines).problem(f"{message}: this key was given before")
    if "'\\t'" in words:
        words = "a tab cannot indent YAML; use spaces"
    context = f" ({error.context})" if error.context else ""
    if error.context_mark and error.context_mark.line < mark.line:
        context = f" ({error.context} that begins in line {error.context_mark.line + 1})"
    return _place(mark, file, lines).problem(f"not YAML: {words}{context}")


def _unmarked_place(error, file: str | None, text: str) -> Place:
    """The line of an unreadable character, which ruamel.yaml counts but does not mark."""
    position = getattr(error, "position", None)
    if not isinstance(position, int):
        return Place(file, 1, 1)
    before = text[:position]
    column = position - (before.rfind("\n") + 1)
    return Place(file, before.count("\n") + 1, column + 1)


def _refuse_bombs(root, file: str | None, text: str) -> None:
    """Refuse aliases that contain themselves or that multiply beyond any recipe's size."""
    count, stack = 0, [(root, frozenset())]
    while stack:
        node, above = stack.pop()
        if not isinstance(getattr(node, "value", None), list):
            continue
        count += len(node.value)
        if id(node) in above or count > MOST_NODES:
            place = _place(node.start_mark, file, text.splitlines())
            words = "an alias that contains itself" if id(node) in above else "far too many values"
            raise RecipeError([place.problem(f"not a recipe: {words}")])
        for item in node.value:
            children = item if isinstance(item, tuple) else (item,)
            stack += [(child, above | {id(node)}) for child in children]
