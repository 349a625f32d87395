from types import SimpleNamespace

import keras
import numpy as np
import pytest

from tfkit.data.grouped import GroupedSource, Groups
from tfkit.methods.group_robustness.evaluate import evaluate, facts, figures
from tfkit.models import ERM

GROUPS = np.array([0, 0, 0, 1, 2, 2, 3, 3])
LABELS = GROUPS // 2


def source():
    arrays = {"inputs": np.float32(LABELS)[:, None] - 0.5, "labels": LABELS}
    arrays["inputs"][3] *= -1  # the only example of group 1 looks like the other class
    splits = {part: dict(arrays) for part in ("train", "valid", "test")}
    groups = Groups(["a", "b", "c", "d"], dict.fromkeys(splits, GROUPS))
    return GroupedSource(splits, 2, groups, source="eight numbers")


def sign():
    """A classifier of the input's sign."""
    inputs = keras.Input((1,), name="inputs")
    network = keras.Model(inputs, keras.layers.Dense(2, name="logits")(inputs))
    network.set_weights([np.float32([[-1, 1]]), np.zeros(2, "float32")])
    return ERM(network)


def test_every_average_is_that_of_its_definition():
    found = evaluate(sign(), source(), "test", None, 0)
    assert found == pytest.approx(
        {"average": 7 / 8, "adjusted": 3 / 4, "worst_group": 0.0, "train_weighted": 7 / 8}
    )
    assert list(evaluate(sign(), source(), "test", ["worst_group"], 0)) == ["worst_group"]


def test_the_figure_has_every_group_with_its_sizes():
    figure = figures(sign(), source(), 0)["groups"]
    np.testing.assert_allclose(figure.arrays["values"], [1, 0, 1, 1])
    assert figure.labels["names"][1] == "b (1 here, 1 in training)"
    assert (figure.arrays["low"] < figure.arrays["high"]).all()


def test_facts_say_where_group_labels_were_used():
    train = {"callbacks": [], "stages": None}
    known = facts(sign(), SimpleNamespace(splits=()), train, ())
    assert known == {"group labels used": "none"}


def test_an_unknown_metric_is_named():
    with pytest.raises(ValueError, match="accuracy_of_nobody"):
        evaluate(sign(), source(), "test", ["accuracy_of_nobody"], 0)
