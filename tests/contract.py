"""What every public name owes its user (see CONTRIBUTING.md), as assertions to call.

    assert_layer_contract(SmeLU, options={"beta": 0.3})
    assert_loss_contract("kl_to_standard_normal")
    assert_model_contract("beta_vae")
    assert_recipe_contract("recipes/disentanglement/quick.yaml")

tests/test_contract.py applies them to everything in the catalogue, check by check.
"""

import inspect
import tempfile
from pathlib import Path

from tests.contracts import data, metrics, parts, recipe_files, results, rooms, tensors, words
from tests.contracts.subject import ROOT, Subject, subject
from tfkit import catalog

# kind of the catalogue -> its checks; a kind that is not here fails tests/test_contract.py
CHECKS = {
    "layer": tensors.LAYER,
    "activation": tensors.ACTIVATION,
    "loss": tensors.LOSS,
    "metric": metrics.METRIC,
    "network": parts.NETWORK,
    "optimizer": parts.OPTIMIZER,
    "schedule": parts.SCHEDULE,
    "callback": parts.CALLBACK,
    "engine": parts.ENGINE,
    "executor": parts.EXECUTOR,
    "section": parts.SECTION,
    "dataset": data.DATASET,
    "model": rooms.MODEL,
    # through the models of the same room
    "evaluator": (words.documented, words.tested),
    "server": (words.documented,),
}


def checks_of(entry: catalog.Entry) -> tuple:
    """The checks that an entry must pass; a model's include those of its room's other parts."""
    checks = CHECKS.get(entry.kind, ())
    if entry.kind != "model":
        return checks
    beside = catalog.load().beside
    checks += results.EVALUATED if beside(entry, "evaluator") else ()
    return checks + (results.SERVED if beside(entry, "server") else ())


def check(one, given: Subject) -> None:
    """Apply one check; one that writes files is given an empty folder."""
    if "folder" not in inspect.signature(one).parameters:
        return one(given)
    with tempfile.TemporaryDirectory(prefix="tfkit-contract-") as folder:
        return one(given, Path(folder))


def assert_contract(kind: str, thing, *, options: dict | None = None, inputs: tuple = ()) -> None:
    """All checks of a kind.

    Args:
        kind: a key of `CHECKS`.
        thing: a name of the catalogue, or the class or function itself.
        options: to make it with, where the defaults are not small or not enough.
        inputs: example arrays; without them they are drawn as the docstring's `Shapes` says.
    """
    given = subject(thing, kind, options, inputs)
    for one in checks_of(given.entry):
        check(one, given)


def assert_layer_contract(layer, *, options: dict | None = None, inputs: tuple = ()) -> None:
    """Documentation, refusals, seed, batch, dtype policies, XLA, gradients, config, files."""
    assert_contract("layer", layer, options=options, inputs=inputs)


def assert_loss_contract(loss, *, options: dict | None = None, inputs: tuple = ()) -> None:
    """Documentation, refusals, NumPy, shapes, float types, gradients, open batch, XLA, config."""
    assert_contract("loss", loss, options=options, inputs=inputs)


def assert_model_contract(model) -> None:
    """A model of the catalogue with its room: training, seeds, resume, files, export, metrics."""
    assert_contract("model", model)


def assert_dataset_contract(dataset, *, options: dict | None = None) -> None:
    """Batches by (seed, step), held-out parts apart, types and ranges, fingerprint."""
    assert_contract("dataset", dataset, options=options)


def assert_recipe_contract(path) -> None:
    """Valid, its own resolution, beside its method, with command and result in the header."""
    for one in recipe_files.RECIPE:
        one(ROOT / path)
