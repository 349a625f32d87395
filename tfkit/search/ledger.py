"""`search.json`: what became of every trial, for people, the report and the next process."""

import json
from collections.abc import Mapping, Sequence

from tfkit import catalog
from tfkit.search.engines.base import Engine, Told, Trial
from tfkit.train.folder import RunFolder, read_json, write_atomically
from tfkit.train.measure import VALID


class Ledger:
    """Keeps `search.json` up to date with the engine.

    Args:
        folder: `search/` of the run.
        recipe: resolved.
    """

    def __init__(self, folder: RunFolder, recipe: Mapping):
        self.folder, self.recipe = folder, recipe
        self.settings = recipe["search"]
        self.before = read_json(self.path, {})
        self.confirm: dict | None = None  # what this process has found
        self.lines: dict[str, str] = {}  # of trials that are over, as they stand in the file

    @property
    def path(self):
        """The file."""
        return self.folder / "search.json"

    def trials(self, engine: Engine) -> list[dict]:
        """All trials by id."""
        return [entry(trial, engine.told.get(id)) for id, trial in sorted(engine.asked.items())]

    def write(self, engine: Engine) -> None:
        """Write what the engine knows."""
        trials = self.trials(engine)
        keys = ("objective", "goal", "select", "engine", "executor")
        found = ranked(trials, self.settings["goal"])
        about = {
            **{key: self.settings[key] for key in keys},
            "uses_labels": uses_labels(self.recipe, self.settings["objective"]),
            "space": self.settings["space"],
            "best": found[0]["id"] if found else None,
            **({"confirm": confirm} if (confirm := self.confirmation()) else {}),
        }
        # a line a trial: Python's encoder is slow where it has to indent
        lines = ",\n  ".join(self.line(trial) for trial in trials)
        head = json.dumps(about, ensure_ascii=False)[:-1]
        text = f'{head},\n "trials": [\n  {lines}\n]}}\n'
        write_atomically(self.path, text, shared=engine.shared)

    def line(self, trial: Mapping) -> str:
        """A trial as JSON, encoded once where it is over."""
        if trial["status"] == "running":
            return json.dumps(trial, ensure_ascii=False)
        if trial["id"] not in self.lines:
            self.lines[trial["id"]] = json.dumps(trial, ensure_ascii=False)
        return self.lines[trial["id"]]

    def confirmation(self) -> dict | None:
        """The latest confirmation, which may be another process's."""
        return self.confirm or read_json(self.path, {}).get("confirm")

    def is_confirmed(self, engine: Engine) -> bool:
        """Whether the confirmation knew of all trials that the engine has heard of."""
        confirm = self.confirmation()
        return confirm is not None and confirm["trials"] == len(engine.told)

    def elapsed(self) -> float:
        """Seconds that the search had taken when the file was last written."""
        return max((t["ended"] or 0 for t in self.before.get("trials", [])), default=0.0)


def entry(trial: Trial, told: Told | None) -> dict:
    """A trial as `search.json` has it."""
    about = told.about if told else {}
    completed = told is not None and told.status == "completed"
    error = about.get("error", "").strip()
    at = -1 if error.startswith("Traceback") else 0
    further = {
        "budget": trial.budget,
        "origin": trial.origin,
        "error": error.splitlines()[at] if error else None,
        "last": None if told is None or completed else told.objective,
        "curve": about.get("curve"),
    }
    return {
        "id": trial.id,
        "values": trial.values,
        "objective": told.objective if completed else None,
        "status": told.status if told else "running",
        "seconds": about.get("seconds"),
        "ended": about.get("ended"),
        "folder": f"search/trial_{trial.id}",
        **{key: value for key, value in further.items() if value is not None},
    }


def ranked(trials: Sequence[Mapping], goal: str) -> list[Mapping]:
    """Completed trials from best to worst, each set of values once.

    Where trials were trained on different budgets, those with the full one come first: a short
    training's value says little about a long one's.
    """
    sign = -1 if goal == "max" else 1
    done = [trial for trial in trials if trial["status"] == "completed"]
    full = full_budget(done)
    done.sort(key=lambda t: (t.get("budget", full) < full, sign * t["objective"], t["id"]))
    first = {}
    for trial in done:
        first.setdefault(repr(sorted(trial["values"].items())), trial)
    return list(first.values())


def full_budget(trials: Sequence[Mapping]) -> int:
    """The largest budget of any trial; 0 where none has one."""
    return max((trial.get("budget", 0) for trial in trials), default=0)


def uses_labels(recipe: Mapping, name: str) -> list[str]:
    """What of a batch the objective reads that the model is not trained on."""
    model = catalog.find("model", recipe["model"]["name"])
    judge = model and catalog.load().beside(model, "evaluator")
    gifts = {gift["name"]: gift["needs"] for gift in judge.gives} if judge else {}
    return [need for need in gifts.get(name.removeprefix(VALID), []) if need not in model.needs]
