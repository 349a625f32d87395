"""Which parameters of a space exist only for some values of others."""

from collections.abc import Mapping

from tfkit.errors import UsageError


def parents_first(space: Mapping) -> list[str]:
    """The paths in the space's order, moved behind the parents that they depend on.

    Raises `UsageError` where a `when` names no parameter of the space, or itself by detours.
    """
    graph = {path: list(rule.get("when", {})) for path, rule in space.items()}
    for path, parents in graph.items():
        if unknown := [parent for parent in parents if parent not in space]:
            raise UsageError(
                f"search.space.{path}.when: {unknown[0]} is not in the space; "
                f"it holds {', '.join(space)}."
            )
    ordered: dict[str, None] = {}
    for path in space:
        place(path, graph, ordered, ())
    return list(ordered)


def place(path: str, graph: Mapping, ordered: dict[str, None], descent: tuple[str, ...]) -> None:
    """Append `path` to `ordered` behind its parents."""
    if path in descent:
        circle = " → ".join([*descent[descent.index(path) :], path])
        raise UsageError(f"search.space: `when` goes in a circle: {circle}.")
    for parent in graph[path]:
        place(parent, graph, ordered, (*descent, path))
    ordered[path] = None


def conditions(space: Mapping, path: str) -> dict[str, list]:
    """The conditions under which `path` exists, its parents' own ones first."""
    found = {}
    for parent, values in space[path].get("when", {}).items():
        found |= conditions(space, parent)
        found[parent] = values if isinstance(values, list) else [values]
    return found
