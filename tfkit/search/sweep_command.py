"""What `tfkit sweep` does without training: list, merge, tell in brief. Loads no TensorFlow."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from tfkit.errors import UsageError
from tfkit.recipe import Recipe
from tfkit.search.sweep import Sweep, require_same, status
from tfkit.search.sweep_table import ORDER, Table

RUNS = "runs"
MOST_POINTS = 20  # that are shown on a terminal; sweep.csv and sweep.json have all
MOST_NAMES = 3
FAILED, DIVERGED = 1, 4  # exit codes


def listed(recipe: Recipe, shard: tuple[int, int]) -> dict:
    """The trainings of a shard, with what became of each."""
    sweep = Sweep(recipe, RUNS)
    states = [(status(sweep.folder(run)), run.name) for run in sweep.shard(*shard)]
    width = max(map(len, ORDER))
    return {
        "sweep": str(sweep.path),
        "runs": len(sweep.runs),
        "trainings": [f"{state:<{width}}  {name}" for state, name in states],
    }


def merged(recipe: Recipe, folders: Sequence[Path]) -> dict:
    """One table of this machine's folder of the sweep, if there is one, and of other machines'."""
    sweep = Sweep(recipe, RUNS)
    for folder in folders:
        require_same(sweep, folder)
    sweep.path.mkdir(parents=True, exist_ok=True)
    return Table(sweep, [sweep.path, *folders]).write(sweep.path)


def require_fitting(
    *, dry_run: bool, merge: bool, shard: bool, workers: bool, csv: Path | None
) -> None:
    """Refuse options of which one would be passed over in silence, and a table that nobody can
    write, before anything is trained.

    Args:
        dry_run: whether to list only.
        merge: whether to merge only.
        shard: whether a shard was asked for.
        workers: whether workers were.
        csv: where the table is to go too.
    """
    for one, other, both in (
        ("--dry-run", "--merge", dry_run and merge),
        ("--dry-run", "--csv", dry_run and csv),
        ("--dry-run", "--workers", dry_run and workers),
        ("--merge", "--shard", merge and shard),
        ("--merge", "--workers", merge and workers),
    ):
        if both:
            raise UsageError(f"{one} and {other} do not go together: leave one of them out")
    if csv is not None and (csv.is_dir() or not csv.parent.is_dir()):
        why = "it is a folder" if csv.is_dir() else f"there is no folder {csv.parent}"
        raise UsageError(f"--csv: {csv} cannot be written: {why}")


def copy_table(found: dict, file: Path | None) -> None:
    """Put the table where it is wished too."""
    if file is None:
        return
    try:
        shutil.copyfile(found["table"], file)
    except OSError as error:
        raise UsageError(f"--csv: {file} cannot be written: {error.strerror}") from None


def exit_code(found: dict) -> int:
    """0, or what says that trainings did not end well: those of this shard, or all of a merger."""
    ended = found.get("ended", found)
    if ended.get("failed"):
        return FAILED
    return DIVERGED if ended.get("diverged") else 0


def brief(found: dict) -> dict:
    """What people read of it: counts and first names instead of long lists."""
    metrics = {
        f"{point['point']}  {name}": value
        for point in found["points"][:MOST_POINTS]
        for name, value in point["metrics"].items()
    }
    lists = {state: shortened(found[state]) for state in ORDER[1:]}
    own = {key: found[key] for key in ("sweep", "table", "runs", "finished")}
    return {**own, **lists, "busy": shortened(found.get("busy", [])), "metrics": metrics}


def shortened(names: Sequence[str]) -> str | None:
    """A count and the first names."""
    if not names:
        return None
    more = ", …" if len(names) > MOST_NAMES else ""
    return f"{len(names)}: {', '.join(names[:MOST_NAMES])}{more}"
