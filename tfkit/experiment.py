"""The conductor: resolved recipe → search → train → evaluate → report → export."""

import contextlib
import dataclasses
import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tfkit import recipe as recipes
from tfkit.errors import Busy, Diverged, Interrupted, UsageError
from tfkit.export.savedmodel import export_model
from tfkit.program import program
from tfkit.recipe import Recipe
from tfkit.recipe.durations import seconds as seconds_of
from tfkit.report import write as write_report
from tfkit.search.clock import Clock
from tfkit.search.confirm import Confirm, confirm_seeds, hand_over
from tfkit.search.executors.base import Surroundings
from tfkit.search.executors.making import make_executor
from tfkit.search.identity import FREE, identity, is_shared
from tfkit.search.sweep import Sweep
from tfkit.search.sweeping import run_sweep
from tfkit.search.trials import Search, make_search_engine
from tfkit.search.values import with_values
from tfkit.search.work import objective
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
    if resume is not None and dry_run:
        raise UsageError("run: a dry run starts nothing, so it cannot resume; leave one out.")
    if resume is not None:
        return taken_up(resume, recipe, sets, seeds, export, quiet).run()
    if recipe is None:
        raise UsageError("run: give a recipe, or a run folder to resume.")
    known = load(recipe, sets, seeds, export)
    refuse_sweep(known)
    if dry_run:
        return try_out(known)
    return begun(known, quiet).run()


def search(
    recipe: str | os.PathLike | Mapping | None = None,
    *,
    sets: Sequence[str] = (),
    resume: str | os.PathLike | None = None,
    trials: int | None = None,
    budget: str | float | None = None,
    workers: int | None = None,
    quiet: bool = True,
) -> dict:
    """Search, confirm the best trials from fresh seeds, and write `best.yaml` and the report.

    Args:
        recipe: with a `search` section; may be left out where `resume` is given.
        sets: overrides, "path.to.key=value" each, applied left to right.
        resume: the folder of a search to go on with; more trials or time are welcome.
        trials: instead of `search.trials`.
        budget: wall-clock time of this call, such as "2h", instead of `search.budget`.
        workers: that many processes on this machine, instead of `search.executor`.
        quiet: say nothing on the way.
    Returns what `tfkit search --json` prints. Raises as `run` does.
    """
    options = {
        "search.trials": trials,
        "search.budget": budget,
        "search.executor": workers and f"{{name: local, workers: {workers}}}",
    }
    sets = [*sets, *(f"{path}={value}" for path, value in options.items() if value is not None)]
    if resume is not None:
        return taken_up(resume, recipe, sets, None, False, quiet, exports=False).run()
    if recipe is None:
        raise UsageError("search: give a recipe, or the folder of a search to resume.")
    known = load(recipe, sets, None, False)
    require_search(known)
    return begun(known, quiet, exports=False).run()


def sweep(
    recipe: str | os.PathLike | Mapping | Recipe,
    *,
    sets: Sequence[str] = (),
    shard: tuple[int, int] = (1, 1),
    workers: int | None = None,
    quiet: bool = True,
) -> dict:
    """Train every point of the recipe's `sweep` from every seed, as far as it is not done yet.

    Args:
        recipe: with a `sweep` section.
        sets: overrides, "path.to.key=value" each, applied left to right.
        shard: (k, n): only each n-th training, beginning with the k-th.
        workers: that many processes on this machine, instead of `sweep.executor`.
        quiet: say nothing on the way.
    Returns what `tfkit sweep --json` prints. A training that fails or diverges ends no sweep.
    Raises `RecipeError`, `DataMissing`, `Interrupted`, or another `TfkitError`.
    """
    plan = Sweep(recipes.load(recipe, sets), RUNS)
    component = {"name": "local", "workers": workers} if workers else plan.settings["executor"]
    executor = make_executor(component)

    def prepare(own: Recipe) -> Recipe:
        """With what this machine says of a recipe: its threads, and where its data lie."""
        threads = {"train.threads": executor.threads or device.available_cpus()}
        found = data_path(own)
        fixed = threads if own.resolved["train"]["threads"] == "auto" else {}
        return changed(own, {**fixed, **({"data.path": found} if found else {})})

    return run_sweep(plan, shard, executor, prepare, quiet)


def refuse_sweep(known: Recipe) -> None:
    """A sweep has a command of its own."""
    if known.resolved["sweep"] is not None:
        raise UsageError(
            f"{known.path or 'run'}: the recipe has a sweep, which `{program()} sweep` runs; one "
            "run of it, without the sweep: --set sweep=null"
        )


def require_search(known: Recipe) -> None:
    """Refuse a recipe without a search."""
    if known.resolved["search"] is None:
        raise UsageError(
            f"{known.path or 'search'}: the recipe has no `search` section; see `tfkit describe "
            "search`, or use `tfkit run`."
        )


def begun(known: Recipe, quiet: bool, exports: bool = True) -> "Conductor":
    """A new experiment in a new folder; one that others work on together in the folder of theirs.

    Data are loaded and the model built before, so that what cannot run leaves no folder.
    """
    device.prepare(known.resolved["train"])
    source = load_data(known.resolved)
    with device.configured(known.resolved["train"]):
        assemble(known.resolved, known.seeds[0], source)
    shared = is_shared(known.resolved)
    if known.resolved["search"] and not shared:
        with tempfile.TemporaryDirectory() as elsewhere:
            make_search_engine(known, source, Path(elsewhere))
    with in_one_sentence(RUNS):
        if shared:
            folder = RunFolder.join(RUNS, known.resolved["name"], identity(known.resolved))
        else:
            folder = RunFolder.create(RUNS, known.resolved["name"], known.hash)
        folder.write_recipe(known)
    conductor = Conductor(folder, known, quiet, exports=exports, source=source)
    conductor.say(f"run folder {folder}")
    return conductor


def taken_up(resume, recipe, sets, seeds, export, quiet, exports: bool = True) -> "Conductor":
    """The experiment of an earlier process, with what may change of it changed."""
    folder = RunFolder.open(resume)
    known = stored_recipe(folder)
    if not exports:
        require_search(known)
    changes = {}
    if recipe is not None or sets or seeds:
        changes = welcome(folder, known, load(recipe or known.given, sets, seeds, False))
    if export and known.resolved["export"] is None:
        changes["export"] = {}
    wider = any(path.startswith("search.") for path in changes) or any(
        each.startswith("search.budget=") for each in sets
    )
    known = changed(known, changes)
    if wider:
        folder.rewrite_recipe(known)
    return Conductor(folder, known, quiet, exports=exports, wider=wider)


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
        changes["train.threads"] = threads_of(known.resolved)
    if found := data_path(known):
        changes["data.path"] = found
    return changed(known, changes)


def threads_of(resolved: Mapping) -> int:
    """All processors, or what the search's executor leaves each of its workers."""
    search = resolved["search"]
    share = make_executor(search["executor"]).threads if search else None
    return share or device.available_cpus()


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
    return dataclasses.replace(with_values(known, changes), written=known.written)


def welcome(folder: RunFolder, known: Recipe, other: Recipe) -> dict:
    """What a recipe given beside a run folder changes of it, by dotted path: how much is searched
    and by whom. Everything else must be the folder's; threads and export may be left out.
    """
    old, new = known.resolved, dict(other.resolved)
    new["train"] = {**new["train"], "threads": old["train"]["threads"]}
    new["export"] = new["export"] or old["export"]
    changes = {}
    if old["search"] and new["search"]:
        given = new["search"]
        changes = {f"search.{key}": given[key] for key in FREE if given[key] != old["search"][key]}
        new["search"] = {**given, **{key: old["search"][key] for key in FREE}}
    if different := recipes.difference(old, new):
        lines = "\n".join(f"  {change}" for change in different)
        raise UsageError(
            f"{folder} is a run of another recipe; what is given differs in\n{lines}\n"
            f"Leave recipe, --set and --seeds out to go on, or start a new run."
        )
    return changes


class Conductor:
    """One experiment in one folder. Each part is done once; what is there already is kept.

    Args:
        folder: the run folder.
        recipe: what to do there.
        quiet: say nothing on the way.
        exports: whether to export where the recipe asks for it.
        source: the data, where they are loaded already.
        wider: whether a finished search is to go on.
    """

    def __init__(
        self,
        folder: RunFolder,
        recipe: Recipe,
        quiet: bool,
        *,
        exports: bool = True,
        source=None,
        wider: bool = False,
    ):
        self.folder, self.recipe, self.quiet = folder, recipe, quiet
        self.bar = progress.wanted(quiet)
        self.exports, self.source, self.wider = exports, source, wider
        self.shared = is_shared(recipe.resolved)
        searched = recipe.resolved["search"]
        self.executor = make_executor(searched["executor"]) if searched else None

    def say(self, text: str) -> None:
        """A line of progress."""
        if not self.quiet:
            print(text, file=sys.stderr, flush=True)

    def run(self) -> dict:
        """All that is still to do; errors and interruptions leave a folder that can be resumed."""
        with interruptible(), in_one_sentence(self.folder):
            try:
                searched = self.join() if self.shared else None
                if searched and not searched.over:
                    self.say(f"{self.folder}: other processes are still searching")
                    return self.result()
                with self.folder.lock():
                    self.conduct_once(searched)
            except Busy:
                if not self.shared:
                    raise
                self.say(f"{self.folder}: the search is over; another process confirms it")
        return self.result()

    def join(self) -> Search:
        """Work on a search that other processes may work on too, until it is over."""
        with self.ends():
            self.begin()
            found = self.search()
            if not found.engine.done:
                self.searching(found)
            return found

    def conduct_once(self, searched: Search | None) -> None:
        """Everything, unless it is done already."""
        before = self.folder.provenance()
        over = searched is None or not searched.newly_told
        finished = before.get("status") == "finished" and over and not self.wider
        if finished and not self.lacks_export(before):
            self.say(f"{self.folder} is finished already.")
            if not (self.folder / "report.html").exists():  # a kill came just before it
                write_report(self.folder.path)
            return
        with self.ends():
            self.conduct(searched)

    @contextlib.contextmanager
    def ends(self):
        """Record how the work ends where it does not end well."""
        try:
            yield
        except KeyboardInterrupt:
            self.end("interrupted", report=False)
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

    def end(self, status: str, report: bool = True, **entries) -> None:
        """Record how it ended, and write the report of what there is."""
        self.folder.record(status=status, **entries)
        if report:
            write_report(self.folder.path)

    def begin(self) -> None:
        """Data and provenance."""
        device.prepare(self.recipe.resolved["train"])
        self.source = self.source or load_data(self.recipe.resolved)
        if self.shared and self.folder.provenance():
            return  # another process began it
        note_start(self.folder, self.recipe.resolved, self.source)

    def conduct(self, searched: Search | None) -> None:
        """Search, train, evaluate, report, export."""
        if searched is None:
            self.begin()
        best = self.recipe
        if self.recipe.resolved["search"] is not None:
            with contextlib.closing(self.executor):
                best = self.confirmed(searched or self.searching(self.search()))
        for seed in best.resolved["evaluate"]["seeds"]:
            self.replicate(best, seed)
        if len(best.resolved["evaluate"]["seeds"]) > 1:
            summarise(self.folder, best.resolved)
        if self.lacks_export(self.folder.provenance()):
            self.say("export: writing, then proving it in a fresh process")
            if (record := published(self.folder, self.recipe)) is not None:
                self.folder.record(export=record)
            else:
                export_folder(self.folder, self.recipe, best, self.source)
        (self.folder / "error.txt").unlink(missing_ok=True)
        self.end("finished")

    def search(self) -> Search:
        """The search as it stands."""
        settings = self.recipe.resolved["search"]
        trainings = settings["confirm"]["top"] * len(confirm_seeds(self.recipe.resolved))
        clock = Clock(seconds_of(settings["budget"]), trainings, self.executor.workers)
        return Search(self.folder, self.recipe, self.source, self.say, clock)

    def searching(self, search: Search) -> Search:
        """Run the trials that are still to run."""
        self.say(f"search over {', '.join(search.settings['space'])}")
        search.run(self.executor, self.around())
        return search

    def around(self) -> Surroundings:
        """What the executor may use of this process."""
        folder = self.folder.path / "search"
        return Surroundings(folder, self.recipe.resolved, self.source, self.bar)

    def confirmed(self, search: Search) -> Recipe:
        """The winner on fresh seeds, whose replicates become the run's own."""
        confirm = Confirm(search, self.say)
        winner = confirm.run(self.executor, self.around())
        best = confirm.write_best(winner)
        if self.folder.provenance().get("winner") not in (None, winner):
            self.forget()
        seeds = best.resolved["evaluate"]["seeds"]
        for seed in sorted(set(seeds) & set(confirm.seeds)):
            place = replicate_folder(self.folder, best.resolved, seed)
            trained = confirm.folder(winner, seed)
            if not place.evaluation.exists():
                hand_over(trained, place, whole=len(seeds) > 1)
            if len(seeds) == 1:
                self.folder.record(seeds=trained.provenance()["seeds"])
        self.folder.record(winner=winner)
        return best

    def forget(self) -> None:
        """Let go of an earlier winner's replicates and export; both stay on the disk elsewhere."""
        shutil.rmtree(self.folder / "replicates", ignore_errors=True)
        self.folder.evaluation.unlink(missing_ok=True)
        self.folder.record(winner=None, export=None)

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
            searched = self.recipe.resolved["search"] or {}
            evaluate_replicate(folder, assembly, objective(searched, folder.path, assembly))
        return self.close(folder)

    def close(self, folder: RunFolder) -> None:
        """Say in a replicate's own folder that it is done."""
        if folder.path != self.folder.path:
            folder.record(status="finished")

    def lacks_export(self, provenance: dict) -> bool:
        """Whether an export is asked for and not there."""
        asked = self.exports and self.recipe.resolved["export"] is not None
        return asked and not provenance.get("export")

    def result(self) -> dict:
        """What `--json` prints."""
        provenance = self.folder.provenance()
        exported = provenance.get("export")
        search = read_json(self.folder / "search" / "search.json")
        found = {
            "run": str(self.folder),
            "status": provenance.get("status"),
            "report": str(written) if (written := self.folder / "report.html").exists() else None,
            "metrics": read_json(self.folder.evaluation, {}).get("metrics", {}),
            "search": search and best_of(search),
            "export": exported and exported["folder"],
        }
        finished = provenance.get("status") == "finished"
        go_on = f"{program()} run --resume {self.folder}"
        return {**found, "next": next_command(self.folder, exported) if finished else go_on}


def best_of(search: Mapping) -> dict:
    """The winner of a search in brief."""
    confirmed = search.get("confirm") or {}
    id = confirmed.get("winner", search["best"])
    trial = next((t for t in search["trials"] if t["id"] == id), {})
    fresh = next((c["fresh"] for c in confirmed.get("candidates", []) if c["id"] == id), None)
    return {
        "best": id,
        search["objective"]: trial.get("objective"),
        "fresh": fresh,
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
                "provenance": {**own.provenance(), **origin_of(folder)},
                "metrics": read_json(folder.evaluation, {}),
                "data": f"{resolved['data']['name']} ({assembly.source.fingerprint()['source']})",
                **getattr(serve, "CARD", {}),
            },
        )
    folder.record(export=record)
    return record


def origin_of(folder: RunFolder) -> dict:
    """What an export says of the run that it came from."""
    winner = folder.provenance().get("winner")
    return {"run": str(folder.path.resolve()), **({"winner": winner} if winner else {})}


def published(folder: RunFolder, recipe: Recipe) -> dict | None:
    """The export of this run that a kill kept from being recorded, if there is one."""
    name = recipe.resolved["export"]["name"] or recipe.resolved["name"]
    for path in Path(EXPORTS, name).glob("*/assets.extra/provenance.json"):
        provenance = read_json(path)
        if origin_of(folder).items() <= provenance.items():
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
        searched = recipe.resolved["search"] or {}
        for seed in resolved["evaluate"]["seeds"]:
            with device.configured(resolved["train"]):
                own = replicate_folder(folder, resolved, seed)
                assembly = restore(own, resolved, seed, source)
                evaluate_replicate(own, assembly, objective(searched, own.path, assembly))
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
