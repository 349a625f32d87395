"""`tfkit explain`: classifiers of several runs side by side."""

import json
import shutil

import numpy as np
import pytest

import tfkit
from tfkit import experiment
from tfkit.cli import main
from tfkit.errors import UsageError
from tfkit.explain import gradient_times_input, region_share

DATA = {"name": "patch_xor", "train_size": 80, "validation_size": 24, "test_size": 40}
NETWORK = {"name": "convolutions", "filters": [4], "units": [8]}
TRAIN = {"steps": 2, "save_every": 2, "threads": 2}


def recipe(name, model):
    judged = {"seeds": [3], "metrics": ["average"]}
    return {"name": name, "data": DATA, "model": model, "train": TRAIN, "evaluate": judged}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Folders of a plain classifier, a sieve and one without maps, trained for two steps."""
    half = {"network": NETWORK, "layer": "relu_1"}
    sieve = {
        "name": "feature_sieve",
        "lower": {"name": "lower_part", **half},
        "upper": {"name": "upper_part", **half},
        "readout": "dense_readout",
    }
    flat = {"name": "erm", "network": {"name": "perceptron", "units": [8]}}
    models = {"plain": {"name": "erm", "network": NETWORK}, "sieve": sieve, "flat": flat}
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("explained")
        patch.chdir(folder)
        return {
            name: str(folder / tfkit.run(recipe(name, model))["run"])
            for name, model in models.items()
        }


def test_columns_are_runs_and_rows_are_pictures_of_all_groups(runs):
    found = experiment.explain([runs["plain"], runs["sieve"]], count=4, examples=20)
    assert [run["name"] for run in found["runs"]] == ["plain", "sieve"]
    assert list(found["figures"]) == [
        "grad_cam", "integrated_gradients", "gradient_times_input"
    ]  # fmt: skip
    for name, figure in found["figures"].items():
        assert figure.arrays["images"].shape[:2] == (4, 3)
        assert len(set(figure.labels["rows"])) == 4
        for run, column in zip(found["runs"], figure.labels["columns"][1:], strict=True):
            assert column == f"{run['name']}: {run['shares'][name]:.2f} on the region"
    assert found["examples"] == 20 and found["notes"] == []


def test_the_share_is_that_of_the_trained_model(runs):
    from tfkit.train.folder import RunFolder
    from tfkit.train.replicates import restore, stored_recipe

    folder = RunFolder.open(runs["plain"])
    assembly = restore(folder, stored_recipe(folder).resolved, 3)
    batch = next(iter(assembly.source.held_out("test", 40)))
    inputs = np.asarray(batch["inputs"])
    region = np.zeros(inputs.shape[1:3], bool)
    region[:, 8:] = True
    expected = region_share(gradient_times_input(assembly.model, inputs), region).mean()
    (run,) = experiment.explain([folder.path], examples=40, region=(0, 8, 8, 24))["runs"]
    assert run["shares"]["gradient_times_input"] == pytest.approx(expected, rel=1e-5)
    assert run["seed"] == 3


def test_without_feature_maps_there_is_no_grad_cam(runs):
    found = experiment.explain([runs["plain"], runs["flat"]], examples=8)
    assert "grad_cam" not in found["figures"]
    assert found["notes"] == ["no grad_cam: flat has no feature maps"]
    with pytest.raises(UsageError, match="no grad_cam: flat has no feature maps; take another"):
        experiment.explain([runs["flat"]], methods=["grad_cam"], examples=8)


def test_a_run_stands_there_once(runs):
    with pytest.raises(UsageError, match="named twice"):
        experiment.explain([runs["plain"], runs["plain"]])


def test_the_page_and_the_text(runs, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    asked = ["explain", runs["plain"], runs["sieve"], "--method", "grad_cam", "--examples", "8"]
    assert main(asked) == 0
    told, page = capsys.readouterr().out, (tmp_path / "attributions.html").read_text()
    assert "grad cam" in told and "sieve" in told
    assert page.count("<img ") == 6 and "plain: 0." in page and "integrated" not in page
    assert main([*asked, "--json", "--html", "other.html"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["figures"] == ["grad_cam"] and 0 <= found["runs"][1]["shares"]["grad_cam"] <= 1
    assert (tmp_path / "other.html").exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"methods": ["grad_cat"]}, "methods are grad_cam, .* got grad_cat"),
        ({"count": 9, "examples": 8}, "1 <= count <= examples"),
        ({"split": "tests"}, "split is one of train, valid, test, got tests"),
        ({"region": (0, 0, 9, 4)}, "0 <= top < bottom <= 8"),
    ],
)
def test_what_cannot_be_is_told(runs, options, told):
    with pytest.raises(UsageError, match=told):
        experiment.explain([runs["plain"]], **options)


def test_runs_of_other_pictures_do_not_stand_side_by_side(runs, tmp_path):
    other = shutil.copytree(runs["plain"], tmp_path / "other")
    text = (other / "resolved.yaml").read_text()
    assert "test_size: 40" in text
    (other / "resolved.yaml").write_text(text.replace("test_size: 40", "test_size: 44"))
    with pytest.raises(UsageError, match="other has other test pictures than"):
        experiment.explain([runs["plain"], other])


def test_a_region_is_four_numbers(runs, capsys):
    assert main(["explain", runs["plain"], "--region", "1,2,x,4"]) == 2
    assert "--region takes 4 whole numbers" in capsys.readouterr().err
