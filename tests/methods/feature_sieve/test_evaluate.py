import numpy as np
import pytest

from tests.methods.feature_sieve import shortcuts as tasks
from tfkit.data import patch_xor, strip_xor
from tfkit.layers import DenseReadout
from tfkit.methods.feature_sieve.evaluate import evaluate, figures
from tfkit.models import FeatureSieve


@pytest.fixture(scope="module")
def world():
    """An untrained sieve whose answer is always class 0, and a little of strip_xor."""
    source = strip_xor.load(train_size=300, validation_size=40, test_size=80)
    lower, upper = tasks.perceptron()
    model = FeatureSieve(lower, upper, DenseReadout(2, normalization="none"))
    model.upper.layers[-1].kernel.assign(np.zeros((64, 2)))
    model.upper.layers[-1].bias.assign([1.0, 0.0])
    return model, source


def test_a_constant_answer_is_right_in_the_groups_of_its_class_only(world):
    model, source = world
    found = evaluate(model, source, "test", None, 0)
    assert list(found) == [
        *("average", "adjusted", "worst_group", "train_weighted", "leak", "probe_accuracy")
    ]
    labels = source.splits["test"]["labels"]
    assert found["average"] == pytest.approx((labels == 0).mean())
    assert found["adjusted"] == 0.5 and found["worst_group"] == 0.0
    shares = source.group_counts / source.group_counts.sum()
    assert found["train_weighted"] == pytest.approx(shares[:2].sum())
    assert figures(model, source, 0)["groups"].arrays["values"].tolist() == [1, 1, 0, 0]


def test_a_readout_that_says_nothing_leaks_nothing_while_a_probe_still_reads(world):
    """Features of an untrained layer show the shortcut, of which the labels never differ."""
    model, source = world
    for variable in model.readout.trainable_variables:
        variable.assign(0 * variable)
    names = ["leak", "probe_accuracy"]
    found = evaluate(model, source, "test", names, 0, probe_examples=300)
    assert found["leak"] == pytest.approx(0, abs=1e-6) and found["probe_accuracy"] > 0.95
    assert found != evaluate(model, source, "test", names, 1, probe_examples=300)
    assert found == evaluate(model, source, "test", names, 0, probe_examples=300)


def test_the_share_of_an_answer_that_sees_the_shortcut_alone_is_1():
    source = strip_xor.load(train_size=300, validation_size=40, test_size=80)
    for columns, wanted in ((slice(0, 8), 1.0), (slice(8, 24), 0.0)):
        lower, upper = tasks.perceptron()
        kernel = np.zeros((8, 24, 64), "float32")
        kernel[:, columns] = lower.layers[-1].kernel.numpy().reshape(8, 24, 64)[:, columns]
        lower.layers[-1].kernel.assign(kernel.reshape(192, 64))
        model = FeatureSieve(lower, upper, DenseReadout(2))
        found = evaluate(model, source, "test", ["spurious_share"], 0)
        assert found == {"spurious_share": pytest.approx(wanted)}
    source.spurious_region = None
    with pytest.raises(ValueError, match="spurious_share needs data"):
        evaluate(model, source, "test", ["spurious_share"], 0)


def test_draws_what_feature_maps_look_at_where_there_are_any(world):
    source = patch_xor.load(train_size=300, validation_size=40, test_size=80)
    model = FeatureSieve(*tasks.convolutions(), DenseReadout(2))
    assert set(figures(model, source, 0)) == {"groups", "grad_cam"}
    assert set(figures(*world, 0)) == {"groups"}


def test_bad_arguments_are_refused(world):
    with pytest.raises(ValueError, match="probe_examples must be >= 4, got 3"):
        evaluate(*world, "test", None, 0, probe_examples=3)
    with pytest.raises(ValueError, match="metrics must be among .*leak"):
        evaluate(*world, "test", ["mig"], 0)
