import keras
import numpy as np
import pytest

from tests.methods.group_robustness.toys import network, task
from tfkit.methods.group_robustness import last_layer
from tfkit.methods.group_robustness.last_layer import STRENGTHS, refitted
from tfkit.models import DFR

X, Y, G = task()


def test_only_the_last_layer_moves_and_batches_change_nothing():
    one, other = DFR(network()), DFR(network())
    before = [v.numpy() for v in one.network.variables]
    one.refit(X, Y, G)
    other.refit([X[:10], X[10:]], Y, G)
    after = [v.numpy() for v in one.network.variables]
    same = [np.array_equal(a, b) for a, b in zip(before, after, strict=True)]
    assert same == [True, True, False, False]
    # features differ in their last bits, which the solver's own tolerance of 1e-4 lets grow
    np.testing.assert_allclose(one(X), other(X), atol=1e-3)


def test_standardising_is_folded_into_the_layer():
    features = np.random.default_rng(0).normal(size=(64, 4)) + Y[:, None]
    kernel, bias = refitted(features, Y, G, 2, 3, 0)
    moved, shift = refitted(features * [1, 10, 100, 1000] + 5, Y, G, 2, 3, 0)
    scores = features @ kernel + bias
    again = (features * [1, 10, 100, 1000] + 5) @ moved + shift
    np.testing.assert_allclose(scores, again, atol=1e-3)


def test_it_undoes_a_shortcut_that_plain_training_took():
    generator = np.random.default_rng(0)
    labels = np.repeat([0, 1], 2000)
    attribute = np.where(generator.random(4000) < 0.95, labels, 1 - labels)
    inputs = generator.normal(size=(4000, 3)).astype("float32")
    inputs[:, 0] += labels
    inputs[:, 1] += 3 * attribute
    groups = 2 * labels + attribute
    model = DFR(network(units=()))
    model.compile(keras.optimizers.Adam(0.05))
    model.fit(inputs, labels, epochs=3, batch_size=100, verbose=0)

    def worst():
        right = np.argmax(model(inputs), axis=1) == labels
        return min(right[groups == group].mean() for group in range(4))

    before = worst()
    model.refit(inputs, labels, groups)
    assert before < 0.3 and worst() > 0.6


def test_the_penalty_leaves_features_out():
    generator = np.random.default_rng(0)
    features = generator.normal(size=(400, 20))
    labels = (features[:, 0] + 0.1 * generator.normal(size=400) > 0).astype(int)
    kernel, _ = last_layer._fitted(features, labels, np.arange(400) % 4, 0.03, (0, 0))
    assert (kernel[:, 1] == 0).sum() > 10 and kernel[0, 1] > 0


def test_all_classes_are_needed():
    with pytest.raises(ValueError, match="all 3 classes are needed"):
        refitted(X, Y, G, 3, 1, 0)


def test_more_than_two_classes():
    labels = np.arange(60) % 3
    features = np.eye(3)[labels] + np.random.default_rng(0).normal(size=(60, 3)) / 10
    kernel, bias = refitted(features, labels, labels, 3, 2, 0)
    assert ((features @ kernel + bias).argmax(axis=1) == labels).all()
    assert STRENGTHS == tuple(sorted(STRENGTHS, reverse=True))  # the first of equals is the weakest


@pytest.mark.parametrize(
    ("activation", "told"),
    [("softmax", "must give logits"), ("tanh", "must be a Dense without activation")],
)
def test_a_network_that_ends_in_something_else_is_refused(activation, told):
    inputs = keras.Input((3,))
    network = keras.Model(inputs, keras.layers.Dense(2, activation=activation)(inputs))
    with pytest.raises(ValueError, match=told):
        DFR(network)
