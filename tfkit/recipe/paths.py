"""Dotted paths of a recipe as readers want them."""

from collections.abc import Iterable


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
