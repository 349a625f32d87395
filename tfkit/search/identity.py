"""What makes two recipes the same search, on whatever machine and however much of it is wanted."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from tfkit import catalog

# keys of `search` that say how much of a search is done and by whom: they may change on the way
FREE = ("trials", "executor", "confirm", "keep", "budget", "timeout")
LENGTH = 6


def identity(resolved: Mapping) -> str:
    """Six hexadecimal digits that all processes of one search agree on."""
    known = json.loads(json.dumps(resolved, default=str))
    known.pop("export")
    known["train"].pop("threads")  # machines differ in their processors
    if isinstance(path := known["data"].get("path"), str):
        known["data"]["path"] = Path(path).name  # nor do they keep their data in one place
    for key in FREE:
        known["search"].pop(key)
    for key in ("storage", "lease"):  # how a machine reaches the others
        known["search"]["engine"].pop(key, None)
    text = json.dumps(known, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]


def is_shared(resolved: Mapping) -> bool:
    """Whether several living processes may work on the recipe's search."""
    search = resolved["search"]
    if search is None:
        return False
    return catalog.resolve(catalog.find("engine", search["engine"]["name"])).shared
