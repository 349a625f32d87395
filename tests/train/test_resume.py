"""A run that was interrupted anywhere ends with the bytes of one that was not."""

import json

import numpy as np
import pytest

from tests.train import runs
from tfkit.errors import TfkitError
from tfkit.train import checkpoint
from tfkit.train.build import assemble
from tfkit.train.callbacks import EarlyStopping, ReduceOnPlateau
from tfkit.train.fit import steps_at_once
from tfkit.train.recorder import keep_lines

STOPPING = {
    "name": "early_stopping",
    "monitor": "valid/loss",
    "goal": "max",  # of a loss that falls: the first chunk stays the best, the third is the last
    "patience": 2,
    "restore_best": True,
}
SCHEDULED = {
    "optimizer": {"name": "adam", "learning_rate": {"name": "cosine", "warmup_steps": 4}},
    "validate": ["loss"],
}
VARIANTS = {"plain": {}, "early_stopping": {"callbacks": [STOPPING], "validate": ["loss"]}}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Uninterrupted runs of each variant."""
    folders = {}
    for name, keys in VARIANTS.items():
        folder, _ = runs.run(tmp_path_factory.mktemp(name) / "run", runs.recipe(**keys))
        folders[name] = folder
    return folders


def lines_of(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def weights_of(arrays):
    """The part of a checkpoint that a file of weights holds; Keras leaves seeds out."""
    names = [n for n in arrays if n.startswith("model/") and "seed_generator" not in n]
    return [arrays[name] for name in names]


def last_step(folder):
    return lines_of(folder)[-1]["step"]


@pytest.mark.parametrize(
    "kills", [pytest.param([2], marks=pytest.mark.slow), [7], [5, 3, 9], "last"], ids=str
)
@pytest.mark.parametrize("variant", VARIANTS)
def test_equals_the_uninterrupted_run(variant, kills, whole, tmp_path, monkeypatch):
    known = runs.recipe(**VARIANTS[variant])
    kills = [last_step(whole[variant]) - 1] if kills == "last" else kills
    for updates in kills:
        with monkeypatch.context() as patch:
            runs.kill_after(patch, updates)
            with pytest.raises(runs.Killed):
                runs.run(tmp_path / "run", known)
    folder, _ = runs.run(tmp_path / "run", known)
    assert runs.bytes_of(folder) == runs.bytes_of(whole[variant])
    assert len(folder.provenance()["resumed_from"]) == len(kills)


def test_early_stopping_stopped_early_and_kept_the_best(whole):
    folder = whole["early_stopping"]
    losses = [line["valid/loss"] for line in lines_of(folder)]
    assert last_step(folder) == 15 and last_step(whole["plain"]) == 23
    best = checkpoint.load(folder / "checkpoints" / "best.npz")
    assert max(losses) == losses[0] and best.step == 5
    model = assemble(runs.recipe(**VARIANTS["early_stopping"]).resolved, 1).model
    model.load_weights(folder.weights)
    last = checkpoint.load(folder / "checkpoints" / "step-0000000015.npz")
    final, kept, left = map(weights_of, (checkpoint.snapshot(model), best.arrays, last.arrays))
    assert len(final) == len(kept) == 8 and all(map(np.array_equal, final, kept))
    assert not any(map(np.array_equal, final, left))


@pytest.mark.parametrize("callback", [EarlyStopping, ReduceOnPlateau])
def test_patience_is_one_chunk_at_least(callback):
    with pytest.raises(ValueError, match=f"{callback.__name__}: patience must be >= 1, got 0"):
        callback(patience=0)
    with pytest.raises(ValueError, match="min_delta must be >= 0, got -1.0"):
        callback(min_delta=-1.0)


def test_two_processes_worth_of_equal_recipes_are_equal_and_other_seeds_are_not(whole, tmp_path):
    again, _ = runs.run(tmp_path / "again", runs.recipe())
    assert runs.bytes_of(again) == runs.bytes_of(whole["plain"])
    other = runs.recipes.load({**runs.RECIPE, "seed": 6})
    folder, _ = runs.run(tmp_path / "other", other)
    assert runs.bytes_of(folder)[0] != runs.bytes_of(whole["plain"])[0]


@pytest.mark.parametrize("at_once", [4, 5, "auto"])
def test_steps_per_execution_never_changes_the_metrics(at_once, tmp_path, monkeypatch):
    monkeypatch.setattr("tfkit.train.fit.steps_at_once", lambda *timing: 5)
    keys = {"steps": 20, "save_every": 10}
    one, _ = runs.run(tmp_path / "one", runs.recipe(**keys, steps_per_execution=1))
    many, assembly = runs.run(tmp_path / "many", runs.recipe(**keys, steps_per_execution=at_once))
    assert runs.bytes_of(one) == runs.bytes_of(many)
    assert assembly.model.steps_per_execution > 1


def test_steps_at_once_must_pay_for_another_trace():
    assert steps_at_once(100, seconds=0.002, tracing=1.0, left=100_000) == 50
    assert steps_at_once(100, seconds=0.002, tracing=1.0, left=1_000) == 1
    assert steps_at_once(100, seconds=0.05, tracing=1.0, left=100_000) == 1
    assert steps_at_once(7, seconds=0.0001, tracing=0.1, left=100_000) == 7


def test_every_optimizer_and_seed_generator_is_in_the_checkpoint(whole):
    path = next((whole["plain"] / "checkpoints").glob("step-*.npz"))
    names = list(checkpoint.load(path).arrays)
    assert any("seed_generator" in name for name in names)
    assert any(name.startswith("critic_optimizer/") for name in names)
    assert any(name.startswith("optimizer/") and "momentum" in name for name in names)


def test_a_schedule_survives_eight_steps_and_an_interruption(tmp_path, monkeypatch):
    known = runs.recipe(**SCHEDULED, steps=8, save_every=3)
    straight, _ = runs.run(tmp_path / "straight", known)
    with monkeypatch.context() as patch:
        runs.kill_after(patch, 4)
        with pytest.raises(runs.Killed):
            runs.run(tmp_path / "resumed", known)
    resumed, _ = runs.run(tmp_path / "resumed", known)
    assert runs.bytes_of(straight) == runs.bytes_of(resumed)


def test_a_plateau_lowers_the_rate_and_is_resumed(tmp_path, monkeypatch):
    known = runs.recipe(
        callbacks=[{"name": "reduce_on_plateau", "patience": 1, "min_delta": 1e6, "factor": 0.5}]
    )
    straight, assembly = runs.run(tmp_path / "straight", known)
    rate = float(np.asarray(assembly.model.optimizer.learning_rate))
    assert rate == pytest.approx(0.01 * 0.5**4)
    with monkeypatch.context() as patch:
        runs.kill_after(patch, 12)
        with pytest.raises(runs.Killed):
            runs.run(tmp_path / "resumed", known)
    resumed, _ = runs.run(tmp_path / "resumed", known)
    assert runs.bytes_of(straight) == runs.bytes_of(resumed)


def test_save_every_may_exceed_steps(tmp_path):
    folder, _ = runs.run(tmp_path / "run", runs.recipe(steps=3, save_every=100))
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [3]


def test_a_metrics_file_cut_short_by_a_kill_is_mended(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 5, "loss": 1.0}\n{"step": 10, "loss": 2.0}\n{"step": 15, "lo')
    keep_lines(path, 5)
    assert path.read_text() == '{"step": 5, "loss": 1.0}\n'


def test_a_checkpoint_of_another_model_is_refused(whole, tmp_path):
    folder, assembly = runs.run(tmp_path / "run", runs.recipe(steps=5))
    path = next((whole["plain"] / "checkpoints").glob("step-*.npz"))
    arrays = checkpoint.load(path).arrays
    arrays.pop(next(iter(arrays)))
    with pytest.raises(TfkitError, match="does not fit the model"):
        checkpoint.put_back(assembly.model, arrays, "x")
