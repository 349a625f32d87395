import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from tfkit.data import dsprites
from tfkit.methods.disentanglement import model as room
from tfkit.methods.disentanglement import study_decoder, study_encoder
from tfkit.models import BetaTCVAE, BetaVAE

GOLDEN = Path(__file__).parents[2] / "golden"
ARRAYS = np.load(GOLDEN / "disentanglement_train.npz")
LOSSES = json.loads((GOLDEN / "disentanglement_train.json").read_text())
BOTH = pytest.mark.parametrize("kind", (BetaVAE, BetaTCVAE))


def toy_networks(latents=3, regularizer=None):
    images = keras.Input((4, 4, 1))
    flat = keras.layers.Flatten()(images)
    mean = keras.layers.Dense(latents, kernel_regularizer=regularizer, name="e1")(flat)
    logvar = keras.layers.Dense(latents, name="e2")(flat)
    vectors = keras.Input((latents,))
    logits = keras.layers.Reshape((4, 4, 1))(keras.layers.Dense(16, name="d1")(vectors))
    return keras.Model(images, [mean, logvar]), keras.Model(vectors, logits)


def toy(kind, beta=3.0, seed=0, **options):
    keras.utils.set_random_seed(seed)
    model = kind(*toy_networks(), beta=beta)
    optimizer = keras.optimizers.Adam(1e-2, epsilon=1e-8)
    model.compile(optimizer=optimizer, **options)
    return model


def toy_images(rows=8, seed=0):
    return np.random.default_rng(seed).random((rows, 4, 4, 1)).astype(np.float32)


def weights(model):
    return np.concatenate([value.ravel() for value in model.get_weights()])


def golden_variables(model):
    layers = {"encoder": ("e1", "e2"), "decoder": ("d1",)}
    for network, names in layers.items():
        for layer in names:
            for variable in getattr(model, network).get_layer(layer).variables:
                yield f"{network}/{layer}/{variable.name}", variable


@pytest.mark.parametrize("options", ({}, {"run_eagerly": True}, {"jit_compile": True}), ids=str)
@pytest.mark.parametrize(
    ("kind", "name", "beta"), [(BetaVAE, "beta_vae", 4.0), (BetaTCVAE, "beta_tc_vae", 6.0)]
)
def test_golden_training(kind, name, beta, options):
    noise = keras.Variable(ARRAYS["eps"][0], trainable=False)

    class Fixed(kind):  # a method of the class is traced into the graph, as the model's own is
        def draw_noise(self, shape):
            return noise.value

    check_golden_training(toy(Fixed, beta, **options), name, noise.assign)


@pytest.mark.parametrize("options", ({}, {"run_eagerly": True}, {"jit_compile": True}), ids=str)
@pytest.mark.parametrize(
    ("kind", "name", "beta"), [(BetaVAE, "beta_vae", 4.0), (BetaTCVAE, "beta_tc_vae", 6.0)]
)
def test_golden_training_with_noise_set_on_the_instance_at_each_step(kind, name, beta, options):
    model = toy(kind, beta, **options)

    def set_noise(noise):
        model.draw_noise = lambda shape: noise

    check_golden_training(model, name, set_noise)


def test_noise_set_on_the_instance_is_asked_at_each_call_and_can_be_taken_back():
    model, images, asked = toy(BetaVAE), toy_images(), []
    model.train_on_batch(images)

    def draw(shape):
        asked.append(tuple(shape))
        return np.full((8, 3), len(asked), np.float32)

    model.draw_noise = draw
    losses = [model.test_on_batch(images, return_dict=True)["loss"] for _ in range(2)]
    assert asked == [(8, 3)] * 2 and losses[0] != losses[1]
    del model.draw_noise
    assert not model.run_eagerly


def check_golden_training(model, name, set_noise):
    for key, variable in golden_variables(model):
        variable.assign(ARRAYS[f"init/{key}"])
    for step in range(5):
        set_noise(ARRAYS["eps"][step])
        loss = model.train_on_batch(ARRAYS["x"][step], return_dict=True)["loss"]
        assert loss == pytest.approx(LOSSES[name]["loss_before_update"][step], rel=1e-5)
        if step in (0, 4):
            for key, variable in golden_variables(model):
                expected = ARRAYS[f"{name}/after{step + 1}/{key}"]
                np.testing.assert_allclose(variable, expected, rtol=0, atol=2e-6)


def test_without_its_penalty_each_is_the_plain_vae():
    images, logs = toy_images(), []
    for kind in (BetaVAE, BetaTCVAE):
        model = toy(kind, beta=1.0)
        model.seed_generator.state.assign([1, 0])
        logs.append(model.train_on_batch(images, return_dict=True))
        assert logs[-1]["loss"] == pytest.approx(-logs[-1]["elbo"], rel=1e-6)
    assert logs[0]["loss"] == pytest.approx(logs[1]["loss"], rel=1e-6)


@BOTH
def test_what_is_logged_adds_up(kind):
    model, images = toy(kind, beta=5.0), toy_images()
    logs = model.train_on_batch(images, return_dict=True)
    assert set(logs) == {"loss", *kind.logged}
    penalty = logs["kl"] * 5.0
    if kind is BetaTCVAE:
        penalty = logs["kl"] + 4.0 * (logs["tc"] - 2 * np.log(8))
    assert logs["loss"] == pytest.approx(logs["reconstruction"] + penalty, rel=1e-5)
    assert logs["elbo"] == pytest.approx(-logs["reconstruction"] - logs["kl"], rel=1e-6)


@BOTH
def test_the_order_of_examples_does_not_matter(kind):
    images, noise = toy_images(), np.random.default_rng(1).normal(size=(8, 3)).astype(np.float32)
    order = np.random.default_rng(2).permutation(8)
    losses = []
    for rows in (np.arange(8), order):
        model = toy(kind, run_eagerly=True)
        model.draw_noise = lambda shape, rows=rows: noise[rows]
        losses.append(model.train_on_batch(images[rows], return_dict=True)["loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


@BOTH
def test_steps_per_execution_and_jit_change_no_number(kind):
    images = toy_images(64)
    runs = []
    for options in ({}, {"steps_per_execution": 4}, {"jit_compile": True}):
        model = toy(kind, **options)
        history = model.fit(images, batch_size=8, epochs=2, shuffle=False, verbose=0).history
        runs.append((weights(model), history))
    for other, history in runs[1:]:
        np.testing.assert_allclose(other, runs[0][0], atol=1e-6)
        for name, values in runs[0][1].items():
            np.testing.assert_allclose(history[name], values, rtol=1e-5, atol=1e-5)


@BOTH
def test_same_seed_same_bytes_and_fresh_noise_each_step(kind):
    images = toy_images(64)
    one, same, other = (toy(kind, seed=seed) for seed in (1, 1, 2))
    for model in (one, same, other):
        model.fit(images, batch_size=8, shuffle=False, verbose=0)
    assert weights(one).tobytes() == weights(same).tobytes() != weights(other).tobytes()
    assert not np.array_equal(one.draw_noise((4, 3)), one.draw_noise((4, 3)))


def test_noise_is_standard_normal():
    noise = np.array(toy(BetaVAE).draw_noise((20_000, 3)))
    assert noise.dtype == np.float32 and noise.shape == (20_000, 3)
    assert abs(noise.mean()) < 0.02 and abs(noise.std() - 1) < 0.02


@BOTH
def test_saved_and_loaded_it_goes_on_as_before(kind, tmp_path):
    images = toy_images()
    model = toy(kind, beta=2.5)
    model.draw_noise = lambda shape: keras.ops.zeros(shape)
    model.fit(images, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded) is kind and loaded.beta == 2.5 and int(loaded.optimizer.iterations) == 1
    np.testing.assert_array_equal(
        loaded.predict(images, verbose=0), model.predict(images, verbose=0)
    )
    loaded.draw_noise = lambda shape: keras.ops.zeros(shape)
    for each in (model, loaded):
        each.fit(images, verbose=0)
    np.testing.assert_array_equal(weights(loaded), weights(model))


@BOTH
@pytest.mark.parametrize("policy", ("mixed_bfloat16", "mixed_float16"))
def test_mixed_precision(kind, policy):
    exact = toy(kind).train_on_batch(toy_images(), return_dict=True)
    keras.config.set_dtype_policy(policy)
    try:
        model = toy(kind)
        before = weights(model)
        logs = model.train_on_batch(toy_images(), return_dict=True)
        for _ in range(4):  # the first float16 steps may only find the loss scale
            model.train_on_batch(toy_images())
    finally:
        keras.config.set_dtype_policy("float32")
    for name, value in exact.items():
        assert logs[name] == pytest.approx(value, rel=0.02, abs=0.05)
    assert before.dtype == np.float32 and np.any(weights(model) != before)


def test_regularisers_of_the_networks_count():
    encoder, decoder = toy_networks(regularizer=keras.regularizers.L2(0.5))
    model = BetaVAE(encoder, decoder, beta=1.0)
    model.compile(optimizer="adam")
    penalty = 0.5 * np.sum(np.square(encoder.get_layer("e1").kernel))
    logs = model.train_on_batch(toy_images(), return_dict=True)
    assert logs["loss"] == pytest.approx(-logs["elbo"] + penalty, rel=1e-5)


def test_networks_without_a_known_input_are_built_by_the_first_batch():
    class Encoder(keras.Model):
        def __init__(self):
            super().__init__()
            self.flatten = keras.layers.Flatten()
            self.mean, self.logvar = keras.layers.Dense(3), keras.layers.Dense(3)

        def call(self, images):
            return self.mean(self.flatten(images)), self.logvar(self.flatten(images))

    model = BetaTCVAE(Encoder(), toy_networks()[1])
    model.compile(optimizer="adam")
    first, *_, last = model.fit(toy_images(), epochs=10, verbose=0).history["loss"]
    assert last < first


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"encoder": keras.layers.Dense(3)}, "encoder must be a keras.Model, got Dense"),
        ({"encoder": toy_networks()[1]}, r"two outputs of one shape \[B, D\], got 1"),
        ({"decoder": toy_networks(5)[1]}, "must take the encoder's 3 latents"),
        ({"decoder": study_decoder((16, 16, 1), 3)}, r"images' shape \(4, 4, 1\), got"),
        ({"beta": -1.0}, "beta must be finite and >= 0, got -1.0"),
        ({"beta": float("nan")}, "beta must be finite and >= 0, got nan"),
    ],
)
@BOTH
def test_bad_arguments(kind, change, message):
    encoder, decoder = toy_networks()
    with pytest.raises(ValueError, match=f"{kind.__name__}: .*{message}"):
        kind(**{"encoder": encoder, "decoder": decoder, **change})


def test_supplies_the_number_of_latents_once_the_encoder_is_there():
    encoder, _ = toy_networks(7)
    assert room.supplied({}) == {} and room.supplied({"encoder": encoder}) == {"latent_dim": 7}


def test_two_replicas_learn_what_one_does_from_the_whole_batch():
    script = Path(__file__).with_name("two_replicas.py")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


@BOTH
def test_a_larger_beta_carries_less_and_a_penalised_tc_falls(kind):
    """The effect that the two papers claim, after 250 steps on 16 x 16 sprites."""
    source = dsprites.load(image_size=16, validation_size=100, test_size=100)
    last = {}
    for beta in (1.0, 8.0):
        keras.utils.set_random_seed(0)
        model = kind(study_encoder((16, 16, 1), 6), study_decoder((16, 16, 1), 6), beta=beta)
        model.compile(optimizer=keras.optimizers.Adam(2e-3))
        images = source.train(32, seed=0).map(lambda batch: batch["images"])
        history = model.fit(images, steps_per_epoch=50, epochs=5, shuffle=False, verbose=0)
        last[beta] = {name: values[-1] for name, values in history.history.items()}
    assert last[1.0]["kl"] > 2.0 and last[1.0]["reconstruction"] < 25.0  # something was learned
    assert last[8.0]["kl"] < 0.75 * last[1.0]["kl"]
    assert last[8.0]["reconstruction"] > last[1.0]["reconstruction"]
    if kind is BetaTCVAE:
        assert last[8.0]["kl"] > 1.0  # it is the dependence that is paid for, not the information
        assert last[8.0]["tc"] < 0.5 * last[1.0]["tc"]
