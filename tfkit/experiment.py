"""The conductor: resolved recipe → search → train → evaluate → report → export."""

import contextlib
import dataclasses
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from tfkit import recipe as recipes
from tfkit.errors import Diverged, Interrupted, UsageError
from tfkit.export.savedmodel import export_model
from tfkit.program import program
from tfkit.recipe import Recipe
from tfkit.report import write as write_report
from tfkit.search.trials import Search
from tfkit.search.values import with_values
from tfkit.train import device, progress
from tfkit.train.build import Assembly, assemble, load_data
from tfkit.train.checkpoint import snapshot
from tfkit.train.folder import RunFolder, read_json, write_atomically
from tfkit.train.interruption import in_one_sentence, interruptible
from tfkit.train.replicates import (
    evaluate_replicate,
    replicate_folder,
    restore,
    shown_seed,
    stored_recipe,
    summarise,
    trained_recipe,
)
from tfkit.train.run import note_start, train

RUNS = "runs"
EXPORTS = "savedmodels"
EXAMPLE_ROWS = 16  # of the test split, that an export is proved and warmed up with


def run(
    recipe: str | os.PathLike | Mapping | None = None,
    *,
    sets: Sequence[str] = (),
    resume: str | os.PathLike | None = None,
    seeds: Sequence[int] | int | None = None,
    export: bool = False,
    dry_run: bool = False,
    quiet: bool = True,
) -> dict:
    """Run a recipe: search, train, evaluate, report, export, as far as it asks for them.

    Args:
        recipe: a file, or the recipe as a dict; may be left out where `resume` is given.
        sets: overrides, "path.to.key=value" each, applied left to right.
        resume: the folder of an interrupted run to go on with.
        seeds: the training replicates, or how many, instead of the recipe's `evaluate.seeds`.
        export: export also without an `export` section.
        dry_run: only build the model and run one step, in no folder.
        quiet: say nothing on the way.
    Returns what `tfkit run --json` prints: run, status, report, metrics, search, export, next.
    Raises `RecipeError`, `DataMissing`, `Diverged`, `Interrupted`, or another `TfkitError`.
    """
    say = (lambda text: None) if quiet else (lambda text: print(text, file=sys.stderr, flush=True))
    bar = progress.wanted(quiet)
    if resume is not None and dry_run:
        raise UsageError("run: a dry run starts nothing, so it cannot resume; leave one out.")
    if resume is not None:
        folder = RunFolder.open(resume)
        known = stored_recipe(folder)
        if recipe is not None or sets or seeds:
            refuse_other(folder, known, load(recipe or known.given, sets, seeds, False))
        if export and known.resolved["export"] is None:
            known = changed(known, {"export": {}})
        return Conductor(folder, known, say, bar).run()
    if recipe is None:
        raise UsageError("run: give a recipe, or a run folder to resume.")
    known = load(recipe, sets, seeds, export)
    if dry_run:
        return try_out(known)
    device.prepare(known.resolved["train"])
    source = load_data(known.resolved)  # before a folder is made: the data may be missing
    with device.configured(known.resolved["train"]):
        assemble(known.resolved, known.seeds[0], source)  # what cannot be built leaves no folder
    with in_one_sentence(RUNS):
        folder = RunFolder.create(RUNS, known.resolved["name"], known.hash)
        folder.write_recipe(known)
    say(f"run folder {folder}")
    return Conductor(folder, known, say, bar, source=source).run()


def load(recipe, sets: Sequence[str], seeds: Sequence[int] | int | None, export: bool) -> Recipe:
    """The recipe with what the command line says, and the number of threads fixed."""
    known = recipes.load(recipe, sets)
    changes = {}
    if seeds:
        several = range(1, seeds + 1) if isinstance(seeds, int) else seeds
        changes["evaluate.seeds"] = list(several)
    if export and known.resolved["export"] is None:
        changes["export"] = {}
    if known.resolved["train"]["threads"] == "auto":
        changes["train.threads"] = device.available_cpus()
    if found := data_path(known):
        changes["data.path"] = found
    return changed(known, changes)


def data_path(known: Recipe) -> str | None:
    """Where a relative `data.path` leads, if anywhere, so that the run can go on from any folder:
    under $TFKIT_DATA, then beside the recipe, then in the current folder.
    """
    path = known.resolved["data"].get("path")
    if not isinstance(path, str) or Path(path).is_absolute():
        return None
    roots = [os.environ.get("TFKIT_DATA"), known.path and known.path.parent, Path.cwd()]
    tried = [Path(root) / path for root in roots if root]
    return next((str(place.resolve()) for place in tried if place.exists()), None)


def changed(known: Recipe, changes: Mapping) -> Recipe:
    """The recipe with other values at dotted paths, its text as it was given."""
    if not changes:
        return known
    return dataclasses.replace(with_values(known, changes), raw_text=known.raw_text)


def refuse_other(folder: RunFolder, known: Recipe, other: Recipe) -> None:
    """A recipe given beside a run folder must be the folder's; threads and export may be left."""
    old, new = known.resolved, dict(other.resolved)
    new["train"] = {**new["train"], "threads": old["train"]["threads"]}
    new["export"] = new["export"] or old["export"]
    if changes := recipes.difference(old, new):
        lines = "\n".join(f"  {change}" for change in changes)
        raise UsageError(
            f"{folder} is a run of another recipe; what is given differs in\n{lines}\n"
            f"Leave recipe, --set and --seeds out to go on, or start a new run."
        )


class Conductor:
    """One experiment in one folder. Each part is done once; what is there already is kept."""

    def __init__(
        self,
        folder: RunFolder,
        recipe: Recipe,
        say: Callable[[str], None],
        bar: bool,
        *,
        source=None,
    ):
        self.folder, self.recipe, self.say, self.bar = folder, recipe, say, bar
        self.source = source

    def run(self) -> dict:
        """All that is still to do; errors and interruptions leave a folder that can be resumed."""
        with self.folder.lock(), interruptible(), in_one_sentence(self.folder):
            before = self.folder.provenance()
            if before.get("status") == "finished" and not self.lacks_export(before):
                self.say(f"{self.folder} is finished already.")
                if not (self.folder / "report.html").exists():  # a kill came just before it
                    write_report(self.folder.path)
                return self.result()
            try:
                self.conduct()
            except KeyboardInterrupt:
                self.folder.record(status="interrupted")
                raise Interrupted(
                    f"interrupted; go on with: {program()} run --resume {self.folder}",
                    run=str(self.folder),
                ) from None
            except Diverged as error:
                error.run = str(self.folder)
                self.end("diverged", diverged={"step": error.step, "tensor": error.tensor})
                raise
            except Exception:
                with contextlib.suppress(OSError):  # the disk may be what failed
                    write_atomically(self.folder / "error.txt", traceback.format_exc())
                    self.end("failed")
                raise
        return self.result()

    def end(self, status: str, **entries) -> None:
        """Record how it ended, and write the report of what there is."""
        self.folder.record(status=status, **entries)
        write_report(self.folder.path)

    def conduct(self) -> None:
        """Search, train, evaluate, report, export."""
        device.prepare(self.recipe.resolved["train"])
        self.source = self.source or load_data(self.recipe.resolved)
        note_start(self.folder, self.recipe.resolved, self.source)
        best = self.recipe
        if self.recipe.resolved["search"] is not None:
            self.say(f"search over {', '.join(self.recipe.resolved['search']['space'])}")
            best = Search(self.folder, self.recipe, self.source, self.say, self.bar).run()
        for seed in best.resolved["evaluate"]["seeds"]:
            self.replicate(best, seed)
        if len(best.resolved["evaluate"]["seeds"]) > 1:
            summarise(self.folder, best.resolved)
        exported = self.recipe.resolved["export"]
        if exported is not None and self.lacks_export(self.folder.provenance()):
            self.say("export: writing, then proving it in a fresh process")
            if (record := published(self.folder, self.recipe)) is not None:
                self.folder.record(export=record)
            else:
                export_folder(self.folder, self.recipe, best, self.source)
        (self.folder / "error.txt").unlink(missing_ok=True)
        self.end("finished")

    def replicate(self, recipe: Recipe, seed: int) -> None:
        """Train and evaluate one replicate."""
        folder = replicate_folder(self.folder, recipe.resolved, seed)
        if folder.evaluation.exists():
            return self.close(folder)
        own = with_values(recipe, {"evaluate.seeds": [seed], "search": None, "export": None})
        folder.write_recipe(own)
        if folder.path != self.folder.path:
            note_start(folder, own.resolved, self.source)
        with device.configured(own.resolved["train"]):
            assembly = train(folder, own.resolved, seed, source=self.source, bar=self.bar)
            self.say(f"trained seed {seed}; evaluating")
            evaluate_replicate(folder, assembly, objective_of(self.recipe))
        return self.close(folder)

    def close(self, folder: RunFolder) -> None:
        """Say in a replicate's own folder that it is done."""
        if folder.path != self.folder.path:
            folder.record(status="finished")

    def lacks_export(self, provenance: dict) -> bool:
        """Whether an export is asked for and not there."""
        return self.recipe.resolved["export"] is not None and not provenance.get("export")

    def result(self) -> dict:
        """What `--json` prints."""
        provenance = self.folder.provenance()
        exported = provenance.get("export")
        search = read_json(self.folder / "search" / "search.json")
        found = {
            "run": str(self.folder),
            "status": provenance.get("status"),
            "report": str(self.folder / "report.html"),
            "metrics": read_json(self.folder.evaluation, {}).get("metrics", {}),
            "search": search and best_of(search),
            "export": exported and exported["folder"],
        }
        return {**found, "next": next_command(self.folder, exported)}


def best_of(search: Mapping) -> dict:
    """The winner of a search in brief."""
    trial = next((t for t in search["trials"] if t["id"] == search["best"]), {})
    return {
        "best": search["best"],
        search["objective"]: trial.get("objective"),
        **trial.get("values", {}),
    }


def next_command(folder: RunFolder, exported: Mapping | None) -> str:
    """What to type next."""
    if exported is None:
        return f"{program()} export {folder}"
    predict = exported["signatures"]["predict"]
    given = "IMAGES_FOLDER" if "images" in predict["inputs"] else "INPUTS.npz"
    shapes = [output["shape"] for output in predict["outputs"].values()]
    drawn = any(len(shape) == 4 and shape[-1] in (1, 3) for shape in shapes)
    answers = "answers.png" if drawn else "answers.json"
    return f"{program()} predict {exported['folder']} -i {given} -o {answers}"


def objective_of(recipe: Recipe) -> str | None:
    """What the recipe's search looks at, if it has one."""
    search = recipe.resolved["search"]
    return search and search["objective"]


def export_folder(folder: RunFolder, recipe: Recipe, trained: Recipe, source=None) -> dict:
    """Export the shown replicate of a trained run as its `export` section says."""
    resolved = trained.resolved
    seed = shown_seed(folder, resolved)
    options = recipe.resolved["export"]
    with device.configured(resolved["train"]):
        own = replicate_folder(folder, resolved, seed)
        assembly = restore(own, resolved, seed, source)
        serve = assembly.room.part("serve")
        if serve is None:
            raise UsageError(
                f"export: {type(assembly.model).__name__} has no serve.py in its room that says "
                "which signatures to export."
            )
        record = export_model(
            assembly.model,
            serve,
            name=options["name"] or recipe.resolved["name"],
            examples=example_rows(assembly),
            destination=Path(EXPORTS),
            signatures=options["signatures"],
            hub=options["hub"],
            context={
                "recipe": trained.dump(),
                "resolved": resolved,
                "provenance": {**own.provenance(), "run": str(folder.path.resolve())},
                "metrics": read_json(folder.evaluation, {}),
                "data": f"{resolved['data']['name']} ({assembly.source.fingerprint()['source']})",
                **getattr(serve, "CARD", {}),
            },
        )
    folder.record(export=record)
    return record


def published(folder: RunFolder, recipe: Recipe) -> dict | None:
    """The export of this run that a kill kept from being recorded, if there is one."""
    name = recipe.resolved["export"]["name"] or recipe.resolved["name"]
    for path in Path(EXPORTS, name).glob("*/assets.extra/provenance.json"):
        provenance = read_json(path)
        if provenance.get("run") == str(folder.path.resolve()):
            return provenance["export"]
    return None


def example_rows(assembly: Assembly) -> dict[str, np.ndarray]:
    """Real rows of the test split, by their names in a batch; a small split is repeated."""
    batch = next(iter(assembly.source.held_out("test", EXAMPLE_ROWS)))
    found = {name: np.asarray(value) for name, value in batch.items()}
    return {name: np.resize(rows, (EXAMPLE_ROWS, *rows.shape[1:])) for name, rows in found.items()}


def try_out(recipe: Recipe) -> dict:
    """Build everything and run one step on one batch; nothing is written."""
    resolved = recipe.resolved
    with device.configured(resolved["train"]):
        assembly = assemble(resolved, resolved["evaluate"]["seeds"][0])
        model = assembly.model
        done = model.fit(assembly.batches(0), steps_per_epoch=1, verbose=0, shuffle=False)
        return {
            "status": "dry run",
            "parameters": int(model.count_params()),
            "trainable": int(sum(np.prod(v.shape) for v in model.trainable_variables)),
            "state_bytes": int(sum(array.nbytes for array in snapshot(model).values())),
            "first_step": {name: values[0] for name, values in done.history.items()},
        }


def evaluate(run_folder: str | os.PathLike) -> dict:
    """Evaluate a trained run anew with its own recipe; rewrites evaluation, figures, report."""
    folder = RunFolder.open(run_folder)
    with folder.lock(), interruptible(), in_one_sentence(folder):
        recipe, trained = stored_recipe(folder), trained_recipe(folder)
        resolved = trained.resolved
        device.prepare(resolved["train"])
        source = load_data(resolved)
        objective = objective_of(recipe)
        for seed in resolved["evaluate"]["seeds"]:
            with device.configured(resolved["train"]):
                own = replicate_folder(folder, resolved, seed)
                evaluate_replicate(own, restore(own, resolved, seed, source), objective)
        if len(resolved["evaluate"]["seeds"]) > 1:
            summarise(folder, resolved)
        path = write_report(folder.path)
    return {"run": str(folder), "report": str(path), **read_json(folder.evaluation)}


def report(run_folder: str | os.PathLike) -> Path:
    """Write `report.html` anew from what the run folder holds."""
    return write_report(RunFolder.open(run_folder).path)


def export(run_folder: str | os.PathLike, name: str | None = None) -> dict:
    """Export a trained run as a new version, under `name` or the name that its recipe says."""
    folder = RunFolder.open(run_folder)
    with folder.lock(), interruptible(), in_one_sentence(folder):
        recipe = stored_recipe(folder)
        section = {**(recipe.given.get("export") or {}), **({"name": name} if name else {})}
        recipe = changed(recipe, {"export": section})
        record = export_folder(folder, recipe, trained_recipe(folder))
        write_report(folder.path)
    return {**record, "next": next_command(folder, record)}
