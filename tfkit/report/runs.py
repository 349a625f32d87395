"""Many run folders as rows of a table: found, read without their curves, none of them dropped."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tfkit.errors import TfkitError, UsageError
from tfkit.recipe import parse
from tfkit.report.folder import read_json, read_text, status_of
from tfkit.report.numbers import finite

_STAMP = re.compile(r"\d{8}-\d{6}")  # how `tfkit run` begins the name of a folder
_NAN = float("nan")


@dataclass(frozen=True)
class Run:
    """What a table needs of one run.

    Args:
        path: its folder.
        recipe: resolved.yaml; empty where it cannot be read.
        status: finished, diverged, interrupted, failed, running or unreadable.
        seeds: of its replicates; a run that names none has its folder for a seed.
        metrics: {name: a value per seed}; those on the validation sample are `valid/name`.
        data: hash of the data, "" where it is not known.
        stamp: when it began, as text that sorts.
        why: the last line of what went wrong.
        floors: {what learned nothing: {metric: value}}, measured like its metrics.
        facts: what a reader of the metrics must know besides, by name.
    """

    path: Path
    recipe: dict[str, Any]
    status: str
    seeds: tuple = ()
    metrics: dict[str, list[float]] | None = None
    data: str = ""
    stamp: str = ""
    why: str = ""
    floors: dict[str, dict[str, float]] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def counts(self) -> bool:
        """Whether it was evaluated."""
        return bool(self.metrics)


def find_runs(folders: Iterable[str | os.PathLike]) -> list[Run]:
    """Every run below the folders, oldest first; trials and replicates belong to their run, links
    to folders are followed, and a folder that cannot be read is listed as a run that cannot.

    Raises: UsageError when a folder is not there, or none of them holds a run.
    """
    folders = [Path(folder) for folder in folders]
    paths, seen, closed = [], set(), []
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"there is no folder {folder}")
        for place, below, files in os.walk(folder, onerror=closed.append, followlinks=True):
            below[:] = sorted(name for name in below if not name.startswith("."))
            if (real := os.path.realpath(place)) in seen:
                below.clear()  # named twice, or a link that leads back
            elif "resolved.yaml" in files:
                below.clear()
                paths.append(Path(place))
            seen.add(real)
    if not paths and not closed:
        where = ", ".join(map(str, folders))
        raise UsageError(f"there is no run below {where}; `tfkit run` makes runs/<name>/<date>")
    unread = [Run(Path(e.filename), {}, "unreadable", why=str(e.strerror)) for e in closed]
    return sorted([*map(read_run, paths), *unread], key=lambda run: (run.stamp, str(run.path)))


def read_run(path: Path) -> Run:
    """One run folder; what cannot be read becomes its `why`, so that one broken file does not
    hide the other runs.
    """
    if not (path / "resolved.yaml").is_file():
        raise UsageError(
            f"{path} is no run folder: it has no resolved.yaml; `tfkit run` makes one."
        )
    try:
        return _read(path)
    except (TfkitError, OSError, AttributeError, TypeError, ValueError) as error:
        # a file of JSON or YAML that holds something else than a run's
        return Run(path, {}, "unreadable", why=str(error).strip().splitlines()[0])


def names_of(runs: Sequence[Run]) -> list[str]:
    """A name for each run: its recipe's, or that of its folder where recipes are called alike, or
    as much of its path as differs from the others'.
    """
    paths = [run.path.resolve().parts for run in runs]
    recipes = [
        str(run.recipe.get("name") or path[-1]) for run, path in zip(runs, paths, strict=True)
    ]
    for names in (recipes, [path[-1] for path in paths]):
        if len(set(names)) == len(runs):
            return names
    start = _alike(paths)
    end = _alike([path[start:][::-1] for path in paths])
    return ["/".join(path[start : len(path) - end]) for path in paths]


def _alike(paths: Sequence[tuple[str, ...]]) -> int:
    """How many parts paths have in common from their beginning, the last one left to each."""
    least = min(map(len, paths)) - 1
    differ = (n for n in range(least) if len({path[n] for path in paths}) > 1)
    return next(differ, least)


def _read(path: Path) -> Run:
    recipe = parse(read_text(path / "resolved.yaml"))
    provenance, error = read_json(path / "provenance.json"), read_text(path / "error.txt").strip()
    evaluation = read_json(path / "evaluation.json")
    seeds = evaluation.get("seeds") or [evaluation.get("seed")]
    if not (isinstance(seeds, list) and all(isinstance(s, int | None) for s in seeds)):
        raise TfkitError(f"{path / 'evaluation.json'}: its seeds are no list of whole numbers")
    known = {
        **(evaluation.get("metrics") or {}),
        **{
            f"valid/{k.removeprefix('valid/')}": v
            for k, v in (evaluation.get("valid") or {}).items()
        },
    }
    metrics = {name: _values(value, len(seeds)) for name, value in known.items()}
    return Run(
        path=path,
        recipe=recipe,
        status=status_of(provenance, error, evaluation),
        seeds=tuple(str(path) if seed is None else seed for seed in seeds),
        metrics=metrics,
        data=str((provenance.get("data") or {}).get("sha256") or ""),
        stamp=_stamp(path),
        why=error.splitlines()[-1] if error else _diverged(provenance),
        floors=evaluation.get("floors") or {},
        facts=evaluation.get("facts") or {},
    )


def _values(value: Any, seeds: int) -> list[float]:
    """One number per seed; what is missing is NaN, which the tables show and do not average."""
    values = (value.get("values") or [value.get("mean")]) if isinstance(value, dict) else [value]
    numbers = [float(v) if finite(v) else _NAN for v in values]
    return (numbers + [_NAN] * seeds)[:seeds]


def _stamp(path: Path) -> str:
    match = _STAMP.match(path.resolve().name)
    if match:
        return match.group()
    changed = max(file.stat().st_mtime for file in path.glob("*.*") if file.is_file())
    return f"{datetime.fromtimestamp(changed):%Y%m%d-%H%M%S}"


def _diverged(provenance: dict) -> str:
    where = provenance.get("diverged")
    return f"first seen at step {where.get('step')} in {where.get('tensor')}" if where else ""
