import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.methods.feature_sieve import toys
from tests.methods.feature_sieve.toys import compiled, sieve
from tfkit.models import FeatureSieve

X, Y = toys.blobs()


def given(model):
    return model.labelled((tf.constant(X), tf.constant(Y)))


def test_identify_moves_the_readout_alone_forget_d_alone_main_d_and_u():
    model = sieve(norm=True)
    groups = (model.lower_variables, model.upper.trainable_variables, model.readout_variables)

    def which(update):
        before = [toys.values(group) for group in groups]
        update()
        return [all(toys.moved(b, g)) for b, g in zip(before, groups, strict=True)], [
            any(toys.moved(b, g)) for b, g in zip(before, groups, strict=True)
        ]

    features, tape = model.recorded(tf.constant(X))
    identify = which(lambda: model.identify(features, given(model)))
    assert identify == ([False, False, True], [False, False, True])
    forget = which(lambda: model.forget(features, tape))
    assert forget[1] == [True, False, False]
    assert which(lambda: model.learn(given(model)))[1] == [True, True, False]


def test_no_gradient_of_the_readout_reaches_the_lower_part():
    model = sieve()
    with tf.GradientTape() as tape:
        _, logs = model.objective((tf.constant(X), tf.constant(Y)), training=True)
    gradients = tape.gradient(logs["readout_loss"], model.optimized_variables)
    assert gradients == [None] * len(gradients) and len(gradients) == 6


@pytest.mark.parametrize("options", [{}, {"norm": True, "dropout": 0.5}])
@pytest.mark.parametrize(("never", "bn_mode"), [(0, "once"), (None, "published")])
def test_that_never_forgets_is_plain_training_bit_by_bit(options, never, bn_mode):
    model = sieve(**options, forget_every=never, bn_mode=bn_mode)
    lower, upper, _ = toys.parts(**options)
    plain = keras.Sequential([lower, upper])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    plain.compile(keras.optimizers.Adam(1e-2), loss=loss, jit_compile=False)
    networks = (model.lower, model.upper), (lower, upper)
    for one, other in zip(*networks, strict=True):
        for a, b in zip(one.variables, other.variables, strict=True):
            b.assign(a.value)  # also the states of dropout's generators
    for one in (model, plain):
        one.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    for one, other in zip(*networks, strict=True):
        assert not any(toys.moved(toys.values(one.variables), other.variables))
    assert any(toys.moved(toys.values(toys.parts(**options)[0].variables), model.lower.variables))


def test_forgets_in_step_0_and_every_f_th_and_says_nan_between():
    model = sieve(forget_every=3)
    losses = [model.train_on_batch(X, Y, return_dict=True)["forget_loss"] for _ in range(7)]
    assert np.isfinite(losses).tolist() == [True, False, False, True, False, False, True]
    assert min(losses[::3]) >= np.log(3)


def test_the_counter_survives_files_and_evaluation(tmp_path):
    model = sieve(forget_every=3)
    for _ in range(2):
        model.train_on_batch(X, Y)
    model.evaluate(X, Y, verbose=0)
    model.save(tmp_path / "sieve.keras")
    loaded = keras.saving.load_model(tmp_path / "sieve.keras")
    assert int(loaded.step) == 2
    for one in (model, loaded):
        found = [one.train_on_batch(X, Y, return_dict=True) for _ in range(2)]
        assert [np.isfinite(f["forget_loss"]) for f in found] == [False, True]
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))


def test_one_pass_alone_moves_the_statistics_or_as_published_every_one():
    for bn_mode, passes, readings in (("once", 1, 1), ("published", 3, 2)):
        keras.utils.set_random_seed(0)
        norm = keras.layers.BatchNormalization(
            momentum=0.5, beta_initializer=keras.initializers.Constant(2.0)
        )
        lower = keras.Sequential([keras.Input((6,)), norm])
        readout = keras.Sequential(
            [keras.Input((6,)), keras.layers.BatchNormalization(momentum=0.5)]
        )
        readout.add(keras.layers.Dense(3))
        upper = toys.dense((6,), last=3)
        model = compiled(FeatureSieve(lower, upper, readout, forget_every=2, bn_mode=bn_mode))
        model.train_on_batch(X, Y)  # of the inputs: the same in every pass
        wanted = X.mean(axis=0) * (1 - 0.5**passes)
        np.testing.assert_allclose(norm.moving_mean, wanted, rtol=1e-4, atol=1e-6)
        read = readout.layers[0].moving_mean  # of features whose mean is beta, both times
        np.testing.assert_allclose(read, np.full(6, 2 * (1 - 0.5**readings)), rtol=1e-4)
        model.train_on_batch(X, Y)  # does not forget: identify and main
        passes += 1 if bn_mode == "once" else 2
        wanted = X.mean(axis=0) * (1 - 0.5**passes)
        np.testing.assert_allclose(norm.moving_mean, wanted, rtol=1e-4, atol=1e-6)


def test_dropout_draws_the_same_mask_for_the_readout_and_the_main_pass():
    """The generators are put back, so forgetting costs plain training no random number."""
    model = sieve(dropout=0.5, forget_every=1)
    states = [v for v in model.lower.variables if "seed_generator" in v.path]
    one = toys.values(states)
    model.train_on_batch(X, Y)
    two = toys.values(states)
    plain = sieve(dropout=0.5, forget_every=0)
    other = [v for v in plain.lower.variables if "seed_generator" in v.path]
    for state, value in zip(other, one, strict=True):
        state.assign(value)
    plain.train_on_batch(X, Y)
    assert not any(toys.moved(two, other)) and any(toys.moved(one, states))


@pytest.mark.slow
@pytest.mark.parametrize(("forget_every", "bn_mode"), [(1, "published"), (2, "once")])
def test_xla_takes_the_same_steps(forget_every, bn_mode):
    found = []
    for jit_compile in (False, True):
        model = sieve(
            norm=True, forget_every=forget_every, bn_mode=bn_mode, jit_compile=jit_compile
        )
        found.append([model.train_on_batch(X, Y, return_dict=True) for _ in range(3)])
    for one, other in zip(*found, strict=True):
        assert one.keys() == other.keys()
        np.testing.assert_allclose(list(one.values()), list(other.values()), rtol=1e-4, atol=1e-6)


def test_logs_what_the_readout_knew_before_it_learned():
    model = sieve(forget_every=1)
    logits = np.array(model.readout(model.lower(X)), "float64")
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    found = model.train_on_batch(X, Y, return_dict=True)
    assert found["leak"] == pytest.approx(-log_p.mean() - np.log(3), rel=1e-4)
    assert found["readout_loss"] == pytest.approx(-log_p[np.arange(32), Y].mean(), rel=1e-5)
    assert found["readout_accuracy"] == pytest.approx((logits.argmax(axis=1) == Y).mean())


def test_what_is_exported_has_no_readout(tmp_path):
    model = sieve()
    network = model.network
    owned = {id(v) for v in model.readout.variables}
    assert not owned & {id(v) for v in network.variables}
    np.testing.assert_allclose(network(X), model(X), rtol=1e-6)
    model.export(tmp_path / "served", verbose=False)
    loaded = tf.saved_model.load(str(tmp_path / "served"))
    np.testing.assert_allclose(loaded.serve(X), model(X), rtol=1e-5)
    assert len(loaded.variables) == len(network.variables)


def test_an_unbuilt_sieve_is_built_by_its_first_batch():
    keras.utils.set_random_seed(0)
    networks = [keras.Sequential([keras.layers.Dense(n)]) for n in (8, 3, 3)]
    model = compiled(FeatureSieve(*networks, forget_every=2))
    found = model.fit(X, Y, batch_size=16, verbose=0).history
    assert np.isfinite(found["loss"]).all() and set(found) == {
        *("loss", "accuracy", "readout_loss", "readout_accuracy", "leak")
    }


def classifier():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6,))
    first = keras.layers.Dense(8, activation="relu", name="first")(inputs)
    inner = keras.layers.Dense(8, activation="relu", name="inner")(first)
    joined = keras.layers.Add(name="joined")([first, inner])
    hidden = keras.layers.Dense(5, name="hidden")(joined)
    return keras.Model(inputs, keras.layers.Dense(3, name="logits")(hidden))


@pytest.mark.parametrize("layer", ["first", "joined", "hidden", ["first", "joined"]])
def test_any_model_is_cut_where_all_paths_meet(layer):
    whole = classifier()
    count = len(layer) if isinstance(layer, list) else 1
    made = [keras.layers.Dense(3) for _ in range(count)]
    model = FeatureSieve.from_model(whole, layer, made if count > 1 else made[0], forget_every=2)
    np.testing.assert_allclose(model(X), whole(X), rtol=1e-6)
    assert {id(v) for v in model.optimized_variables} == {id(v) for v in whole.trainable_variables}
    assert model.forget_every == 2 and len(model.segments) == count


def test_a_sequential_model_is_cut_too():
    whole = keras.Sequential([toys.dense((6,), 8), toys.dense((8,), 4, last=3)])
    model = FeatureSieve.from_model(whole, whole.layers[0].name, keras.layers.Dense(3))
    np.testing.assert_allclose(model(X), whole(X), rtol=1e-6)


def softmax_model():
    return keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(4, name="a"),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )


@pytest.mark.parametrize(
    ("model", "layer", "told"),
    [
        (classifier, "inner", "a path from .* passes it by"),
        (classifier, "logits", "nothing would be left"),
        (classifier, "nowhere", "first, inner, joined, hidden, logits; got 'nowhere'"),
        (classifier, ["joined", "first"], "out of order"),
        (classifier, [], "a list of names"),
        (softmax_model, "a", "softmax"),
        (lambda: keras.Sequential([keras.layers.Dense(3)]), "dense", "knows its input's shape"),
    ],
)
def test_a_cut_that_parts_nothing_is_refused(model, layer, told):
    with pytest.raises(ValueError, match=told):
        FeatureSieve.from_model(model(), layer, keras.layers.Dense(3))


def test_bad_arguments_are_refused():
    lower, upper, readout = toys.parts()
    for told, bad in {
        "forget_every must be": {"forget_every": -1},
        "weight_decay must be": {"weight_decay": -1.0},
        "readout_weight_decay must be": {"readout_weight_decay": float("nan")},
        "bn_mode must be": {"bn_mode": "twice"},
    }.items():
        with pytest.raises(ValueError, match=told):
            FeatureSieve(lower, upper, readout, **bad)
    for told, networks in {
        "lists of the same length": ([lower], upper, readout),
        "readout must be a keras.Model": (lower, upper, "conv_readout"),
        "readout must give logits": (lower, upper, keras.layers.Dense(2)),
        "shares variables": (lower, upper, upper),
    }.items():
        with pytest.raises(ValueError, match=told):
            FeatureSieve(*networks)
    with pytest.raises(ValueError, match="must not decay weights"):
        FeatureSieve(lower, upper, readout).compile(
            forget_optimizer=keras.optimizers.SGD(0.1, weight_decay=1e-4)
        )
