"""The search's memory: every question and answer, one JSON line each.

An engine is a deterministic function of its seed and of what it was told, so that reading the
journal to a fresh engine brings it to where it was: nothing of the engine itself is stored, and a
line cut short by a kill costs that line.
"""

import json
import os
from pathlib import Path


class Journal:
    """An append-only file of events, begun by the description of the search."""

    def __init__(self, path: Path, about: dict):
        self.path = path
        self.events = self._read()
        if not self.events:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            self.append({"search": about})

    def _read(self) -> list[dict]:
        if not self.path.exists():
            return []
        text = self.path.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            os.truncate(self.path, len(whole.encode()))
        return [json.loads(line) for line in whole.splitlines()]

    def append(self, event: dict) -> None:
        """Write an event and see it to the disk."""
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(event) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.events.append(event)
