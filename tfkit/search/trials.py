"""A search from a recipe: each trial an ordinary run that trains and measures the objective."""

import json
from collections.abc import Callable, Mapping

from tfkit import catalog
from tfkit.errors import TfkitError, UsageError
from tfkit.recipe import Recipe
from tfkit.search.engines.base import Trial
from tfkit.search.engines.making import make_engine
from tfkit.search.executors import InProcess, Outcome
from tfkit.search.space import recipe_defaults
from tfkit.search.values import with_values
from tfkit.train import device, seeds
from tfkit.train.build import load_data
from tfkit.train.folder import RunFolder, read_json, write_atomically, write_json
from tfkit.train.measure import VALID, measure
from tfkit.train.run import note_start, train

REPLICATE = 1  # of every trial; trials differ in their seed, which is derived from their id


class Search:
    """One search in `folder`, resumed where it stopped.

    Args:
        folder: the folder of the run, which holds `search/`.
        recipe: the recipe with its `search` section.
        source: the data, loaded once for all trials.
        say: told of every finished trial.
        bar: show progress bars.
    """

    def __init__(
        self, folder: RunFolder, recipe: Recipe, source, say: Callable[[str], None], bar: bool
    ):
        self.recipe, self.source, self.say, self.bar = recipe, source, say, bar
        self.folder = folder.part("search")
        self.settings = recipe.resolved["search"]
        self.outcomes = {t["id"]: t for t in self.read().get("trials", [])}
        before = self.read().get("objective", self.settings["objective"])
        if before != self.settings["objective"]:
            raise UsageError(
                f"{self.folder} searched for {before}, not for {self.settings['objective']}; "
                "start a new run."
            )

    def read(self) -> dict:
        """What `search.json` holds so far."""
        return read_json(self.folder / "search.json", {})

    def run(self) -> Recipe:
        """All trials that are still to run; then the recipe with the best one's values."""
        settings, space = self.settings, self.settings["space"]
        options = {k: v for k, v in settings["engine"].items() if k != "name"}
        engine = make_engine(
            settings["engine"]["name"],
            space,
            trials=settings["trials"],
            seed=self.recipe.resolved["seed"],
            directory=self.folder.path,
            goal=settings["goal"],
            defaults=recipe_defaults(self.recipe.resolved, space),
            **options,
        )
        self.catch_up(engine)
        InProcess(self.job, self.trial_folder, self.report).run(engine)
        best = self.read().get("best")
        if best is None:
            raise TfkitError(
                f"search: none of {len(engine.told)} trials completed; "
                f"see {self.folder}/trial_*/error.txt."
            )
        return self.write_best(next(t for t in self.read()["trials"] if t["id"] == best))

    def trial_folder(self, trial: Trial):
        """The trial's run folder."""
        return self.folder.part(f"trial_{trial.id}").path

    def job(self, trial: Trial) -> float:
        """Train one trial and measure the objective, nothing more."""
        folder = RunFolder(self.trial_folder(trial))
        if folder.evaluation.exists():
            return read_json(folder.evaluation)["metrics"][self.settings["objective"]]
        seed = seeds.derive(self.recipe.resolved["seed"], trial.id, REPLICATE, "trial")
        own = {"search": None, "export": None, "seed": seed, "evaluate.seeds": [REPLICATE]}
        recipe = with_values(self.recipe, {**trial.values, **own})
        folder.write_recipe(recipe)
        source = self.shared(recipe)
        note_start(folder, recipe.resolved, source)
        with device.configured(recipe.resolved["train"]):
            assembly = train(folder, recipe.resolved, REPLICATE, source=source, bar=self.bar)
            value = objective(assembly, folder, self.settings["objective"])
        folder.record(status="finished")
        write_json(
            folder.evaluation, {"split": "valid", "metrics": {self.settings["objective"]: value}}
        )
        return value

    def shared(self, recipe: Recipe):
        """The loaded data, unless the trial has other data options."""
        own = {**recipe.resolved["data"], "batch_size": 0}
        common = {**self.recipe.resolved["data"], "batch_size": 0}
        return self.source if own == common else load_data(recipe.resolved)

    def catch_up(self, engine) -> None:
        """Report what the journal knows and a kill kept out of `search.json`."""
        for id, told in engine.told.items():
            if id not in self.outcomes:
                self.report(engine.asked[id], Outcome(told.status, told.objective, 0.0))

    def report(self, trial: Trial, outcome: Outcome) -> None:
        """Write the trial into `search.json` and say it."""
        self.outcomes[trial.id] = {
            "id": trial.id,
            "values": trial.values,
            "objective": outcome.objective,
            "status": outcome.status,
            "seconds": round(outcome.seconds, 2),
            "folder": f"search/trial_{trial.id}",
            **({"error": outcome.error.strip().splitlines()[-1]} if outcome.error else {}),
        }
        trials = [self.outcomes[id] for id in sorted(self.outcomes)]
        done = [t for t in trials if t["status"] == "completed"]
        sign = 1 if self.settings["goal"] == "max" else -1
        best = max(done, key=lambda t: sign * t["objective"], default={"id": None})
        write_json(
            self.folder / "search.json",
            {
                "objective": self.settings["objective"],
                "goal": self.settings["goal"],
                "uses_labels": uses_labels(self.recipe.resolved, self.settings["objective"]),
                "space": self.settings["space"],
                "trials": trials,
                "best": best["id"],
            },
        )
        shown = outcome.status if outcome.objective is None else f"{outcome.objective:.4g}"
        values = ", ".join(f"{path} {short(value)}" for path, value in trial.values.items())
        self.say(
            f"trial {trial.id}: {self.settings['objective']} {shown} with {values} "
            f"({outcome.seconds:.0f} s)"
        )

    def write_best(self, trial: Mapping) -> Recipe:
        """`best.yaml`: a runnable recipe whose header states what it reached in the search."""
        best = with_values(self.recipe, {**trial["values"], "search": None})
        header = (
            f"# Best of {len(self.outcomes)} trials (number {trial['id']}): "
            f"{self.settings['objective']} {trial['objective']:.6g} in the search.\n"
            f"# tfkit run {self.folder / 'best.yaml'}\n"
        )
        write_atomically(self.folder / "best.yaml", header + best.dump())
        return best


def objective(assembly, folder: RunFolder, name: str) -> float:
    """The objective of a trained run: on the held-out sample, or as training logged it last."""
    if name.startswith(VALID):
        wanted = name.removeprefix(VALID)
        return measure(assembly, "valid", [wanted])[wanted]
    lines = (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return json.loads(lines[-1])[name]


def uses_labels(recipe: Mapping, name: str) -> list[str]:
    """What of a batch the objective reads that the model is not trained on."""
    model = catalog.find("model", recipe["model"]["name"])
    judge = model and catalog.load().beside(model, "evaluator")
    gifts = {gift["name"]: gift["needs"] for gift in judge.gives} if judge else {}
    return [need for need in gifts.get(name.removeprefix(VALID), []) if need not in model.needs]


def short(value) -> str:
    """A value as a line of progress shows it."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
