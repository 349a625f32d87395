"""What balancing is for: the group in which the shortcut contradicts the label."""

import keras
import numpy as np
import pytest

from tfkit.data.shortcuts import strip_bias
from tfkit.metrics import group_accuracy
from tfkit.models import ERM, JTT, GroupDRO, Reweighting, Subsampling
from tfkit.networks.perceptron import perceptron


@pytest.fixture(scope="module")
def data():
    return strip_bias(seed=0)


def worst(model, data) -> float:
    test = data["test"]
    answers = np.argmax(model.answer(test["x"]), axis=1)
    return group_accuracy(test["y"], answers, 2 * test["y"] + test["a"])["worst_group"]


def trained(make, data, epochs, rows=None, **third):
    """A small student after some passes over some rows."""
    keras.utils.set_random_seed(1)
    model = make(perceptron((16, 8), 2, [16, 16]))
    model.compile(keras.optimizers.Adam(3e-3))
    train = data["train"]
    rows = np.arange(len(train["y"])) if rows is None else rows
    chosen = {name: array[rows] for name, array in third.items()}
    model.fit(
        train["x"][rows], train["y"][rows], epochs=epochs, batch_size=128, verbose=0, **chosen
    )
    return model


def test_balancing_helps_the_worst_group_of_plain_training(data):
    train = data["train"]
    groups = 2 * train["y"] + train["a"]
    counts = np.bincount(groups).tolist()
    rows = Subsampling(perceptron((16, 8), 2)).rows(groups)
    scores = {
        "erm": worst(trained(ERM, data, 5), data),
        "reweighting": worst(
            trained(lambda n: Reweighting(n, counts), data, 5, groups=groups), data
        ),
        "group_dro": worst(
            trained(lambda n: GroupDRO(n, counts, step_size=0.1), data, 5, groups=groups), data
        ),
        "subsampling": worst(trained(Subsampling, data, 50, rows), data),
    }
    assert scores["erm"] < 0.62, scores
    assert min(scores[name] for name in ("reweighting", "group_dro", "subsampling")) > 0.74, scores


def test_jtt_helps_without_group_labels(data):
    train = data["train"]
    first = trained(ERM, data, 1)
    model = JTT(perceptron((16, 8), 2, [16, 16]), num_train=len(train["y"]), upweight=20)
    model.set_errors(np.argmax(first.answer(train["x"]), axis=1) != train["y"])
    again = trained(lambda _: model, data, 5, model.rows())
    assert worst(again, data) > worst(trained(ERM, data, 5), data) + 0.05
