"""What a sweep found: a row per training, a summary per point."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from tfkit.search.grid import Point
from tfkit.search.sweep import Run, Sweep, evaluation, status
from tfkit.statistics.intervals import mean_interval
from tfkit.train.folder import RunFolder, write_atomically, write_json

# of several folders' states of one training, the one that says most counts
ORDER = ("finished", "diverged", "failed", "unfinished", "missing")


class Table:
    """The trainings of a sweep as they are on the disk now.

    Args:
        sweep: which trainings there are. Finished ones from further seeds, which a process that
            wanted more of them has left, are rows too, so that nobody's table loses another's.
        places: folders of the same sweep, one a machine; the first that has finished a training
            speaks for it.
    """

    def __init__(self, sweep: Sweep, places: Sequence[Path]):
        self.sweep = sweep
        self.rows = [
            self.row(Run(point, seed), places)
            for point in sweep.points
            for seed in (*sweep.seeds, *further_seeds(point, sweep.seeds, places))
        ]

    def row(self, run: Run, places: Sequence[Path]) -> dict:
        """What is known of one training."""
        found = [(status(folder), folder) for folder in (RunFolder(p / run.name) for p in places)]
        state, best = min(found, key=lambda each: ORDER.index(each[0]))
        return {"run": run, "status": state, "metrics": evaluation(best), "folder": str(best)}

    def named(self, *states: str) -> list[str]:
        """The names of the trainings in any of these states."""
        return [row["run"].name for row in self.rows if row["status"] in states]

    def csv(self) -> str:
        """Tidy text: a row per training; columns: the varied paths, seed, status, metrics, folder.
        A path that a point does not have, and a metric that a training lacks, is empty.
        """
        metrics = list(dict.fromkeys(name for row in self.rows for name in row["metrics"]))
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([*self.sweep.paths, "seed", "status", *metrics, "folder"])
        for row in self.rows:
            values, seed = row["run"].point.values, row["run"].seed
            own = [values.get(path, "") for path in self.sweep.paths]
            found = [row["metrics"].get(name, "") for name in metrics]
            writer.writerow([*own, seed, row["status"], *found, row["folder"]])
        return stream.getvalue()

    def summary(self) -> list[dict]:
        """Every point with mean and interval of each metric over its finished seeds."""
        rows = {point.name: [] for point in self.sweep.points}
        for row in self.rows:
            rows[row["run"].point.name].append(row)
        return [self.point(point, rows[point.name]) for point in self.sweep.points]

    def point(self, point: Point, rows: list[dict]) -> dict:
        """One point's summary."""
        done = [row["metrics"] for row in rows if row["status"] == "finished"]
        names = dict.fromkeys(name for metrics in done for name in metrics)
        return {
            "point": point.name,
            "values": point.values,
            "seeds": len(rows),
            "finished": len(done),
            "metrics": {
                name: mean_interval([m[name] for m in done if name in m]) for name in names
            },
        }

    def write(self, folder: Path) -> dict:
        """Write `sweep.csv` and `sweep.json` into the folder; what `tfkit sweep` reports."""
        summary = self.summary()
        states = {state: self.named(state) for state in ORDER[1:]}
        found = {"runs": len(self.rows), "finished": len(self.named("finished")), **states}
        write_atomically(folder / "sweep.csv", self.csv(), shared=True)
        write_json(folder / "sweep.json", {**found, "points": summary}, shared=True)
        table = str(folder / "sweep.csv")
        return {"sweep": str(folder), "table": table, **found, "points": summary}


def further_seeds(point: Point, seeds: Sequence[int], places: Sequence[Path]) -> list[int]:
    """Seeds beside these from which a point was trained to the end."""
    found = set()
    for folder in (path for place in places for path in (place / point.name).glob("seed_*")):
        text = folder.name.removeprefix("seed_")
        seed = int(text) if text.isdecimal() else None
        if seed is not None and seed not in seeds and status(RunFolder(folder)) == "finished":
            found.add(seed)
    return sorted(found)
