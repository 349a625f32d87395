"""One run: from a resolved recipe to trained weights in its folder, resumed where it stopped."""

import errno
import math
import os
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import keras
import tensorflow as tf

from tfkit import catalog
from tfkit.data.source import reading_from
from tfkit.errors import UsageError
from tfkit.stage import Stage
from tfkit.train import provenance, stages
from tfkit.train.build import Assembly, assemble, build_watchers, compile_model, total_steps
from tfkit.train.checkpoint import Checkpoints
from tfkit.train.fit import Fit, Plan
from tfkit.train.folder import RunFolder
from tfkit.train.measure import measure, require_possible
from tfkit.train.progress import Progress


class Looking(NamedTuple):
    """How a training is looked at, and how far it goes for now; `train` explains the three."""

    bar: bool
    until: int | None
    watch: tuple[keras.callbacks.Callback, ...]


def train(
    folder: RunFolder,
    recipe: dict,
    replicate: int,
    *,
    source=None,
    bar: bool = False,
    until: int | None = None,
    watch: Sequence[keras.callbacks.Callback] = (),
) -> Assembly:
    """Train the recipe's model in `folder`, or go on where an earlier process stopped.

    Args:
        folder: the run folder; what it holds already is taken up.
        recipe: resolved.
        replicate: the replicate's number, one of `evaluate.seeds`.
        source: data that are loaded already, if any.
        bar: show a progress bar.
        until: a step to stop at before the end of the recipe's training; None: train to the end.
        watch: callbacks that look on, and may end the training by raising.
    Returns the assembly with the final weights. Raises `Diverged`, and `UsageError` for metrics
    that could not be computed afterwards.
    """
    assembly = assemble(recipe, replicate, source)
    if folder.weights.exists():
        assembly.model.load_weights(folder.weights)
        return assembly
    require_possible(assembly)
    folder.record(seeds=assembly.seeds)
    planned = stages_of(assembly)
    stages.refuse_unknown(recipe["train"], planned)
    looking = Looking(bar, until, tuple(watch))
    if planned and until is not None:
        raise UsageError(
            f"a training in stages ({', '.join(stage.name for stage in planned)}) cannot be cut "
            "short, as search.engine: hyperband does; take another engine."
        )
    with reading_from(assembly.source):
        if planned:
            train_stages(folder, assembly, planned, looking)
        else:
            fit(folder, assembly, assembly.model, recipe["train"], looking)
    save_weights(folder, assembly.model)
    return assembly


def stages_of(assembly: Assembly) -> list[Stage]:
    """The stages of a method that trains in several; none for one that trains in one go."""
    list_stages = assembly.room.function("stages", "stages")
    with assembly.model.distribute_strategy.scope():  # a stage's model is made where ours is
        return list_stages(assembly.model, assembly.source) if list_stages else []


def fit(
    folder: RunFolder,
    assembly: Assembly,
    model: keras.Model,
    train: dict,
    looking: Looking,
    stage: Stage | None = None,
) -> None:
    """One `fit` of the run, in chunks."""
    stage = stage or Stage("")
    steps = total_steps({**assembly.recipe, "train": train}, assembly.source)
    acting = stage.callbacks(assembly) if stage.callbacks else []
    between = math.gcd(*(callback.every for callback in acting))
    plan = Plan(steps, train["save_every"], train["steps_per_execution"], looking.until, between)
    validate = train["validate"]
    job = Fit(
        model,
        partial(stage.batches, assembly) if stage.batches else assembly.batches,
        folder.path,
        plan,
        watchers=build_watchers(train),
        measure=(lambda: measure(assembly, "valid", validate)) if validate else None,
        stage=stage.name,
        acting=acting,
        tensorboard=tensorboard_writer(folder.path, stage.name) if train["tensorboard"] else None,
    )
    for callback in looking.watch:
        job.watch(callback)
    if not looking.bar:
        return job.run()
    done = Checkpoints(folder.path / "checkpoints" / stage.name).reached()
    called = stage.name or label(folder, assembly.recipe["name"])
    with Progress(called, plan.end, done) as progress:
        job.watch(progress)
        return job.run()


def label(folder: RunFolder, name: str) -> str:
    """What a progress bar calls a training; the run folder's own name is a date, and says less."""
    path = folder.path
    if path.parent.name == "replicates":
        return f"seed {path.name}"
    if path.parent.parent.name == "confirm":
        return f"{path.parent.name.replace('_', ' ')}, seed {path.name}"
    return path.name.replace("_", " ") if path.parent.name == "search" else name


def train_stages(folder: RunFolder, assembly: Assembly, planned: list, looking: Looking) -> None:
    """The room's stages in order; one that is done is read back."""
    carried = {}
    for stage in planned:
        models = [assembly.model, *([stage.model] if stage.model is not None else [])]
        path = stages.outcome_path(folder.path, stage.name)
        if path.exists():
            carried[stage.name] = stages.load_outcome(path, models)
            continue
        carried[stage.name] = run_stage(folder, assembly, stage, carried, looking)
        stages.save_outcome(path, models, carried[stage.name])


def run_stage(
    folder: RunFolder, assembly: Assembly, stage: Stage, carried: dict, looking: Looking
) -> dict:
    """One stage; the arrays that it carries on."""
    if stage.work is not None:
        own = folder.part("stages", stage.name).path
        return stage.work(assembly, carried, own)
    train = stages.stage_options(assembly.recipe["train"], stage, assembly.model)
    recipe = {**assembly.recipe, "train": train}
    entry = catalog.find("model", recipe["model"]["name"])
    with assembly.model.distribute_strategy.scope():
        compile_model(stage.model, entry, recipe, total_steps(recipe, assembly.source))
    fit(folder, assembly, stage.model, train, looking, stage)
    return {}


def note_start(folder: RunFolder, recipe: dict, source) -> None:
    """Write provenance; on a resumed run add the step it goes on from, and warn of another
    machine.
    """
    before = folder.provenance()
    now = provenance.collect(recipe["train"]["threads"], source.fingerprint())
    resumed = before.get("resumed_from", [])
    if before:
        warn_of_another_device(before["device"], now["device"])
        resumed = [*resumed, Checkpoints(folder.path).reached()]
    folder.record(**now, resumed_from=resumed, status="training")


def warn_of_another_device(before: dict, now: dict) -> None:
    """Numbers are equal to the last bit only on the same kind of processor, and as many of them."""
    for part in ("cpu", "cpus", "gpus"):
        if part in before and before[part] != now[part]:
            warnings.warn(
                f"this run began on another device ({part}: {before[part]}, now {now[part]}); "
                "the rest of it may differ in the last bits from an uninterrupted run.",
                stacklevel=3,
            )


def save_weights(folder: RunFolder, model: keras.Model) -> None:
    """Write `final.weights.h5` in one move; from here on the training counts as done."""
    temporary = folder / ".tmp.weights.h5"
    try:
        model.save_weights(temporary, overwrite=True)
        os.replace(temporary, folder.weights)
    except (OSError, RuntimeError) as error:  # h5py does not always say that the disk is full
        temporary.unlink(missing_ok=True)
        number = getattr(error, "errno", None) or errno.ENOSPC
        raise OSError(number, str(error), str(folder.weights)) from error


def tensorboard_writer(folder: Path, stage: str):
    """A function that writes a chunk's values for TensorBoard, indexed by step."""
    writer = tf.summary.create_file_writer(str(folder / "tb" / stage))

    def write(step: int, values: dict) -> None:
        with writer.as_default(step=step):
            for name, value in values.items():
                tf.summary.scalar(name, value)
        try:
            writer.flush()
        except tf.errors.OpError as error:  # how TensorFlow says that the disk is full
            raise OSError(errno.ENOSPC, error.message, str(folder / "tb")) from error

    return write
