"""By how much the three updates move what they move."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.methods.feature_sieve import toys
from tfkit.losses import forgetting_loss
from tfkit.models import FeatureSieve

X, Y = toys.blobs()
PARTS = ("lower", "upper", "readout")


def moves(model, variables, *batch):
    """How far one training step takes each variable."""
    before = toys.values(variables)
    found = model.train_on_batch(*batch, return_dict=True)
    pairs = zip(toys.values(variables), before, strict=True)
    return [after - start for after, start in pairs], found


def by_hand(model, losses_of, variables):
    """The gradient of the sum over the sieves of a loss of its readout's logits."""
    with tf.GradientTape() as tape:
        pairs = zip(model.readouts, model.features(tf.constant(X)), strict=True)
        losses = [tf.reduce_mean(losses_of(readout(known))) for readout, known in pairs]
        total = tf.add_n(losses)
    return [np.array(g) for g in tape.gradient(total, variables)], toys.values(losses)


def test_two_sieves_are_forgotten_together():
    """And nothing else is: no decay of weights takes part."""
    model = toys.by_sgd(toys.two_sieves(forget_every=1, weight_decay=0.5), forget=1.0)
    assert [v.shape[-1] for v in model.lower_variables] == [8, 8, 7, 7]
    gradients, losses = by_hand(model, forgetting_loss, model.lower_variables)
    found, logs = moves(model, model.lower_variables, X, Y)
    for move, gradient in zip(found, gradients, strict=True):
        np.testing.assert_allclose(move, -gradient, rtol=1e-4, atol=1e-6)
    assert logs["forget_loss"] == pytest.approx(np.mean(losses), rel=1e-5)


def test_two_readouts_are_identified_together():
    def label_loss(logits):
        return keras.losses.sparse_categorical_crossentropy(Y, logits, from_logits=True)

    model = toys.by_sgd(toys.two_sieves(forget_every=1), readout=1.0)
    gradients, losses = by_hand(model, label_loss, model.readout_variables)
    found, logs = moves(model, model.readout_variables, X, Y)
    assert len(found) == 4
    for move, gradient in zip(found, gradients, strict=True):
        np.testing.assert_allclose(move, -gradient, rtol=1e-4, atol=1e-6)
    assert logs["readout_loss"] == pytest.approx(np.mean(losses), rel=1e-5)


def test_two_sieves_survive_their_configuration():
    again = FeatureSieve.from_config(toys.two_sieves().get_config())
    assert len(again.segments) == len(again.readouts) == 2


def step_of_plain_training(networks, **options):
    """Where a step of rate 0.1 starts and how far it goes, by part and name of the variables."""
    model = FeatureSieve(*networks, forget_every=0, **options)
    toys.by_sgd(model, main=0.1, readout=0.1)
    variables = {
        (part, number, variable.name): variable
        for part, network in zip(PARTS, networks, strict=True)
        for number, variable in enumerate(network.trainable_variables)
    }
    for variable in variables.values():
        variable.assign(variable + 0.3)  # biases would begin at 0, where nothing decays
    start = toys.values(variables.values())
    far, _ = moves(model, list(variables.values()), X, Y)
    return dict(zip(variables, zip(start, far, strict=True), strict=True))


@pytest.mark.parametrize(
    ("option", "parts"),
    [("weight_decay", ("lower", "upper")), ("readout_weight_decay", ("readout",))],
)
def test_weight_decay_takes_biases_and_norms_too(option, parts):
    plain = step_of_plain_training(toys.parts(norm=True))
    decayed = step_of_plain_training(toys.parts(norm=True), **{option: 0.5})
    assert {name for _, _, name in plain} == {"kernel", "bias", "gamma", "beta"}
    for key, (start, far) in plain.items():
        wanted = -0.1 * 0.5 * start if key[0] in parts else 0 * start
        further = decayed[key][1] - far
        np.testing.assert_allclose(further, wanted, rtol=1e-3, atol=1e-6, err_msg=str(key))


@pytest.mark.parametrize("part", PARTS)
def test_regularisers_of_layers_count_where_the_layers_learn(part):
    networks = toys.parts()
    for layer in networks[PARTS.index(part)].layers:
        if isinstance(layer, keras.layers.Dense):  # as its kernel_regularizer does
            layer.kernel.regularizer = keras.regularizers.L2(0.25)
    penalised = step_of_plain_training(networks)
    for key, (start, far) in step_of_plain_training(toys.parts()).items():
        own = key[0] == part and key[2] == "kernel"
        wanted = -0.1 * 2 * 0.25 * start if own else 0 * start
        further = penalised[key][1] - far
        np.testing.assert_allclose(further, wanted, rtol=1e-3, atol=1e-6, err_msg=str(key))


def test_weights_of_examples_enter_both_label_losses():
    """A weight of 2 is the row twice, one of 0 the row left out; forgetting takes all alike."""
    weights = np.repeat([0, 1, 2], (8, 16, 8))
    again = np.repeat(np.arange(32), weights)
    batches = (X, Y, weights.astype("float32")), (X[again], Y[again])
    found = []
    for batch in batches:
        model = toys.by_sgd(FeatureSieve(*toys.parts(), forget_every=1), main=0.1, readout=0.1)
        variables = [*model.optimized_variables, *model.readout_variables]
        found.append(moves(model, variables, *batch))
    (weighted, logs), (repeated, others) = found
    for name in ("loss", "readout_loss"):
        assert logs[name] == pytest.approx(others[name], rel=1e-5)
    for one, other in zip(weighted, repeated, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    plain = toys.by_sgd(FeatureSieve(*toys.parts(), forget_every=1))
    assert logs["leak"] == pytest.approx(moves(plain, [], X, Y)[1]["leak"], rel=1e-5)


def test_two_replicas_learn_what_one_does_from_the_whole_batch():
    script = Path(__file__).with_name("two_replicas.py")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
