"""The whole road: search, train, evaluate, report, export, and what happens when it is cut."""

import json

import numpy as np
import pytest

import tfkit
from tests.train import runs
from tfkit import experiment
from tfkit.errors import Diverged, Interrupted, TfkitError, UsageError
from tfkit.train.folder import RunFolder

TOY = {
    **runs.RECIPE,
    "train": {**runs.RECIPE["train"], "steps": 6, "save_every": 3},
    "search": {
        "trials": 3,
        "objective": "valid/loss",
        "goal": "min",
        "space": {"model.width": {"int": [4, 12]}},
    },
    "evaluate": {"seeds": [1, 2]},
}
SPRITES = {
    "name": "sprites",
    "data": {"name": "dsprites", "image_size": 16, "validation_size": 64, "test_size": 64},
    "model": {
        "name": "beta_tcvae",
        "encoder": {"name": "study_encoder", "latent_dim": 3},
        "decoder": "study_decoder",
    },
    "train": {"steps": 4, "save_every": 4, "threads": 2},
    "evaluate": {"samples": 64, "votes": 8, "seeds": [7]},
}


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """One uninterrupted run of TOY, shared."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("toy"))
        result = tfkit.run(TOY)
        return {**result, "run": str(RunFolder(result["run"]).path.resolve())}


def whole_road(result):
    """All bytes that must not depend on interruptions."""
    folder = RunFolder(result["run"])
    names = ("metrics.jsonl", "final.weights.h5", "evaluation.json")
    return {
        str(path.relative_to(folder.path)): path.read_bytes()
        for name in names
        for path in sorted(folder.path.rglob(name))
    }


def test_search_replicates_and_report(toy):
    folder = RunFolder(toy["run"])
    search = json.loads((folder / "search" / "search.json").read_text())
    assert [trial["id"] for trial in search["trials"]] == ["0000", "0001", "0002"]
    best = min(search["trials"], key=lambda trial: trial["objective"])
    assert search["best"] == best["id"] == toy["search"]["best"]
    trained = tfkit.recipe.load(folder / "replicates" / "1" / "resolved.yaml").resolved
    assert trained["model"]["width"] == best["values"]["model.width"]
    evaluation = json.loads(folder.evaluation.read_text())
    assert evaluation["metrics"]["loss"]["low"] < evaluation["metrics"]["loss"]["high"]
    assert set(evaluation["valid"]) == {"valid/loss"}
    assert toy["status"] == "finished" and (folder / "report.html").stat().st_size > 10_000
    assert not list(folder.path.glob("search/trial_*/report.html"))


def test_a_trial_is_an_ordinary_run(toy):
    trial = RunFolder(toy["run"]) / "search" / "trial_0001"
    again = tfkit.run(trial / "resolved.yaml")
    assert (RunFolder(again["run"]) / "metrics.jsonl").read_bytes() == (
        trial / "metrics.jsonl"
    ).read_bytes()


@pytest.mark.parametrize("updates", [8, pytest.param(27, marks=pytest.mark.slow)])
def test_interrupted_anywhere_ends_with_the_same_bytes(updates, toy, monkeypatch):
    whole = whole_road(toy)
    with monkeypatch.context() as patch:
        runs.kill_after(patch, updates)
        patch.setattr(runs, "Killed", KeyboardInterrupt)
        with pytest.raises(Interrupted, match="tfkit run --resume") as error:
            tfkit.run(TOY)
    folder = str(error.value).split()[-1]
    assert RunFolder(folder).provenance()["status"] == "interrupted"
    resumed = tfkit.run(resume=folder)
    assert whole_road(resumed) == whole
    assert len(RunFolder(folder).provenance()["resumed_from"]) == 1


@pytest.mark.parametrize(
    "write", [38, *(pytest.param(n, marks=pytest.mark.slow) for n in (3, 17, 24, 31, 44, 50, 53))]
)
def test_killed_between_any_two_writes_ends_with_the_same_bytes(write, toy, monkeypatch):
    import os

    replace, left = os.replace, [write]

    def dying(source, target):
        if left[0] == 0:
            raise runs.Killed
        left[0] -= 1
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr("tfkit.train.folder.os.replace", dying)
        with pytest.raises(runs.Killed):
            tfkit.run(TOY)
    (folder,) = RunFolder("runs/toy").path.iterdir()
    if not (folder / "resolved.yaml").exists():
        return  # killed before there was anything to resume
    resumed = tfkit.run(resume=folder)
    assert whole_road(resumed) == whole_road(toy)
    search = json.loads((folder / "search" / "search.json").read_text())
    assert len(search["trials"]) == 3 and search["best"] == toy["search"]["best"]
    assert (folder / "report.html").exists()


def test_a_kill_after_the_last_tell_loses_no_trial(toy, monkeypatch):
    from tfkit.search.ledger import Ledger

    write = Ledger.write

    def dying(self, engine):
        if len(engine.told) == 3:
            raise runs.Killed
        write(self, engine)

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "write", dying)
        with pytest.raises(runs.Killed):
            tfkit.run(TOY)
    (folder,) = RunFolder("runs/toy").path.iterdir()
    assert whole_road(tfkit.run(resume=folder)) == whole_road(toy)


def test_an_export_that_a_kill_kept_from_being_recorded_is_not_made_twice(monkeypatch):
    record = RunFolder.record

    def dying(self, **entries):
        if "export" in entries:
            raise runs.Killed
        record(self, **entries)

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "record", dying)
        with pytest.raises(runs.Killed):
            tfkit.run(SPRITES, export=True)
    (folder,) = RunFolder("runs/sprites").path.iterdir()
    assert tfkit.run(resume=folder)["export"] == "savedmodels/sprites/1"
    assert sorted(p.name for p in RunFolder("savedmodels/sprites").path.glob("[0-9]")) == ["1"]


def test_a_divergence_beside_a_held_out_metric_is_a_divergence():
    keys = {"optimizer": {"name": "sgd", "learning_rate": 1e20}, "validate": ["mig"]}
    recipe = {**SPRITES, "train": {**SPRITES["train"], **keys}}
    with pytest.raises(Diverged):
        tfkit.run(recipe)


def test_what_cannot_be_done_is_refused_before_a_folder_is_made(tmp_path):
    with pytest.raises(UsageError, match="dry run"):
        tfkit.run(resume=tmp_path, dry_run=True)
    with pytest.raises(UsageError, match=r"train\.epochs: .* no epochs"):
        tfkit.run(SPRITES, sets=["train.steps=null", "train.epochs=2"])
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        (["data.batch_size=65"], "data.batch_size: 65 is more than"),
        (["train.stages={other: {steps: 2}}"], "no stage other; this method trains in one go"),
        (["train.callbacks=[{name: 'keras.callbacks:TerminateOnNaN'}]"], "no .*Watcher"),
        (
            [
                "train.callbacks=[reduce_on_plateau]",
                "train.optimizer.learning_rate={name: cosine}",
            ],
            "cannot lower a learning rate that follows a schedule",
        ),
    ],
)
def test_what_only_the_engine_can_see_is_refused_in_one_sentence(sets, message):
    with pytest.raises(UsageError, match=message):
        tfkit.run({**TOY, "search": None}, sets=sets)


def test_resume_of_a_finished_run_says_so_and_of_another_recipe_is_refused(toy, capsys):
    assert tfkit.run(resume=toy["run"], quiet=False)["metrics"] == toy["metrics"]
    assert "finished already" in capsys.readouterr().err
    assert tfkit.run(TOY, resume=toy["run"])["status"] == "finished"
    with pytest.raises(UsageError, match="loss"):
        changed = {**TOY, "search": {**TOY["search"], "objective": "loss"}}
        tfkit.run(changed, resume=toy["run"])
    with pytest.raises(UsageError, match="train.steps"):
        tfkit.run(TOY, sets=["train.steps=7"], resume=toy["run"])


def test_export_without_a_section_and_signatures_that_answer_alike():
    import tensorflow as tf

    result = tfkit.run(SPRITES, export=True)
    loaded = tf.saved_model.load(result["export"])
    images = np.random.default_rng(0).random((5, 16, 16, 1), np.float32)
    np.savez("questions.npz", images=images)
    from tfkit.export.predict import predict

    predict(result["export"], "questions.npz", "answers.npz", "gaussian_encoder")
    with np.load("answers.npz") as answers:
        expected = loaded.signatures["gaussian_encoder"](images=tf.constant(images))
        np.testing.assert_allclose(answers["mean"], expected["mean"], atol=1e-6)
        np.testing.assert_allclose(loaded(tf.constant(images)), answers["mean"], atol=1e-6)
    assert "export" in RunFolder(result["run"]).provenance()
    again = tfkit.run(resume=result["run"])
    assert again["export"] == result["export"] and again["status"] == "finished"


def test_an_export_merges_requests_as_its_recipe_says():
    batching = {"max": 8, "wait_ms": 1.5, "threads": 2}
    recipe = {**SPRITES, "export": {"signatures": ["predict"], "hub": False, "batching": batching}}
    run = tfkit.run(recipe)["run"]
    exported = RunFolder(run).provenance()["export"]
    told = exported["batching"]
    assert (told["max_batch_size"], told["batch_timeout_micros"]) == (8, 1500)
    assert (told["num_batch_threads"], told["max_enqueued_batches"]) == (2, 1000)
    assert exported["verification"]["calls_at_once"] == 8
    with pytest.raises(UsageError, match="only --set export.… can be changed now, got model.beta"):
        experiment.export(run, sets=["model.beta=8"])
    again = experiment.export(run, "other", sets=["export.batching=null"])
    assert again["batching"] is None and "calls_at_once" not in again["verification"]
    assert (again["name"], list(again["signatures"])) == ("other", ["predict", "serving_default"])


def test_requests_that_cannot_be_merged_are_refused_before_training(monkeypatch, tmp_path):
    import tensorflow as tf

    from tfkit.methods.disentanglement import serve
    from tfkit.signature import Signature

    open_size = {"images": tf.TensorSpec([None, None, 16, 1])}
    signature = Signature(lambda images: {"images": images}, open_size)
    monkeypatch.setattr(serve, "signatures", lambda model: {"predict": signature})
    recipe = {**SPRITES, "export": {"batching": {}}}
    for dry_run in (True, False):
        with pytest.raises(
            UsageError, match="export.batching: .*'predict' cannot be merged: .*open"
        ):
            tfkit.run(recipe, dry_run=dry_run)
    assert not list(tmp_path.iterdir())


def test_a_method_without_signatures_cannot_be_exported_and_keeps_its_run():
    with pytest.raises(UsageError, match=r"no serve\.py"):
        tfkit.run({**TOY, "search": None}, export=True)
    (folder,) = RunFolder("runs/toy").path.iterdir()
    assert RunFolder(folder).provenance()["status"] == "failed"
    assert RunFolder(folder).evaluation.exists() and (folder / "error.txt").exists()


def test_diverged_is_recorded_and_reported():
    recipe = {**TOY, "search": None, "evaluate": {"seeds": [1]}}
    recipe["data"] = {**recipe["data"], "poison": 3}
    with pytest.raises(Diverged) as error:
        tfkit.run(recipe, sets=["train.steps=8"])
    (path,) = RunFolder("runs/toy").path.iterdir()
    provenance = RunFolder(path).provenance()
    assert provenance["status"] == "diverged"
    assert provenance["diverged"] == {"step": error.value.step, "tensor": "batch/x"}
    assert "diverged" in (path / "report.html").read_text()


def test_a_search_whose_every_trial_fails_shows_the_traceback():
    recipe = {**TOY, "search": {**TOY["search"], "objective": "valid/critic", "trials": 5}}
    recipe["train"] = {**recipe["train"], "callbacks": [{"name": "tests.test_experiment:broken"}]}
    with pytest.raises(UsageError, match="(?s)3 trials in a row.*Traceback.*broken on purpose"):
        tfkit.run(recipe)
    (error,) = list(RunFolder("runs/toy").path.glob("*/search/trial_0002/error.txt"))
    assert "Traceback" in error.read_text()


def broken():
    """A callback that cannot be built."""
    raise RuntimeError("broken on purpose")


def test_diverged_trials_lose_and_do_not_end_the_search():
    recipe = {**TOY, "search": {**TOY["search"], "trials": 4}, "evaluate": {"seeds": [1]}}
    recipe["search"]["space"] = {"train.optimizer.learning_rate": {"choice": [0.01, 1e30]}}
    result = tfkit.run(recipe, sets=["train.optimizer.name=sgd"])
    search = json.loads((RunFolder(result["run"]) / "search" / "search.json").read_text())
    statuses = {trial["id"]: trial["status"] for trial in search["trials"]}
    assert sorted(statuses.values()) == ["completed", "diverged"]
    assert statuses[search["best"]] == "completed"


def test_an_unwritable_place_is_one_sentence(tmp_path):
    (tmp_path / "runs").write_text("a file where the folder should be")
    with pytest.raises(TfkitError, match="runs.*could not be written") as error:
        tfkit.run(TOY)
    assert "\n" not in str(error.value)


def test_a_full_disk_is_one_sentence_and_can_be_resumed(toy, monkeypatch):
    whole = whole_road(toy)

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device", "checkpoint")

    with monkeypatch.context() as patch:
        patch.setattr("tfkit.train.checkpoint.write_atomically", full)
        with pytest.raises(TfkitError, match="no space left"):
            tfkit.run(TOY)
    folder = max(RunFolder("runs/toy").path.iterdir())
    assert whole_road(tfkit.run(resume=folder)) == whole


def test_dry_run_makes_no_folder(tmp_path):
    result = tfkit.run(TOY, dry_run=True)
    assert result["parameters"] == 98 and np.isfinite(result["first_step"]["loss"])
    assert not (tmp_path / "runs").exists()


def test_a_dry_run_does_what_a_stage_does_before_its_first_step():
    from acting_room.stages import SEEN

    SEEN.clear()
    acting = {**TOY, "model": {"name": "acting_room.model:Acting"}, "search": None}
    assert np.isfinite(tfkit.run(acting, dry_run=True)["first_step"]["loss"])
    assert SEEN == [0]
