"""What makes two recipes the same work, on whatever machine and however much of it is wanted."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from tfkit import catalog

# keys of `search` that say how much of a search is done and by whom: they may change on the way
FREE = ("trials", "executor", "confirm", "keep", "budget", "timeout")
REACH = ("engine.storage", "engine.lease")  # how a machine reaches the others
LENGTH = 6


def identity(resolved: Mapping) -> str:
    """Six hexadecimal digits that all processes of one search agree on."""
    return digest(resolved, ["export", *(f"search.{key}" for key in (*FREE, *REACH))])


def digest(resolved: Mapping, free: Iterable[str]) -> str:
    """Six hexadecimal digits of what `counted` leaves of a resolved recipe."""
    text = json.dumps(counted(resolved, free), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]


def counted(resolved: Mapping, free: Iterable[str]) -> dict:
    """A resolved recipe without what differs between machines, which are their processors and where
    they keep their data.

    Args:
        resolved: the recipe.
        free: further paths that may differ.
    """
    known = json.loads(json.dumps(resolved, default=str))
    if isinstance(path := known["data"].get("path"), str):
        known["data"]["path"] = Path(path).name
    for dotted in ("train.threads", *free):
        *parents, last = dotted.split(".")
        place = known
        for key in parents:
            place = place[key]
        place.pop(last, None)
    return known


def is_shared(resolved: Mapping) -> bool:
    """Whether several living processes may work on the recipe's search."""
    search = resolved["search"]
    if search is None:
        return False
    return catalog.resolve(catalog.find("engine", search["engine"]["name"])).shared
