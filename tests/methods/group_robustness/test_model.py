import keras
import numpy as np
import pytest

from tests.methods.group_robustness.toys import COUNTS, cross_entropy, network, task
from tfkit.models import ERM, GroupDRO, Reweighting, Subsampling

X, Y, G = task()


def loss_of(model, *batch, training=False):
    return float(model.objective(batch, training)[0])


def test_erm_is_the_mean_cross_entropy_and_heeds_weights():
    model = ERM(network())
    each = cross_entropy(model(X), Y)
    assert loss_of(model, X, Y) == pytest.approx(each.mean(), rel=1e-5)
    weights = np.linspace(0, 2, 64)
    assert loss_of(model, X, Y, weights) == pytest.approx((weights * each).mean(), rel=1e-5)


def test_weight_decay_is_in_the_gradient_and_not_in_the_loss():
    plain, decayed = (ERM(network(), weight_decay=decay) for decay in (0.0, 0.5))
    before = [v.numpy() for v in plain.trainable_variables]
    losses = []
    for model in (plain, decayed):
        model.compile(keras.optimizers.SGD(0.1))
        losses.append(model.train_on_batch(X, Y, return_dict=True)["loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    triples = zip(before, plain.trainable_variables, decayed.trainable_variables, strict=True)
    for start, one, other in triples:
        np.testing.assert_allclose(other.numpy(), one.numpy() - 0.05 * start, atol=1e-6)


def test_reweighting_gives_every_group_the_same_part_of_the_loss():
    model = Reweighting(network(), COUNTS)
    each = cross_entropy(model(X), Y)
    by_group = [each[G == group].mean() for group in range(4)]
    assert loss_of(model, X, Y, G) == pytest.approx(np.mean(by_group), rel=1e-5)


def test_reweighting_leaves_a_group_out_that_training_lacks():
    model = Reweighting(network(), [*COUNTS, 0])
    assert loss_of(model, X, Y, G) == pytest.approx(
        loss_of(Reweighting(network(), COUNTS), X, Y, G), rel=1e-6
    )


def test_group_dro_updates_its_shares_before_it_takes_the_loss():
    model = GroupDRO(network(), COUNTS, step_size=0.5, adjustment=2.0)
    each = cross_entropy(model(X), Y)
    losses = np.array([each[G == group].mean() for group in range(4)])
    shares = 0.25 * np.exp(0.5 * (losses + 2.0 / np.sqrt(COUNTS)))
    shares /= shares.sum()
    assert loss_of(model, X, Y, G, training=True) == pytest.approx(shares @ losses, rel=1e-5)
    np.testing.assert_allclose(model.shares.numpy(), shares, rtol=1e-5)


def test_group_dro_counts_a_group_that_the_batch_lacks_as_no_loss():
    model, some = GroupDRO(network(), COUNTS, step_size=0.0), G != 1
    each = cross_entropy(model(X), Y)
    losses = [each[G == group].mean() for group in (0, 2, 3)]
    batch = (X[some], Y[some], G[some])
    assert loss_of(model, *batch, training=True) == pytest.approx(np.sum(losses) / 4, rel=1e-5)


def test_group_dro_does_not_move_its_shares_in_evaluation():
    model = GroupDRO(network(), COUNTS, step_size=5.0)
    model.compile("sgd")
    model.evaluate(X, Y, groups=G, verbose=0)
    np.testing.assert_array_equal(model.shares.numpy(), np.float32([0.25] * 4))


def test_group_dro_leaves_a_group_out_that_training_lacks():
    with_empty = GroupDRO(network(), [*COUNTS, 0], step_size=0.5, adjustment=2.0)
    without = GroupDRO(network(), COUNTS, step_size=0.5, adjustment=2.0)
    losses = [loss_of(model, X, Y, G, training=True) for model in (with_empty, without)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    assert with_empty.shares.numpy()[-1] == 0


@pytest.mark.parametrize("kind", [Reweighting, GroupDRO])
def test_overlapping_groups_of_held_out_examples_do_not_enter_the_loss(kind):
    overlapping = np.ones((64, 7), bool)
    each = cross_entropy(kind(network(), COUNTS)(X), Y)
    model = kind(network(), COUNTS)
    assert loss_of(model, X, Y, overlapping) == pytest.approx(each.mean(), rel=1e-5)
    assert loss_of(model, X, Y) == pytest.approx(each.mean(), rel=1e-5)


@pytest.mark.parametrize("groups", [G + 1, G / 2, np.eye(4)[G]])
def test_what_are_no_numbers_of_groups_are_refused(groups):
    model = GroupDRO(network(), COUNTS)
    model.compile("sgd")
    with pytest.raises(ValueError, match="whole numbers in 0 to 3"):
        model.fit(X, Y, groups=groups, verbose=0)
    with pytest.raises(ValueError, match="takes groups="):
        model.fit(X, Y, sample_weight=np.ones(64), verbose=0)


def test_groups_are_a_keyword_of_fit():
    model = GroupDRO(network(), COUNTS, step_size=5.0)
    model.compile("sgd")
    model.fit(X, Y, groups=G, verbose=0)
    assert model.shares.numpy().max() > 0.3


def test_group_dro_ends_with_the_worst_group_however_large_its_step():
    model = GroupDRO(network(), COUNTS, step_size=1e6)
    loss = loss_of(model, X, Y, G, training=True)
    each = cross_entropy(model(X), Y)
    assert loss == pytest.approx(max(each[G == group].mean() for group in range(4)), rel=1e-5)


@pytest.mark.parametrize("kind", [Reweighting, GroupDRO])
def test_a_training_batch_without_groups_is_refused(kind):
    with pytest.raises(ValueError, match=r"must be \(x, y, groups\)"):
        kind(network(), COUNTS).objective((X, Y), True)


def test_subsampling_gives_the_rows_to_train_on():
    rows = Subsampling(network()).rows(G, seed=1)
    np.testing.assert_array_equal(np.bincount(G[rows]), [6] * 4)


@pytest.mark.parametrize("given", [keras.layers.Dense(2), "network", network(classes=2).layers[0]])
def test_what_is_no_network_is_refused(given):
    with pytest.raises(ValueError, match="network must be a keras.Model"):
        ERM(given)
