"""What a class or function declares, read from its source: parameters, bounds, docs.

Nothing is imported, so a catalogue of Keras code is made, and a user's own component is checked,
without TensorFlow. The grammar of the docstrings is documented in CONTRIBUTING.md.
"""

import ast
import importlib.machinery
import importlib.util
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tfkit.docstrings import parse_bounds, parse_docstring

# annotation -> the kinds of the catalogue that may stand there
COMPONENTS = {
    "keras.Model": ("network", "model"),
    "keras.Layer": ("layer", "activation"),
    "keras.layers.Layer": ("layer", "activation"),
    "keras.optimizers.Optimizer": ("optimizer",),
    "keras.optimizers.schedules.LearningRateSchedule": ("schedule",),
    "keras.callbacks.Callback": ("callback",),
    "keras.losses.Loss": ("loss",),
    "keras.metrics.Metric": ("metric",),
    "Layer": ("layer", "activation"),
    "LearningRateSchedule": ("schedule",),
    "Engine": ("engine",),
    "Executor": ("executor",),
}
# where the engine has nothing to supply: a required parameter must be given in the recipe
NOT_SUPPLIED = ("dataset", "section", "callback")


Paths = tuple[str, ...]  # folders to look for modules in, as in sys.path


class NotFound(LookupError):
    """A module or attribute that is not there, or that is neither class nor function."""


class Source(NamedTuple):
    """One parsed module."""

    name: str
    tree: ast.Module

    def definition(self, name: str) -> ast.AST | None:
        """The last statement of the module that binds `name`."""
        found = None
        for node in self.tree.body:
            if name in _bound_names(node):
                found = node
        return found


def declare(kind: str, name: str, target: str, paths: Paths = ()) -> dict:
    """The catalogue entry of `module:attribute` as plain data; `NotFound` says what is missing."""
    module, _, attribute = target.partition(":")
    source, node = find(module, attribute, (*paths, *sys.path))
    doc = parse_docstring(ast.get_docstring(node) or "")
    initialiser, owner = _initialiser(source, node, paths)
    older = _inherited(source, node, paths)
    arguments = {}
    for known in [*reversed(older), doc]:
        arguments |= known["args"]
    parameters = [
        _parameter(kind, raw, arguments.get(raw[0], ""), owner) for raw in _raw(initialiser)
    ]
    return {
        "kind": kind,
        "name": name,
        "object": target,
        "summary": doc["summary"],
        "doc": doc["text"],
        "parameters": parameters,
        "needs": _nearest_said("needs", doc, older),
        "gives": doc["gives"],
        "logs": _nearest_said("logs", doc, older),
        "references": doc["references"],
        "optimizers": _optimizers(source, node, paths),
        "room": _room(source, node, paths),
    }


def _found_by_hooks(name: str):
    try:
        return importlib.util.find_spec(name)
    except ValueError:  # a module without a spec, such as __main__
        return None


def _nearest_said(part: str, doc: dict, older: list[dict]) -> list[str]:
    return next((known[part] for known in [doc, *older] if known[part]), [])


def find(module: str, attribute: str, paths: Paths) -> tuple[Source, ast.AST]:
    """The class or function behind `module:attribute`, through re-exports."""
    source = read(module, paths)
    node = source.definition(attribute)
    table = source.definition("_LAZY") if node is None else None
    if isinstance(table, ast.Assign) and attribute in (lazy := ast.literal_eval(table.value)):
        return find(f"{module}.{lazy[attribute]}", attribute, paths)
    if node is None:
        raise NotFound(f"module {module} has no {attribute}", attribute, public_names(source))
    if isinstance(node, ast.ImportFrom):
        original = next(a.name for a in node.names if (a.asname or a.name) == attribute)
        return find(_absolute(source.name, node), original, paths)
    if not isinstance(node, ast.ClassDef | ast.FunctionDef):
        raise NotFound(f"{attribute} of module {module} is neither a function nor a class")
    return source, node


def public_names(source: Source) -> list[str]:
    """Functions and classes of a module without a leading underscore, in the file's order."""
    return [
        node.name
        for node in source.tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_")
    ]


@cache
def read(module: str, paths: Paths) -> Source:
    """A module's parsed source, found like an import finds it but not executed."""
    search, spec = list(paths), None
    for index, part in enumerate(module.split("."), 1):
        name = ".".join(module.split(".")[:index])
        # by its last part: below folders without __init__.py, the whole name asks for the parents
        spec = importlib.machinery.PathFinder.find_spec(part, search)
        if spec is None and index == 1:  # editable installs are found by hooks of their own
            spec = _found_by_hooks(name)
        if spec is None:
            raise NotFound(f"no module {name}")
        search = list(spec.submodule_search_locations or [])
    if not spec.origin or not spec.origin.endswith(".py"):
        raise NotFound(f"module {module} has no Python source to read")
    try:
        tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"), spec.origin)
    except (SyntaxError, UnicodeDecodeError) as error:
        raise NotFound(f"module {module} cannot be read: {error}") from error
    return Source(module, tree)


def derives(source: Source, node: ast.ClassDef, bases: set[str], paths: Paths = ()) -> bool:
    """Whether a class has one of `bases` (as written, e.g. "keras.Model") among its ancestors."""
    chain = [node, *(definition for _, definition in ancestors(source, node, paths))]
    return any(ast.unparse(base) in bases for one in chain for base in one.bases)


def ancestors(source: Source, node: ast.ClassDef, paths: Paths) -> list[tuple[Source, ast.AST]]:
    """The classes that a class builds on, nearest first, as far as their source is tfkit's or the
    user's.
    """
    found = []
    for base in node.bases:
        try:
            parent = _parent(source, ast.unparse(base), (*paths, *sys.path))
        except NotFound:
            continue  # a class of Keras or the like: its source says nothing in our grammar
        if isinstance(parent[1], ast.ClassDef):
            found += [parent, *ancestors(*parent, paths)]
    return found


def _parent(source: Source, base: str, paths: Paths) -> tuple[Source, ast.AST]:
    module, _, name = base.rpartition(".")
    if module.partition(".")[0] in ("keras", "tf", "tensorflow"):
        raise NotFound(base)
    node = source.definition(name) if not module else None
    if isinstance(node, ast.ImportFrom):
        module = _absolute(source.name, node)
        if module.partition(".")[0] == "keras":
            raise NotFound(base)
        name = next(a.name for a in node.names if (a.asname or a.name) == name)
    if module == "tfkit.models":  # the rooms' models under one roof, known to the catalogue only
        for path in sorted((Path(__file__).parent / "methods").glob("*/model.py")):
            room = read(f"tfkit.methods.{path.parent.name}.model", paths)
            if room.definition(name) is not None:
                return find(room.name, name, paths)
    return find(module or source.name, name, paths)


def _bound_names(node: ast.AST) -> list[str]:
    match node:
        case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
            return [node.name]
        case ast.ImportFrom():
            return [alias.asname or alias.name for alias in node.names]
        case ast.Assign():
            return [target.id for target in node.targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(target=ast.Name()):
            return [node.target.id]
    return []


def _absolute(module: str, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = module.split(".")[: -node.level]
    return ".".join([*package, *(node.module or "").split(".")]).rstrip(".")


def _method(source: Source, node: ast.ClassDef, name: str, paths) -> tuple[ast.AST, Source] | None:
    """A method of a class or of its nearest ancestor whose source is at hand."""
    for owner, definition in [(source, node), *ancestors(source, node, paths)]:
        for statement in definition.body:
            if isinstance(statement, ast.FunctionDef) and statement.name == name:
                return statement, owner
    return None


def _initialiser(source: Source, node: ast.AST, paths) -> tuple[ast.AST, Source]:
    """Where the parameters are written: the function, `__init__`, or a dataclass itself."""
    if not isinstance(node, ast.ClassDef):
        return node, source
    if any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list):
        return node, source
    return _method(source, node, "__init__", paths) or (ast.parse("def f(): pass").body[0], source)


def _inherited(source: Source, node: ast.AST, paths: Paths) -> list[dict]:
    """The docstrings of a class's ancestors, parsed, nearest first."""
    chain = ancestors(source, node, paths) if isinstance(node, ast.ClassDef) else []
    return [parse_docstring(ast.get_docstring(definition) or "") for _, definition in chain]


def _room(source: Source, node: ast.AST, paths: Paths) -> str:
    """The package with a model's other parts; a class derived from a room's model stays in it."""
    chain = ancestors(source, node, paths) if isinstance(node, ast.ClassDef) else []
    modules = [source.name, *(owner.name for owner, _ in chain)]
    rooms = (name for name in modules if name.endswith(".model") or "tfkit.methods." in name)
    model = next(rooms, source.name)
    return model.rpartition(".")[0]


def _raw(node: ast.AST) -> list[tuple[str, ast.AST | None, ast.AST | None]]:
    """(name, annotation, default) of each parameter, without `self`, `*args`, `**kwargs`."""
    if isinstance(node, ast.ClassDef):
        fields = [s for s in node.body if isinstance(s, ast.AnnAssign)]
        return [(f.target.id, f.annotation, f.value) for f in fields]
    listed = [*node.args.posonlyargs, *node.args.args]
    defaults = [None] * (len(listed) - len(node.args.defaults)) + node.args.defaults
    pairs = [*zip(listed, defaults, strict=True)]
    pairs += zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
    return [(arg.arg, arg.annotation, value) for arg, value in pairs if arg.arg != "self"]


def _parameter(kind: str, raw: tuple, doc: str, owner: Source) -> dict:
    name, annotation, default = raw
    text = _annotation(annotation, owner)
    component = [k for key, kinds in COMPONENTS.items() if _mentions(text, key) for k in kinds]
    required = default is None
    return {
        "name": name,
        "type": text,
        "default": None if required else _value(default, owner, name),
        "required": required,
        "component": component,
        "supplied": required and not component and kind not in NOT_SUPPLIED,
        "bounds": parse_bounds(doc),
        "doc": doc,
    }


def _annotation(node: ast.AST | None, owner: Source) -> str:
    """The annotation's text, with an alias of its module (`Estimator = Literal[…]`) written out."""
    if node is None:
        return "Any"
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        node = ast.parse(node.value, mode="eval").body
    alias = isinstance(node, ast.Name) and owner.definition(node.id)
    return _annotation(alias.value, owner) if isinstance(alias, ast.Assign) else ast.unparse(node)


def _mentions(annotation: str, name: str) -> bool:
    return any(
        ast.unparse(node) == name
        for node in ast.walk(ast.parse(annotation, mode="eval"))
        if isinstance(node, ast.Attribute | ast.Name)
    )


def _value(node: ast.AST, owner: Source, name: str):
    """A default as plain data: a literal, a constant of its module, or a dataclass factory."""
    if isinstance(node, ast.Name) and isinstance(owner.definition(node.id), ast.Assign):
        node = owner.definition(node.id).value
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ("field", "dataclasses.field"):
        factory = node.keywords[0].value
        node = factory.body if isinstance(factory, ast.Lambda) else ast.parse("[]").body[0].value
    try:
        value = ast.literal_eval(node)
    except ValueError as error:
        message = f"{owner.name}: the default of {name} must be a literal or a constant"
        raise NotFound(message) from error
    return list(value) if isinstance(value, tuple) else value


def _optimizers(source: Source, node: ast.AST, paths) -> list[str]:
    """Keywords of a model's `compile` that end in `_optimizer`: further keys of `train`."""
    found = isinstance(node, ast.ClassDef) and _method(source, node, "compile", paths)
    return [name for name, *_ in _raw(found[0]) if name.endswith("_optimizer")] if found else []
