"""The contract of models, built and trained by the engine itself."""

import json
import re
import shutil
import tempfile
from functools import cache
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.contracts.subject import ROOT, Subject
from tests.contracts.tensors import close, keeps_every_option, plain
from tests.contracts.words import documented, refuse, tested
from tests.train import runs
from tfkit import catalog
from tfkit import recipe as recipes
from tfkit.keras_files import load_model
from tfkit.recipe.template import template
from tfkit.train import measure
from tfkit.train.build import assemble, build
from tfkit.train.checkpoint import optimizers, snapshot

BATCH = 8
STEPS = {"steps": 4, "save_every": 2, "steps_per_execution": 1, "threads": 2, "jit": False}
HOME = tempfile.TemporaryDirectory(prefix="tfkit-contract-")
JIT_TOLERANCE = 1e-3
HALF_TOLERANCE = 0.1  # of a loss in bfloat16
# their last stage repeats rows on which an earlier one errs, and half precision tips answers over
TRAINED_ON_YES_OR_NO = {"jtt", "de_tt"}
SMALL: dict[str, dict] = {}  # options of data sets that are large by default, see test_contract.py
MEASURED: dict[str, dict] = {}  # options of evaluators that measure much by default, likewise


def recipe(entry: catalog.Entry, seed=5, **train) -> recipes.Recipe:
    """The recipe that `tfkit init` writes for a model, on small data, a few steps long."""
    given = recipes.parse(template(entry, catalog.load()))
    assert "data" in given, f"{entry.name}: no data set gives {entry.needs} without a path"
    small = SMALL.get(given["data"]["name"], {})
    given |= {"seed": seed, "data": {**given["data"], **small, "batch_size": BATCH}}
    given["train"] |= {**STEPS, **train}
    judge = catalog.load().beside(entry, "evaluator")
    given["evaluate"] |= MEASURED.get(judge.name, {}) if judge else {}
    return recipes.from_dict(given)


@cache
def trained(entry_name: str, precision="float32", jit=False):
    """The run folder and the assembly of a whole run of that model."""
    known = recipe(catalog.find("model", entry_name), precision=precision, jit=jit)
    return runs.run(Path(HOME.name) / f"{entry_name}-{precision}-{jit}", known)


def lines(folder) -> list[dict]:
    """What training logged, a chunk a line."""
    text = (folder / "metrics.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def fresh(given: Subject, seed=5):
    """The assembly before its first step."""
    return assemble(recipe(given.entry, seed).resolved, 1)


def excused(given: Subject, what: str) -> bool:
    """Whether the docstring says that it cannot do this, such as `Not with jit_compile=True: …`."""
    return re.search(rf"Not with {re.escape(what)}", given.entry.doc) is not None


def documents_every_parameter(given: Subject) -> None:
    """Args has every parameter; the room has its README with equation and citation."""
    documented(given)
    silent = [p.name for p in given.entry.parameters if not p.doc]
    assert not silent, f"{given.name}: Args says nothing of {', '.join(silent)}"
    if given.entry.room.startswith("tfkit."):
        readme = ROOT.joinpath(*given.entry.room.split("."), "README.md")
        assert readme.exists(), f"{given.name}: {readme.relative_to(ROOT)} is missing"
        text = readme.read_text(encoding="utf-8")
        assert given.entry.name in text, f"{given.name}: the room's README does not name it"


def has_a_recipe(given: Subject) -> None:
    """recipes/<stem>/quick.yaml exists, and some recipe of that folder uses this model."""
    folder = ROOT / "recipes" / given.entry.room.rpartition(".")[2]
    files = sorted(folder.glob("*.yaml"))
    assert folder / "quick.yaml" in files, f"{given.name}: no {folder.name}/quick.yaml"
    used = set()
    for path in files:
        resolved = recipes.load(path).resolved
        used.add(resolved["model"]["name"])
        for varied in (
            (resolved["search"] or {}).get("space"),
            (resolved["sweep"] or {}).get("grid"),
        ):
            used |= set((varied or {}).get("model.name", {}).get("choice", ()))
    assert given.entry.name in used, f"{given.name}: no recipe in {folder.name}/ uses it"


def refuses_options_out_of_bounds(given: Subject) -> None:
    """Every bounded or enumerated option is refused at construction, by name and value."""
    refuse(given, maker(given))


def maker(given: Subject):
    """Builds the bare model of the small recipe, with other options if wished."""
    assembly = fresh(given)
    tell = assembly.room.function("model", "supplied")

    def make(**changed):
        options = {**assembly.recipe["model"], **changed}
        return build(given.entry, options, assembly.source.shapes, tell)

    return make


def logs_what_it_says(given: Subject) -> None:
    """Every chunk's line has the step and exactly `Logs`, all finite; evaluate gives the same."""
    folder, assembly = trained(given.entry.name)
    logged = lines(folder)
    assert logged[-1]["step"] == STEPS["steps"], f"{given.name}: stopped at {logged[-1]}"
    for line in logged:
        names = set(line) - {"step", "stage"}
        assert "stage" in line or names == set(given.entry.logs), f"{given.name}: logs {names}"
        assert all(np.isfinite(line[name]) for name in names), f"{given.name}: {line}"
    measured = measure.logs(assembly, "valid", [])
    assert set(measured) == set(given.entry.logs), f"{given.name}: evaluate gives {set(measured)}"


def trains_every_weight(given: Subject) -> None:
    """After a few steps no trainable variable is what it was."""
    before = [v.numpy() for v in fresh(given).model.trainable_variables]
    after = trained(given.entry.name)[1].model.trainable_variables
    still = [v.path for b, v in zip(before, after, strict=True) if np.array_equal(b, v.numpy())]
    assert not still, f"{given.name}: training leaves {still} where they were"


def agrees_with_its_compiled_self(given: Subject) -> None:
    """XLA gives the numbers of the run without it."""
    if excused(given, "jit_compile=True"):
        return
    plain_lines, jit_lines = (lines(trained(given.entry.name, jit=jit)[0]) for jit in (False, True))
    for one, other in zip(plain_lines, jit_lines, strict=True):
        assert one.pop("stage", "") == other.pop("stage", ""), f"{given.name}: other stages"
        close(other, one, f"{given.name}: jit_compile=True", rtol=JIT_TOLERANCE)


def last_loss(given: Subject, folder) -> float:
    """The last loss of a run, or of its first stage where that decides what the last trains on."""
    told = [line for line in lines(folder) if "loss" in line]
    compared = told[0] if given.entry.name in TRAINED_ON_YES_OR_NO else told[-1]
    return [line["loss"] for line in told if line.get("stage") == compared.get("stage")][-1]


def agrees_in_half_precision(given: Subject) -> None:
    """mixed_bfloat16, without XLA and with it: float32 weights, nearly the same loss."""
    if excused(given, "mixed_bfloat16"):
        return
    wanted = last_loss(given, trained(given.entry.name)[0])
    for jit in (False, True):
        if jit and excused(given, "jit_compile=True"):
            continue
        folder, assembly = trained(given.entry.name, "mixed_bfloat16", jit)
        assert assembly.model.compute_dtype == "bfloat16", f"{given.name}: ignores precision"
        types = {v.dtype for v in assembly.model.trainable_variables}
        assert types == {"float32"}, f"{given.name}: weights are {types}"
        loss = last_loss(given, folder)
        assert np.isfinite(lines(folder)[-1]["loss"]), f"{given.name}: {lines(folder)[-1]}"
        room = HALF_TOLERANCE * max(1.0, abs(wanted))
        assert abs(loss - wanted) < room, f"{given.name}: {loss} in bfloat16, {wanted} in float32"


def takes_any_batch(given: Subject) -> None:
    """One graph trains and evaluates on batches of 8 and 5; a mean over 13 is a mean over 13."""
    assembly = fresh(given)
    batch = next(iter(assembly.source.train(13, seed=0)))
    dataset = tf.data.Dataset.from_tensor_slices(batch).batch(BATCH).map(assembly.select)
    found = assembly.model.fit(dataset, verbose=0, shuffle=False).history
    measured = assembly.model.evaluate(dataset, return_dict=True, verbose=0)
    assert set(found) == set(measured) == set(given.entry.logs), f"{given.name}: {set(found)}"
    assert all(np.isfinite([*measured.values(), *np.ravel(list(found.values()))])), given.name


def other_seeds_are_other_runs(given: Subject) -> None:
    """Weights, noise and data all come from the recipe's seed."""
    one, other = fresh(given), fresh(given, seed=6)
    firsts = [next(iter(a.source.train(BATCH, seed=a.seeds["data"]))) for a in (one, other)]
    assert not all(np.array_equal(firsts[0][key], firsts[1][key]) for key in firsts[0]), "data"
    pairs = zip(snapshot(one.model).items(), snapshot(other.model).values(), strict=True)
    for (name, a), b in pairs:
        drawn = "seed_generator" in name or ("kernel" in name and name.startswith("model/"))
        assert not drawn or not np.array_equal(a, b), f"{given.name}: {name} ignores the seed"


def resumes_exactly(given: Subject) -> None:
    """A run killed in its second chunk and resumed ends with the bytes of one that was not."""
    straight, _ = trained(given.entry.name)
    path = Path(HOME.name) / f"{given.entry.name}-killed"
    shutil.rmtree(path, ignore_errors=True)
    known = recipe(given.entry)
    with pytest.MonkeyPatch.context() as patch:
        runs.kill_after(patch, STEPS["save_every"] + 1)
        with pytest.raises(runs.Killed):
            runs.run(path, known)
    first = (path / "metrics.jsonl").read_text().splitlines()
    same = (straight / "metrics.jsonl").read_text().splitlines()[: len(first)]
    assert first == same and first, f"{given.name}: one seed, two runs: {first} and {same}"
    resumed, _ = runs.run(path, known)
    assert runs.bytes_of(resumed) == runs.bytes_of(straight), f"{given.name}: resumed differs"
    assert resumed.provenance()["resumed_from"] == [STEPS["save_every"]]


def is_saved_with_its_optimizers(given: Subject) -> None:
    """A `.keras` file brings back config, weights and every optimizer's state; not the states of
    seed generators, which Keras leaves out of its files.
    """
    wanted = f"tfkit>{given.object.__name__}"
    assert keras.saving.get_registered_name(given.object) == wanted, f"{given.name}: registration"
    model = trained(given.entry.name)[1].model
    keeps_every_option(given, maker(given))
    path = Path(HOME.name) / f"{given.entry.name}.keras"
    model.save(path)
    loaded = load_model(path)
    assert plain(loaded.get_config()) == plain(model.get_config()), f"{given.name}: loaded config"
    lost = set(optimizers(model)) ^ set(optimizers(loaded))
    assert not lost, f"{given.name}: a .keras file loses {lost}"
    pairs = zip(snapshot(model).items(), snapshot(loaded).values(), strict=True)
    for (name, value), other in pairs:
        epoch_or_noise = "running_means" in name or "seed_generator" in name
        if not epoch_or_noise:
            assert np.array_equal(value, other), f"{given.name}: a .keras file loses {name}"


MODEL = (
    documents_every_parameter,
    tested,
    has_a_recipe,
    refuses_options_out_of_bounds,
    logs_what_it_says,
    trains_every_weight,
    agrees_with_its_compiled_self,
    agrees_in_half_precision,
    takes_any_batch,
    other_seeds_are_other_runs,
    resumes_exactly,
    is_saved_with_its_optimizers,
)
