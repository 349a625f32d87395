import numpy as np
import pytest

from tests.methods.group_robustness.toys import network
from tests.train import runs
from tfkit import recipe as recipes
from tfkit.errors import UsageError
from tfkit.methods.group_robustness.stages import fresh_copy
from tfkit.models import JTT, DeTT
from tfkit.train import checkpoint

NETWORK = {"name": "perceptron", "units": [4]}
TEACHER = {"teacher": {"name": "perceptron", "units": [8]}}


def recipe(model, **train):
    return recipes.from_dict(
        {
            "name": "staged",
            "data": {
                "name": "strip_bias",
                "batch_size": 32,
                "train_size": 256,
                "test_size": 64,
                "correlation": 0.8,
            },
            "model": model,
            "train": {
                "steps": 24,
                "save_every": 8,
                "steps_per_execution": 1,
                "threads": 2,
                "optimizer": {"name": "adam", "learning_rate": 0.01},
                **train,
            },
        }
    )


def drawn(assembly, batches) -> np.ndarray:
    """How often each row of the training part comes in so many batches."""
    index = [np.asarray(batch["index"]) for batch in batches]
    return np.bincount(np.concatenate(index), minlength=len(assembly.source.labels("train")))


def test_jtt_repeats_what_its_first_training_got_wrong(tmp_path):
    model = {"name": "jtt", "network": NETWORK, "upweight": 3, "identify_epochs": 2}
    folder, assembly = runs.run(tmp_path / "jtt", recipe(model))
    saved = checkpoint.load(folder / "checkpoints" / "identify.done.npz").arrays
    names = sorted(name for name in saved if name.startswith("weights/1/"))
    weights = [saved[name] for name in names if "running_means" not in name]
    first = fresh_copy(assembly.model)
    first.set_weights(weights)
    examples = assembly.source.splits["train"]
    wrong = np.argmax(first(examples["inputs"]), axis=1) != examples["labels"]
    assert 0 < wrong.sum() < len(wrong)
    np.testing.assert_array_equal(assembly.model.errors.numpy(), wrong)
    rows = assembly.model.rows()
    size = len(rows) // 32
    batches = assembly.source.drawn("train", 32, seed=1, rows=rows).take(size)
    assert (drawn(assembly, batches) <= np.where(wrong, 3, 1)).all()


def test_a_first_training_begins_where_the_network_does():
    pretrained = network((5,), seed=3)
    copy = fresh_copy(JTT(pretrained, num_train=4))
    for one, other in zip(copy.weights, pretrained.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
        assert one is not other
    copy = fresh_copy(DeTT(pretrained, network((9,), seed=1), num_train=4))
    np.testing.assert_array_equal(copy.weights[0].numpy(), pretrained.weights[0].numpy())


@pytest.mark.parametrize("name", ["knowledge_distillation", "de_tt"])
def test_what_is_kept_is_the_students_best_and_the_teachers_last(name, tmp_path):
    watched = {
        "validate": ["average"],
        "callbacks": [{"name": "keep_best", "monitor": "valid/average", "goal": "max"}],
    }
    model = {"name": name, "student": NETWORK, **TEACHER}
    folder, _ = runs.run(tmp_path / name, recipe(model, **watched))
    assert not (folder / "checkpoints" / "teacher" / "best.npz").exists()
    assert (folder / "checkpoints" / "train" / "best.npz").exists()


def test_a_stage_of_another_model_cannot_be_validated(tmp_path):
    staged = {"stages": {"teacher": {"validate": ["average"]}}}
    model = {"name": "sim_kd", "student": NETWORK, **TEACHER}
    with pytest.raises(UsageError, match="train.stages.teacher.validate"):
        runs.run(tmp_path / "it", recipe(model, **staged))


def test_subsampling_and_sampled_group_dro_see_balanced_groups(tmp_path):
    for model in ({"name": "subsampling"}, {"name": "group_dro", "sampling": "groups"}):
        name = model["name"]
        _, assembly = runs.run(tmp_path / name, recipe({**model, "network": NETWORK}))
        rows = assembly.model.rows(assembly.source.group_ids("train"), 0)
        sizes = np.bincount(assembly.source.group_ids("train")[rows])
        assert len(set(sizes)) == 1, (name, sizes)


def test_dfr_fits_its_last_layer_to_the_part_that_it_is_told(tmp_path):
    ends = {}
    for part in ("valid", "train"):
        model = {"name": "dfr", "network": NETWORK, "part": part, "repeats": 2}
        _, assembly = runs.run(tmp_path / part, recipe(model))
        ends[part] = [v.numpy() for v in assembly.model.network.weights]
    same = [np.array_equal(a, b) for a, b in zip(*ends.values(), strict=True)]
    assert same == [True, True, False, False]


@pytest.mark.parametrize("name", ["jtt", "dfr"])
def test_a_run_killed_in_its_last_fit_ends_with_the_same_bytes(name, tmp_path, monkeypatch):
    known = recipe({"name": name, "network": NETWORK})
    straight, _ = runs.run(tmp_path / "straight", known)
    last = {"jtt": 8 + 20, "dfr": 20}[name]  # identify has 8 steps
    with monkeypatch.context() as patch:
        runs.kill_after(patch, last)
        with pytest.raises(runs.Killed):
            runs.run(tmp_path / "killed", known)
    resumed, _ = runs.run(tmp_path / "killed", known)
    assert runs.bytes_of(resumed) == runs.bytes_of(straight)
