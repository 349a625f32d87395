"""What `tfkit run`, `search`, `sweep`, `evaluate`, `report` and `export` do, as functions."""

import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tfkit import recipe as recipes
from tfkit.errors import UsageError
from tfkit.experiment.asked import (
    RUNS,
    changed,
    data_path,
    is_wider,
    load,
    welcome,
)
from tfkit.experiment.conductor import Conductor
from tfkit.experiment.exporting import check_export, export_folder, next_command
from tfkit.recipe import Recipe
from tfkit.recipe.purposes import refuse_sweep, require_search, search_sets
from tfkit.report import write as write_report
from tfkit.search.executors.making import make_executor
from tfkit.search.identity import identity, is_shared
from tfkit.search.sweep import Sweep
from tfkit.search.sweeping import run_sweep
from tfkit.search.trials import make_search_engine
from tfkit.search.work import objective
from tfkit.train import device
from tfkit.train.build import assemble, load_data
from tfkit.train.checkpoint import snapshot
from tfkit.train.folder import RunFolder, read_json
from tfkit.train.interruption import in_one_sentence, interruptible
from tfkit.train.replicates import (
    evaluate_replicate,
    replicate_folder,
    restore,
    stored_recipe,
    summarise,
    trained_recipe,
)
from tfkit.train.run import stages_of


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
    sets = [*sets, *search_sets(trials, budget, workers)]
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
    component = (
        plan.settings["executor"] if workers is None else {"name": "local", "workers": workers}
    )
    executor = make_executor(component)

    def prepare(own: Recipe) -> Recipe:
        """With what this machine says of a recipe: its threads, and where its data lie."""
        threads = {"train.threads": executor.threads or device.available_cpus()}
        found = data_path(own)
        fixed = threads if own.resolved["train"]["threads"] == "auto" else {}
        return changed(own, {**fixed, **({"data.path": found} if found else {})})

    return run_sweep(plan, shard, executor, prepare, quiet)


def begun(known: Recipe, quiet: bool, exports: bool = True) -> "Conductor":
    """A new experiment in a new folder; one that others work on together in the folder of theirs.

    Data are loaded and the model built before, so that what cannot run leaves no folder.
    """
    device.prepare(known.resolved["train"])
    source = load_data(known.resolved)
    with device.configured(known.resolved["train"]):
        assembly = assemble(known.resolved, known.seeds[0], source)
        check_export(assembly, known.resolved["export"] if exports else None)
    shared = is_shared(known.resolved)
    if known.resolved["search"]:
        elsewhere = {"search.engine.storage": None} if shared else {}
        with tempfile.TemporaryDirectory() as folder:
            make_search_engine(changed(known, elsewhere), source, Path(folder)).close()
    with in_one_sentence(RUNS):
        if shared:
            folder = RunFolder.join(RUNS, known.resolved["name"], identity(known.resolved))
        else:
            folder = RunFolder.create(RUNS, known.resolved["name"], known.hash)
        wider = shared and folder.resolved.exists() and is_wider(stored_recipe(folder), known)
        folder.write_recipe(known)
    conductor = Conductor(folder, known, quiet, exports=exports, source=source, wider=wider)
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
    return Conductor(folder, known, quiet, exports=exports, wider=wider)


def try_out(recipe: Recipe) -> dict:
    """Build everything and run one step on one batch; nothing is written."""
    resolved = recipe.resolved
    with device.configured(resolved["train"]):
        assembly = assemble(resolved, resolved["evaluate"]["seeds"][0])
        check_export(assembly, resolved["export"])
        model = assembly.model
        acting = [
            callback
            for stage in stages_of(assembly)
            if stage.model is model and stage.callbacks
            for callback in stage.callbacks(assembly)
        ]
        done = model.fit(
            assembly.batches(0), steps_per_epoch=1, verbose=0, shuffle=False, callbacks=acting
        )
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


def export(
    run_folder: str | os.PathLike, name: str | None = None, sets: Sequence[str] = ()
) -> dict:
    """Export a trained run as a new version, as its recipe, `name` and `sets` (export.…) say."""
    folder = RunFolder.open(run_folder)
    if strays := [each for each in sets if not re.match(r"export[.=]", each)]:
        raise UsageError(f"export: only --set export.… can be changed now, got {strays[0]}.")
    with folder.lock(), interruptible(), in_one_sentence(folder):
        recipe = stored_recipe(folder, sets)
        section = {**(recipe.given.get("export") or {}), **({"name": name} if name else {})}
        recipe = changed(recipe, {"export": section})
        record = export_folder(folder, recipe, trained_recipe(folder))
        write_report(folder.path)
    return {**record, "next": next_command(folder, record)}
