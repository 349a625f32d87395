"""Dotted paths of a recipe as readers want them."""

import re
from collections.abc import Iterable

_BRACES = re.compile(r"\{([^{}]*)\}")


def spread(path: str) -> list[str]:
    """The paths that one with braces stands for, as in a shell: model.{lower,upper}.layer ->
    model.lower.layer and model.upper.layer; a path without braces stands for itself.
    """
    found = _BRACES.search(path)
    if found is None:
        return [path]
    before, after = path[: found.start()], path[found.end() :]
    names = [name.strip() for name in found[1].split(",")]
    return [one for name in names for one in spread(f"{before}{name}{after}")]


def short_names(paths: Iterable[str]) -> dict[str, str]:
    """The shortest end of each dotted path that no other one has: model.beta -> beta, and
    model.name -> model.
    """
    plain = {path: path.removesuffix(".name") for path in paths}
    found = {}
    for path, text in plain.items():
        parts = text.split(".")
        ends = [".".join(parts[-length:]) for length in range(1, len(parts) + 1)]
        others = [f".{other}" for key, other in plain.items() if key != path]
        own = (end for end in ends if not any(other.endswith(f".{end}") for other in others))
        found[path] = next(own, path)
    return found
