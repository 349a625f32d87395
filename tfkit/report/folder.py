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


def read(path: Path) -> RunFolder:
    """Read the folder of a run that finished, diverged, was interrupted or still goes on."""
    resolved = path / "resolved.yaml"
    if not resolved.is_file():
        raise UsageError(
            f"{path} is no run folder: it has no resolved.yaml; `tfkit run` makes one."
        )
    runs = {folder.name: folder for folder in _replicates(path)} or {"": path}
    evaluation = _json(path / "evaluation.json")
    shown = runs.get(str(evaluation.get("shown")), next(iter(runs.values())))
    best = path / "search" / "best.yaml"
    return RunFolder(
        path=path,
        resolved=parse(resolved.read_text(encoding="utf-8")),
        provenance=_json(path / "provenance.json"),
        evaluation=evaluation,
        curves={seed: _lines(folder / "metrics.jsonl") for seed, folder in runs.items()},
        timing=[_lines(folder / "timing.jsonl") for folder in runs.values()],
        search=_json(path / "search" / "search.json"),
        best=best if best.is_file() else None,
        figures={f.stem: _figure(f) for f in sorted((shown / "figures").glob("*.npz"))},
        error=_text(path / "error.txt"),
    )


def _replicates(path: Path) -> list[Path]:
    """Folders of the training replicates, by seed."""
    folders = [f for f in (path / "replicates").glob("*") if f.is_dir() and f.name.isdecimal()]
    return sorted(folders, key=lambda folder: int(folder.name))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _json(path: Path) -> dict:
    if not path.is_file():
        return {}
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise TfkitError(f"{path} is not readable JSON: {error}.") from error


def _lines(path: Path) -> list[dict]:
    """A .jsonl up to its last whole line: a killed run may have left half of one."""
    rows = []
    for line in _text(path).splitlines():
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
