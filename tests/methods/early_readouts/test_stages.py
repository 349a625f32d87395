"""In a recipe: teacher, student with rounds, table of weights; resumed exactly where it stopped."""

import csv
import json

import numpy as np
import pytest

from tests.train import runs

RECIPE = {
    "name": "early-readouts",
    "seed": 3,
    "data": {
        "name": "strip_bias",
        "train_size": 70,
        "validation_size": 20,
        "test_size": 40,
        "batch_size": 16,
    },
    "model": {
        "name": "debiased_distillation",
        "student": {"name": "perceptron", "units": [4, 4]},
        "teacher": {"name": "perceptron", "units": [8]},
        "memory": "sticky",
        "alpha": 0.1,
    },
    "train": {
        "steps": 12,
        "save_every": 3,
        "threads": 2,
        "optimizer": {"name": "adam", "learning_rate": 0.01},
        "stages": {"teacher": {"steps": 5}},
    },
}


def recipe(data=(), model=(), **train):
    changed = {
        **RECIPE,
        "data": {**RECIPE["data"], **dict(data)},
        "model": {**RECIPE["model"], **dict(model)},
        "train": {**RECIPE["train"], **train},
    }
    return runs.recipes.load(changed)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An uninterrupted run: rounds before steps 4 and 8, of an epoch of four steps each."""
    return runs.run(tmp_path_factory.mktemp("whole") / "run", recipe())


def lines(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_stages_and_rounds(whole):
    folder, assembly = whole
    stages = [(line["stage"], line["step"]) for line in lines(folder)]
    assert stages == [("teacher", 3), ("teacher", 5)] + [("student", s) for s in (3, 6, 9, 12)]
    model = assembly.model
    assert int(model.ledger.rounds) == 2 and int(model.updates) == 12 and model.num_train == 70
    sizes = [line.get("effective_sample_size") for line in lines(folder)[2:]]
    assert sizes[0] == 70 and max(sizes[1:]) < 70


def test_table_of_weights(whole):
    folder, assembly = whole
    with open(folder / "stages" / "audit" / "weights.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["index", "weight", "margin", "flagged", "label", "group"]
    weights = [float(row["weight"]) for row in rows]
    assert weights == sorted(weights, reverse=True) and len(rows) == 70
    order = [int(row["index"]) for row in rows]
    np.testing.assert_allclose(weights, np.asarray(assembly.model.sample_weights)[order], rtol=1e-6)
    labels = assembly.source.splits["train"]["labels"]
    assert [int(row["label"]) for row in rows] == labels[order].tolist()


@pytest.mark.parametrize(
    "kills", [[10], *(pytest.param(k, marks=pytest.mark.slow) for k in ([2], [9], [4, 5, 4, 3]))]
)
def test_resumed_runs_equal_uninterrupted_ones(kills, whole, tmp_path, monkeypatch):
    for updates in kills:
        with monkeypatch.context() as patch:
            runs.kill_after(patch, updates)
            with pytest.raises(runs.Killed):
                runs.run(tmp_path / "run", recipe())
    folder, assembly = runs.run(tmp_path / "run", recipe())
    assert runs.bytes_of(folder) == runs.bytes_of(whole[0])
    assert int(assembly.model.ledger.rounds) == 2
    table = "stages/audit/weights.csv"
    assert (folder / table).read_bytes() == (whole[0] / table).read_bytes()


def test_a_teacher_from_a_file_is_not_trained(whole, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    whole[1].model.teacher.save("teacher.keras")
    known = recipe(model={"teacher": "teacher.keras"}, stages=None)
    folder, assembly = runs.run(tmp_path / "run", known)
    assert {line["stage"] for line in lines(folder)} == {"student"}
    for one, other in zip(
        assembly.model.teacher.variables, whole[1].model.teacher.variables, strict=True
    ):
        np.testing.assert_array_equal(one, other)
