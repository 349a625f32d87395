"""A run folder as data: whatever of its files is there, read once, checked for being readable."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfkit.errors import TfkitError, UsageError
from tfkit.figure import Figure
from tfkit.recipe import parse


@dataclass(frozen=True)
class RunFolder:
    """The files of one run; everything but `resolved` may be empty.

    Args:
        path: the folder.
        resolved: the recipe with every key explicit.
        provenance: versions, device, seeds, argv …
        evaluation: metrics of one run, or means and intervals over replicates.
        curves: {seed or "": lines of metrics.jsonl}, one entry a training run.
        timing: lines of timing.jsonl of each of them.
        search: search.json.
        best: search/best.yaml, the winner as a recipe; None where there is none.
        figures: by name, in the order of their names; of replicates, those of the shown one.
        error: text of error.txt.
    """

    path: Path
    resolved: dict[str, Any]
    provenance: dict[str, Any]
    evaluation: dict[str, Any]
    curves: dict[str, list[dict]]
    timing: list[list[dict]]
    search: dict[str, Any]
    best: Path | None
    figures: dict[str, Figure]
    error: str

    @property
    def status(self) -> str:
        """finished, diverged, interrupted, failed or running."""
        return status_of(self.provenance, self.error, self.evaluation)


def read(path: Path) -> RunFolder:
    """Read the folder of a run that finished, diverged, was interrupted or still goes on."""
    resolved = path / "resolved.yaml"
    if not resolved.is_file():
        raise UsageError(
            f"{path} is no run folder: it has no resolved.yaml; `tfkit run` makes one."
        )
    runs = {folder.name: folder for folder in _replicates(path)} or {"": path}
    evaluation = read_json(path / "evaluation.json")
    shown = runs.get(str(evaluation.get("shown")), next(iter(runs.values())))
    best = path / "search" / "best.yaml"
    return RunFolder(
        path=path,
        resolved=parse(resolved.read_text(encoding="utf-8")),
        provenance=read_json(path / "provenance.json"),
        evaluation=evaluation,
        curves={seed: _lines(folder / "metrics.jsonl") for seed, folder in runs.items()},
        timing=[_lines(folder / "timing.jsonl") for folder in runs.values()],
        search=read_json(path / "search" / "search.json"),
        best=best if best.is_file() else None,
        figures={f.stem: _figure(f) for f in sorted((shown / "figures").glob("*.npz"))},
        error=read_text(path / "error.txt"),
    )


def status_of(provenance: dict, error: str, evaluation: dict) -> str:
    """A run's state: as its provenance says, else as its files tell."""
    said = provenance.get("status")
    if said:
        return "running" if said == "training" else str(said)
    if error:
        return "failed"
    return "finished" if evaluation else "running"


def _replicates(path: Path) -> list[Path]:
    """Folders of the training replicates, by seed."""
    folders = [f for f in (path / "replicates").glob("*") if f.is_dir() and f.name.isdecimal()]
    return sorted(folders, key=lambda folder: int(folder.name))


def read_text(path: Path) -> str:
    """The file's text; none where there is no file."""
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def read_json(path: Path) -> dict:
    """What a JSON file holds; nothing where there is no file."""
    if not path.is_file():
        return {}
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise TfkitError(f"{path} is not readable JSON: {error}.") from error


def _lines(path: Path) -> list[dict]:
    """A .jsonl up to its last whole line: a killed run may have left half of one."""
    rows = []
    for line in read_text(path).splitlines():
        try:
            rows.append(json.loads(line))
        except ValueError:
            break
    return rows


def _figure(path: Path) -> Figure:
    try:
        return Figure.load(path)
    except (ValueError, OSError, TypeError) as error:
        raise TfkitError(f"{path} is not a readable figure: {error}") from error
