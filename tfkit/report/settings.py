"""The resolved recipe, line by line, with what differs from the catalogue's defaults."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from tfkit.catalog import Catalog, Entry, Parameter

_SECTION_KINDS = {"data": "dataset", "model": "model"}  # sections that are themselves a component


def lines(resolved: dict[str, Any], catalog: Catalog) -> list[dict[str, Any]]:
    """[{depth, key, value, state, default}], one for each key.

    State: "default" (as the catalogue has it), "changed" (differs; `default` says from what),
    "chosen" (there is no default, or none is known), "group" (its lines follow).
    """
    rows: list[dict[str, Any]] = []
    top = [catalog.find("section", "recipe")]
    model = _named(resolved.get("model"), ("model",), catalog)
    for key, value in resolved.items():
        owners = [catalog.find("section", key)]
        if key in _SECTION_KINDS:
            owners.append(_named(value, (_SECTION_KINDS[key],), catalog))
        if key == "evaluate" and model:
            owners.append(catalog.beside(model, "evaluator"))
        _add(rows, 0, key, value, _parameter(top, key), owners, catalog)
    return rows


def _add(
    rows: list,
    depth: int,
    key: str,
    value: Any,
    parameter: Parameter | None,
    owners: list[Entry | None],
    catalog: Catalog,
) -> None:
    """One key and what is under it.

    Args:
        rows: gets the lines.
        depth: of the key.
        key: the key.
        value: what stands there.
        parameter: what the key sets, None where that is not known.
        owners: entries whose parameters are the keys under it.
        catalog: to find the components under it.
    """
    if not isinstance(value, dict) or not value:
        rows.append(_leaf(depth, key, value, parameter))
        return
    rows.append({"depth": depth, "key": key, "value": "", "state": "group", "default": ""})
    for name, inner in value.items():
        below = _parameter(owners, name)
        if name == "name" and below is None and parameter is not None:
            below = replace(parameter, default=_component_name(parameter.default))
        entry = _named(inner, below.component, catalog) if below else None
        _add(rows, depth + 1, name, inner, below, [entry], catalog)


def _component_name(default: Any) -> Any:
    """Components are written `adam` or `{name: adam, …}`."""
    return default.get("name") if isinstance(default, dict) else default


def _leaf(depth: int, key: str, value: Any, parameter: Parameter | None) -> dict[str, Any]:
    row = {"depth": depth, "key": key, "value": written(value), "state": "chosen", "default": ""}
    if parameter is None or parameter.required:
        return row
    usual = parameter.default
    if _same(value, usual):
        return {**row, "state": "default"}
    return {**row, "state": "changed", "default": written(usual)}


def _same(one: Any, other: Any) -> bool:
    """1 and 1.0 are the same setting; true and 1 are not."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _parameter(owners: list[Entry | None], name: str) -> Parameter | None:
    found = (p for entry in owners if entry for p in entry.parameters if p.name == name)
    return next(found, None)


def _named(value: Any, kinds: tuple[str, ...], catalog: Catalog) -> Entry | None:
    """The entry of a component {name: X, …}, when one of the kinds has it."""
    name = value.get("name") if isinstance(value, dict) else None
    found = (catalog.find(kind, name) for kind in kinds if isinstance(name, str))
    return next((entry for entry in found if entry), None)


def written(value: Any) -> str:
    """A value as YAML's flow form would have it."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)
