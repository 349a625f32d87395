"""The JSON schema of recipes, from which editors complete and check while one types."""

import ast

from tfkit.catalog import Catalog, Entry, Parameter
from tfkit.recipe.options import branches, is_none

_TYPES = {"int": "integer", "float": "number", "bool": "boolean", "str": "string"}
_LIMITS = {"gt": "exclusiveMinimum", "ge": "minimum", "lt": "exclusiveMaximum", "le": "maximum"}
_OWN = {"type": "string", "pattern": "^[A-Za-z_][\\w.]*:[A-Za-z_]\\w*$"}
_SPACE = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": {
        "type": "object",
        "minProperties": 1,
        "properties": {
            "float": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
            "int": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
            "choice": {"type": "array", "minItems": 1},
            "bool": {"const": True},
            "fixed": {},
            "log": {"type": "boolean"},
            "step": {"type": "number", "exclusiveMinimum": 0},
            "when": {"type": "object", "additionalProperties": {"type": "array"}},
        },
        "additionalProperties": False,
    },
}
_WITHIN = {"search": ["confirm"], "export": ["batching"]}  # sections that are keys of another one
_VALUES = {"type": "array", "minItems": 1}
_GRID = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": {
        "anyOf": [
            {"type": "null"},
            _VALUES,
            {
                "type": "object",
                "properties": {
                    "choice": _VALUES,
                    "bool": {"const": True},
                    "when": {"type": "object", "additionalProperties": {"type": "array"}},
                },
                "additionalProperties": False,
            },
        ]
    },
}


def json_schema(catalog: Catalog) -> dict:
    """A schema of every recipe that the catalogue allows.

    It cannot see `--set`, `extends` and what holds between sections; `tfkit validate` can. A recipe
    with `extends` may leave out what its base says, so nothing is required there.
    """
    top = catalog.find("section", "recipe")
    properties = {name: _option(option, catalog) for name, option in top.options.items()}
    properties["extends"] = {
        "type": ["string", "null"],
        "description": "Path of the base recipe, relative to this one.",
    }
    for name in ("train", "search", "sweep", "evaluate", "export"):
        section = _section(catalog.find("section", name), catalog)
        properties[name] = {**_nullable(section), "description": top.options[name].doc}
    for name, kind in (("data", "dataset"), ("model", "model")):
        properties[name] = {"$ref": f"#/$defs/{kind}", "description": top.options[name].doc}
    kinds = {kind for e in catalog.entries for o in e.parameters for kind in o.component}
    defs = {kind: _kind(kind, catalog) for kind in sorted(kinds | {"dataset", "model"})}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "tfkit recipe",
        "description": top.summary,
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "if": {"not": {"required": ["extends"]}},
        "then": {"required": [name for name, o in top.options.items() if o.required]},
        "$defs": defs,
    }


def _section(section: Entry, catalog: Catalog) -> dict:
    properties = {name: _option(option, catalog) for name, option in section.options.items()}
    for name in _WITHIN.get(section.name, ()):
        inner = _section(catalog.find("section", name), catalog)
        properties[name] = {**_nullable(inner), "description": section.options[name].doc}
    if section.name == "search":
        properties["space"] = {**_SPACE, "description": section.options["space"].doc}
    if section.name == "sweep":
        properties["grid"] = {**_GRID, "description": section.options["grid"].doc}
    further = _further(section, catalog)
    return {
        "type": "object",
        "properties": {**further, **properties},
        "additionalProperties": False,
    }


def _further(section: Entry, catalog: Catalog) -> dict:
    """Keys that models or evaluators add to a section."""
    if section.name == "train":
        names = [name for model in catalog.of("model") for name in model.optimizers]
        return {name: _nullable({"$ref": "#/$defs/optimizer"}) for name in names}
    if section.name == "evaluate":
        options = [o for e in catalog.of("evaluator") for o in e.options.values()]
        return {option.name: _option(option, catalog) for option in options}
    return {}


def _kind(kind: str, catalog: Catalog) -> dict:
    """Any component of a kind: by name, with options, or the user's own; without a name it goes on
    with the one that the base of an `extends` names.
    """
    entries = catalog.of(kind)
    names = [entry.name for entry in entries]
    own = {"type": "object", "properties": {"name": _OWN}, "required": ["name"]}
    short = [{"enum": names}] if names else []
    known = {option: {} for entry in entries for option in entry.options}
    known |= {"batch_size": {}} if kind == "dataset" else {}
    base = {"type": "object", "properties": known, "additionalProperties": False}
    base["not"] = {"required": ["name"]}
    return {"oneOf": [*short, _OWN, own, base, *(_component(entry, catalog) for entry in entries)]}


def _component(entry: Entry, catalog: Catalog) -> dict:
    options = list(entry.options.values())
    if entry.kind == "dataset":
        options = [*catalog.find("section", "data").options.values(), *options]
    properties = {"name": {"const": entry.name, "description": entry.summary}}
    properties |= {option.name: _option(option, catalog) for option in options}
    return {
        "type": "object",
        "description": entry.summary,
        "properties": properties,
        "required": ["name"],
        "additionalProperties": False,
    }


def _option(option: Parameter, catalog: Catalog) -> dict:
    found = [_branch(node, option) for node in branches(option.type)]
    if option.component and not any(_is_list(node) for node in branches(option.type)):
        found = [schema for schema in found if schema]
        found += [{"$ref": f"#/$defs/{kind}"} for kind in option.component if catalog.of(kind)]
    schema = dict(found[0]) if len(found) == 1 else {"anyOf": found}
    if option.doc:
        schema["description"] = option.doc
    if not option.required:
        schema["default"] = option.default
    return schema


def _branch(node: ast.expr, option: Parameter) -> dict:
    text = ast.unparse(node)
    if is_none(node):
        return {"type": "null"}
    if text in ("int", "float"):
        limits = {_LIMITS[key]: value for key, value in option.bounds.items()}
        return {"type": _TYPES[text], **limits}
    if text in _TYPES:
        return {"type": _TYPES[text]}
    if text.startswith("dict"):
        return {"type": "object"}
    if not isinstance(node, ast.Subscript):
        return {}
    items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if ast.unparse(node.value).endswith("Literal"):
        return {"enum": [item.value for item in items]}
    if option.component:
        return {"type": "array", "items": {"anyOf": [_ref(kind) for kind in option.component]}}
    schema = {"type": "array", "items": _branch(items[0], option)}
    if text.startswith("tuple") and "..." not in text:
        schema |= {"minItems": len(items), "maxItems": len(items)}
    return schema


def _is_list(node: ast.expr) -> bool:
    return ast.unparse(node).startswith("list[")


def _ref(kind: str) -> dict:
    return {"$ref": f"#/$defs/{kind}"}


def _nullable(schema: dict) -> dict:
    return {"anyOf": [{"type": "null"}, schema]}
