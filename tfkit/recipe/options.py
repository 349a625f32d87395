"""The type of one option: from the annotation's text to a strict pydantic field, and to words."""

import ast
from functools import cache, reduce
from operator import or_
from typing import Annotated, Any, Literal

from tfkit.catalog import Entry, Parameter

_WORDS = {"int": "an integer", "float": "a number", "bool": "true or false", "str": "text"}
_MANY = {"int": "integers", "float": "numbers", "bool": "true or false", "str": "texts"}
_SIGNS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_PLAIN = {"int": int, "bool": bool, "str": str, "dict": dict, "list": list, "Any": Any}


@cache
def branches(annotation: str) -> tuple[ast.expr, ...]:
    """The alternatives of a union: "int | None" -> int, None."""

    def split(node: ast.expr) -> list[ast.expr]:
        if isinstance(node, ast.BinOp):
            return [*split(node.left), *split(node.right)]
        return [node]

    return tuple(split(ast.parse(annotation, mode="eval").body))


def is_none(node: ast.expr) -> bool:
    """Whether a branch of a union is None."""
    return isinstance(node, ast.Constant) and node.value is None


def allows_none(parameter: Parameter) -> bool:
    """Whether null is a value of this option."""
    return any(is_none(node) for node in branches(parameter.type))


def is_file(parameter: Parameter, value) -> bool:
    """Whether a value is the `.keras` file of what may also be a component."""
    text = any(ast.unparse(node) == "str" for node in branches(parameter.type))
    return text and isinstance(value, str) and value.endswith(".keras")


def is_list(parameter: Parameter) -> bool:
    """Whether a component option takes a list of components."""
    return any(ast.unparse(node).startswith("list[") for node in branches(parameter.type))


def model_of(entry: Entry):
    """A strict pydantic model of the plain options of an entry; extra keys are forbidden.

    Every field is optional, since what is missing is judged with the whole recipe in view. Fields
    are called f0, f1 … with the option's name as alias: an option may be called `copy`.
    """
    options = entry.options.values()
    return _model(tuple((o.name, o.type, tuple(o.bounds.items())) for o in options))


@cache
def _model(options: tuple):
    from pydantic import ConfigDict, Field, create_model

    nothing = Annotated[int, Field(gt=0, lt=0)]  # where only components may stand
    fields = {}
    for index, (name, annotation, bounds) in enumerate(options):
        kind = _union(branches(annotation), dict(bounds))
        fields[f"f{index}"] = (nothing if kind is None else kind, Field(None, alias=name))
    config = ConfigDict(strict=True, extra="forbid")
    return create_model("Options", __config__=config, **fields)


def plain_type(option: Parameter):
    """The pydantic type of an option's plain values; None when only components may stand there."""
    return _union(branches(option.type), option.bounds)


def _union(nodes: tuple[ast.expr, ...], bounds: dict):
    kinds = [kind for kind in (_plain(node, bounds) for node in nodes) if kind is not None]
    return reduce(or_, kinds) if kinds else None


def _plain(node: ast.expr, bounds: dict):
    from pydantic import Field

    text = ast.unparse(node)
    if is_none(node):
        return type(None)
    if text == "float":
        return Annotated[float, Field(allow_inf_nan=False, **bounds)]
    if text == "int":
        return Annotated[int, Field(**bounds)]
    if text in _PLAIN:
        return _PLAIN[text]
    if not isinstance(node, ast.Subscript):
        return None
    return _subscripted(ast.unparse(node.value), node, bounds)


def _subscripted(outer: str, node: ast.Subscript, bounds: dict):
    from pydantic import Field

    items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if outer in ("Literal", "typing.Literal"):
        return Literal[tuple(item.value for item in items)]
    inner = _union(branches(ast.unparse(items[-1 if outer == "dict" else 0])), bounds)
    if inner is None:
        return None
    if outer == "dict":
        return dict[str, inner]
    if outer == "tuple" and ast.unparse(items[-1]) != "...":
        return Annotated[list[inner], Field(min_length=len(items), max_length=len(items))]
    return list[inner]


def expected(option: Parameter) -> str:
    """What an option takes, in words: "an integer >= 1, or auto"."""
    words = [_in_words(node, option) for node in branches(option.type) if not is_none(node)]
    if allows_none(option):
        words.append("null")
    return ", or ".join(words)


def _in_words(node: ast.expr, option: Parameter) -> str:
    text, limits = ast.unparse(node), bounds_in_words(option.bounds)
    if text in ("int", "float"):
        return f"{_WORDS[text]} {limits}".strip()
    if text in _WORDS:
        return _WORDS[text]
    if text.startswith(("Literal[", "typing.Literal[")):
        items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return ("one of " if len(items) > 1 else "") + ", ".join(shown(i.value) for i in items)
    if text.startswith("tuple[") and "..." not in text and isinstance(node.slice, ast.Tuple):
        items = node.slice.elts
        many = _MANY.get(ast.unparse(items[0]), "values")
        return f"a list of {len(items)} {many} {limits}".strip()
    if text.startswith(("list[", "tuple[")):
        inner = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) else node.slice
        many = _MANY.get(ast.unparse(inner), "components" if option.component else "values")
        if isinstance(inner, ast.Subscript) and ast.unparse(inner.value) == "dict":
            many = f"mappings to {_in_words(inner.slice.elts[-1], option)}"
        return f"a list of {many} {limits}".strip()
    if text == "list":
        return "a list"
    if text.startswith("dict"):
        return "a mapping"
    return f"a component like {{name: X}} ({', '.join(option.component)})"


def bounds_in_words(bounds: dict) -> str:
    """{"ge": 0, "lt": 1} -> ">= 0 and < 1"."""
    return " and ".join(f"{_SIGNS[key]} {value:g}" for key, value in bounds.items())


def shown(value: object) -> str:
    """A value as YAML would have it, shortened, for messages."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        looks_typed = value.strip() != value or not value or value[0] in "0123456789.-+"
        return f'"{value}"' if looks_typed or value in ("true", "false", "null") else value
    if isinstance(value, list):
        text = "[" + ", ".join(shown(item) for item in value) + "]"
    elif isinstance(value, dict):
        text = "{" + ", ".join(f"{key}: {shown(item)}" for key, item in value.items()) + "}"
    else:
        text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
