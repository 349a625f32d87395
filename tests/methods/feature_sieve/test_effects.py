"""What the sieve is for: shortcuts that hold always in training and tell nothing in the test."""

import json
from pathlib import Path

import pytest

from tests.methods.feature_sieve import shortcuts as tasks
from tfkit import experiment
from tfkit.data.shortcuts import patch_xor, strip_xor

STRIP = {"networks": tasks.perceptron, "steps": 600, "forget_rate": 0.03}
PATCH = {"networks": tasks.convolutions, "steps": 800, "forget_rate": 0.1}
UNLUCKY = (1, 12, 19)  # the seeds below 21 on which a bare linear readout failed at F = 5


@pytest.fixture(scope="module")
def strip():
    return strip_xor(seed=0)


def test_erases_the_shortcut_where_plain_training_trusts_it(strip):
    plain = tasks.trained(strip, seed=0, forget_every=0, **STRIP)
    sieve = tasks.trained(strip, seed=0, forget_every=1, **STRIP)
    assert tasks.worst_group(plain, strip) <= 0.05
    assert tasks.worst_group(sieve, strip) >= 0.95
    assert tasks.spurious_share(sieve, strip) < 0.6 * tasks.spurious_share(plain, strip)


@pytest.mark.parametrize("wrong", [tasks.WithoutStopGradient, tasks.ForgetsInTheReadout])
def test_the_check_has_teeth(strip, wrong):
    model = tasks.trained(strip, seed=0, forget_every=1, kind=wrong, **STRIP)
    assert tasks.worst_group(model, strip) <= 0.05


@pytest.mark.slow
def test_where_the_simple_feature_is_the_core_a_search_chooses_never(tmp_path, monkeypatch):
    """The label is the first digit, of which the others tell nothing; a readout with a hidden layer
    finds it wherever it is. With a linear one all are right in validation.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(Path(__file__).parent)  # of first_digit
    recipe = {
        "extends": str(Path(__file__).parents[3] / "recipes" / "feature_sieve" / "quick.yaml"),
        "data": {"name": "first_digit:load", "batch_size": 64},
        "model": {"readout": {"name": "dense_readout", "depth": 1}},
        "evaluate": {"seeds": [1]},
        "export": None,
    }
    found = experiment.search(recipe)
    trials = json.loads((Path(found["run"]) / "search" / "search.json").read_text())["trials"]
    valid = {trial["values"]["model.forget_every"]: trial["objective"] for trial in trials}
    print({key: round(value, 3) for key, value in valid.items()})
    assert set(valid) == {0, 1, 5} and found["search"]["model.forget_every"] == 0
    assert valid[0] > 0.99 and max(valid[1], valid[5]) < 0.98


@pytest.mark.slow
@pytest.mark.parametrize(("task", "setting"), [(strip_xor, STRIP), (patch_xor, PATCH)])
def test_on_four_of_five_seeds(task, setting):
    """All are printed; the outcome of a seed is all or nothing."""
    found = []
    for seed in range(1, 6):
        data = task(seed=seed)
        row = []
        for forget_every in (0, 1):
            model = tasks.trained(data, seed=seed, forget_every=forget_every, **setting)
            row += [tasks.worst_group(model, data), tasks.spurious_share(model, data)]
        found.append(row)
        told = "plain worst group {:.3f} (share {:.2f}), sieve {:.3f} ({:.3f})".format(*row)
        print(f"{task.__name__}, seed {seed}: {told}")
    assert max(row[0] for row in found) <= 0.05
    assert sum(row[2] >= 0.95 for row in found) >= 4
    assert sum(row[3] < 0.6 * row[1] for row in found) >= 4


@pytest.mark.slow
def test_beside_batch_normalisation_the_shortcut_is_erased_with_the_batch_s_statistics():
    """With inference statistics in identify and forget it is not."""
    data = patch_xor(seed=2)
    setting = {**PATCH, "networks": lambda: tasks.convolutions(norm=True)}
    found = {
        kind: tasks.worst_group(
            tasks.trained(data, seed=2, forget_every=1, kind=kind, **setting), data
        )
        for kind in (tasks.FeatureSieve, tasks.AtInference)
    }
    print({kind.__name__: round(value, 3) for kind, value in found.items()})
    assert found[tasks.FeatureSieve] >= 0.95 and found[tasks.AtInference] <= 0.5


@pytest.mark.slow
def test_a_readout_that_centres_leaves_less_to_luck():
    """On seeds that the bare one loses, not all of them wherever it is computed."""
    setting = {**STRIP, "steps": 1000, "forget_rate": 0.1}
    worst = {}
    for readout in (tasks.DenseReadout, tasks.bare_readout):
        for seed in UNLUCKY:
            data = strip_xor(seed=seed)
            model = tasks.trained(data, seed=seed, forget_every=5, readout=readout, **setting)
            worst[readout, seed] = tasks.worst_group(model, data)
            print(f"{readout.__name__}, seed {seed}: worst group {worst[readout, seed]:.3f}")
    assert min(worst[tasks.DenseReadout, seed] for seed in UNLUCKY) >= 0.95
    assert min(worst[tasks.bare_readout, seed] for seed in UNLUCKY) < 0.95
