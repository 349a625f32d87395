"""What a user may do wrong or unusually, and what a sieve answers."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.methods.feature_sieve import toys
from tfkit.layers import DenseReadout
from tfkit.models import FeatureSieve

X, Y = toys.blobs(rows=32)


def network(name="net", first=None):
    layers = [keras.Input(X.shape[1:]), *([first] if first else [])]
    layers += [keras.layers.Dense(7, activation="relu", name="early"), keras.layers.Dense(3)]
    return keras.Sequential(layers, name=name)


def compiled(model, **options):
    model.compile(keras.optimizers.Adam(1e-2), **options)
    return model


@pytest.mark.parametrize("layer", ["early", 0, "itself"])
def test_a_cut_is_named_in_three_ways_and_needs_no_readout(layer):
    whole = network()
    layer = whole.get_layer("early") if layer == "itself" else layer
    model = compiled(FeatureSieve.from_model(whole, layer=layer))
    assert isinstance(model.readout, DenseReadout) and model.lower.output.shape == (None, 7)
    model.fit(X, Y, verbose=0)


def test_in_half_precision_it_answers_as_the_network_that_it_trains():
    """Inputs are as large as bfloat16 has no digits for; a float32 layer makes them small."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        first = keras.layers.Rescaling(1.0, offset=-1000.0, dtype="float32")
        model = FeatureSieve.from_model(network(first=first), "early")
        large = X + 1000.0
        wanted = np.array(tf.cast(model.network(large), "float32"))
        for answer in (model(large), model.answer(large)):
            np.testing.assert_allclose(tf.cast(answer, "float32"), wanted, atol=1e-6)
        assert model.readout(model.features(large)[-1]).dtype == "float32"
    finally:
        keras.config.set_dtype_policy("float32")


def test_a_mask_reaches_the_readout_in_identify_and_in_forget():
    seen = []

    class Asks(keras.layers.Layer):
        supports_masking = True

        def call(self, features, mask=None):
            seen.append(mask is not None)
            return features

    words = keras.Sequential(
        [keras.Input((5,), dtype="int32"), keras.layers.Embedding(9, 4, mask_zero=True)]
    )
    readout = keras.Sequential(
        [keras.Input((5, 4)), Asks(), keras.layers.Flatten(), keras.layers.Dense(2)]
    )
    head = keras.Sequential([keras.Input((5, 4)), keras.layers.Flatten(), keras.layers.Dense(2)])
    model = compiled(FeatureSieve(words, head, readout, forget_every=1), run_eagerly=True)
    seen.clear()
    rows = np.array([[1, 2, 3, 0, 0], [4, 5, 0, 0, 0]])
    model.train_on_batch(rows, np.array([0, 1]))
    assert seen and all(seen)


@pytest.mark.parametrize("value", [float("nan"), "5", 2.5, -1])
def test_other_numbers_of_steps_are_refused(value):
    with pytest.raises(ValueError, match="forget_every must be an integer >= 1, or 0"):
        FeatureSieve.from_model(network(), "early", forget_every=value)


def test_infinity_is_never():
    assert FeatureSieve.from_model(network(), "early", forget_every=float("inf")).forget_every == 0


def probabilities(width=3, activation="softmax"):
    return keras.Sequential([keras.Input((7,)), keras.layers.Dense(width, activation=activation)])


@pytest.mark.parametrize("part", ["upper", "readout"])
@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_parts_that_give_probabilities_are_refused(part, activation):
    lower = keras.Sequential([keras.Input(X.shape[1:]), keras.layers.Dense(7)])
    parts = {"upper": probabilities(activation=None), "readout": DenseReadout(3)}
    with pytest.raises(ValueError, match=f"{part} must give logits"):
        FeatureSieve(lower, **{**parts, part: probabilities(activation=activation)})


def test_a_loss_function_of_probabilities_is_refused():
    with pytest.raises(ValueError, match="loss must take logits"):
        compiled(FeatureSieve.from_model(network(), "early"), loss="categorical_focal_crossentropy")


def test_what_cannot_learn_cannot_forget():
    whole = network()
    whole.get_layer("early").trainable = False
    with pytest.raises(ValueError, match="nothing below the cut can be trained"):
        compiled(FeatureSieve.from_model(whole, "early"))
    compiled(FeatureSieve.from_model(whole, "early", forget_every=0)).fit(X, Y, verbose=0)


def test_frozen_weights_are_no_states_of_a_pass():
    whole = network(first=keras.layers.Dense(5, name="frozen"))
    whole.get_layer("frozen").trainable = False
    assert FeatureSieve.from_model(whole, "early").lower_states == []


def test_a_forgetting_rate_that_decays_weights_is_refused_in_half_precision_too():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = FeatureSieve.from_model(network(), "early")
        decaying = keras.optimizers.SGD(0.1, weight_decay=1e-2)
        with pytest.raises(ValueError, match="must not decay weights, got weight_decay 0.01"):
            model.compile(
                forget_optimizer=keras.optimizers.LossScaleOptimizer(decaying),
            )
        assert not model.compiled
    finally:
        keras.config.set_dtype_policy("float32")


def test_a_sieve_that_its_first_batch_builds_is_read_back_with_its_optimizers(tmp_path):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        late = [keras.Sequential([keras.layers.Dense(n)]) for n in (7, 3)]
        model = compiled(FeatureSieve(*late, DenseReadout(3)))
        model.fit(X, Y, verbose=0)
        names = [v.path for v in model.optimizer.variables]
        assert len(names) == len(set(names))
    finally:
        keras.config.set_dtype_policy("float32")


def test_unclear_parts_are_told():
    lower = keras.Sequential([keras.Input(X.shape[1:]), keras.layers.Dense(7)], name="same")
    upper = keras.Sequential([keras.Input((7,)), keras.layers.Dense(3)], name="same")
    with pytest.raises(ValueError, match="two parts are called same"):
        FeatureSieve(lower, upper, DenseReadout(3))
    one = keras.Sequential([keras.Input((7,)), keras.layers.Dense(1)], name="one")
    with pytest.raises(ValueError, match="Two classes have two logits"):
        FeatureSieve(lower, one, DenseReadout(2))
    a, b = keras.Input((2,)), keras.Input((2,))
    two = keras.Model([a, b], keras.layers.Dense(7)(keras.layers.Add()([a, b])))
    with pytest.raises(ValueError, match="lower must have one input, got 2"):
        FeatureSieve(two, upper, DenseReadout(3))
    unbuilt = FeatureSieve(keras.Sequential([keras.layers.Dense(7)]), upper, DenseReadout(3))
    with pytest.raises(ValueError, match="not known before the first batch"):
        unbuilt.export("nowhere")
    nested = keras.Sequential([keras.Input(X.shape[1:]), network(name="backbone")])
    with pytest.raises(ValueError, match="not a layer within backbone"):
        FeatureSieve.from_model(nested, "early")


def test_what_is_decoded_is_traced_once():
    model = FeatureSieve.from_model(network(), "early")
    first = model.decoded(tf.constant(X))
    assert first.shape == (32,) and np.all(first >= np.log(3) - 1e-6)
    graph = model._decoded
    model.decoded(tf.constant(X[:5]))
    assert model._decoded is graph
