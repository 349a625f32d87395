"""The export of a trained run."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tfkit.errors import UsageError
from tfkit.export.batching import Batching
from tfkit.export.savedmodel import export_model
from tfkit.export.trace import check_batching, choose
from tfkit.program import program
from tfkit.recipe import Recipe
from tfkit.train import device
from tfkit.train.build import Assembly
from tfkit.train.folder import RunFolder, read_json
from tfkit.train.replicates import replicate_folder, restore, shown_seed

EXPORTS = "savedmodels"
QUEUE = 1000  # batches that may wait in an export: who serves it bounds how many requests there are
EXAMPLE_ROWS = 16  # of the test split, that an export is proved and warmed up with


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
            batching=_batching(options),
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


def check_export(assembly: Assembly, options: Mapping | None) -> None:
    """Refuse before training what the export would refuse after it."""
    serve = assembly.room.part("serve")
    if not options or not options["batching"] or serve is None:
        return
    chosen = choose(serve.signatures(assembly.model), options["signatures"])
    for name, signature in chosen.items():
        check_batching(name, signature)


def _batching(options: Mapping) -> Batching | None:
    """The recipe's `export.batching` in the scheduler's words."""
    asked = options["batching"]
    return asked and Batching(
        max_batch_size=asked["max"],
        batch_timeout_micros=round(asked["wait_ms"] * 1000),
        max_enqueued_batches=QUEUE,
        num_batch_threads=asked["threads"],
    )


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
