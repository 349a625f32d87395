"""What all methods have in common; each one's own is in the files beside."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.methods.disentanglement.toys import (
    KINDS,
    OPTIONS,
    toy,
    toy_discriminator,
    toy_images,
    toy_networks,
    trained_weights,
    weights,
)
from tfkit.methods.disentanglement import model as room
from tfkit.methods.disentanglement import study_decoder
from tfkit.models import DIPVAE, AnnealedVAE, BetaTCVAE, BetaVAE, FactorVAE

ALL = pytest.mark.parametrize("kind", KINDS)


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


@ALL
def test_what_is_logged_adds_up(kind):
    model = toy(kind)
    logs = model.train_on_batch(toy_images(), return_dict=True)
    assert set(logs) == {"loss", *kind.logged}
    penalty = {
        BetaVAE: lambda: 3.0 * logs["kl"],
        AnnealedVAE: lambda: 3.0 * abs(logs["kl"] - logs["capacity"]),
        BetaTCVAE: lambda: logs["kl"] + 2.0 * (logs["tc"] - 2 * np.log(8)),
        DIPVAE: lambda: logs["kl"] + logs["dip"],
        FactorVAE: lambda: logs["kl"] + 3.0 * logs["tc"],
    }[kind]()
    assert logs["loss"] == pytest.approx(logs["reconstruction"] + penalty, rel=1e-5)
    assert logs["elbo"] == pytest.approx(-logs["reconstruction"] - logs["kl"], rel=1e-6)


@ALL
def test_the_order_of_examples_and_latents_does_not_matter(kind):
    images, noise = toy_images(), np.random.default_rng(1).normal(size=(8, 3)).astype(np.float32)
    rows, columns = (np.random.default_rng(2).permutation(size) for size in (8, 3))
    losses = []
    for order, latents in ((np.arange(8), np.arange(3)), (rows, columns)):
        model = toy(kind, compiled={"run_eagerly": True})
        for layer in (model.encoder.get_layer("e1"), model.encoder.get_layer("e2")):
            layer.kernel.assign(layer.kernel.numpy()[:, latents])
        first = [model.decoder.get_layer("d1")]
        first += [model.discriminator.get_layer("d1")] if kind is FactorVAE else []
        for layer in first:
            layer.kernel.assign(layer.kernel.numpy()[latents])
        model.draw_noise = lambda shape, part=(order, latents): noise[part[0]][:, part[1]]
        losses.append(model.train_on_batch(images[order], return_dict=True)["loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


@ALL
def test_steps_per_execution_and_jit_change_no_number(kind):
    images = toy_images(64)
    runs = []
    for options in ({}, {"steps_per_execution": 4, "jit_compile": True}):
        model = toy(kind, compiled=options)
        history = model.fit(images, batch_size=8, epochs=2, shuffle=False, verbose=0).history
        runs.append((weights(model), history))
    (one, plain), (other, history) = runs
    np.testing.assert_allclose(other, one, atol=1e-6)
    for name, values in plain.items():
        np.testing.assert_allclose(history[name], values, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", (BetaVAE, FactorVAE))
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


@ALL
def test_saved_and_loaded_it_goes_on_as_before(kind, tmp_path):
    images = toy_images()
    model = toy(kind)
    fix_chance(model)
    model.fit(images, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded) is kind and int(loaded.optimizer.iterations) == 1
    for name, value in OPTIONS[kind].items():
        assert getattr(loaded, name) == value
    np.testing.assert_array_equal(
        loaded.predict(images, verbose=0), model.predict(images, verbose=0)
    )
    fix_chance(loaded)
    for each in (model, loaded):
        each.fit(images, verbose=0)
    np.testing.assert_array_equal(trained_weights(loaded), trained_weights(model))


def fix_chance(model):
    model.draw_noise = lambda shape: keras.ops.zeros(shape)
    if isinstance(model, FactorVAE):
        model.permute_codes = lambda codes: codes[::-1]


@pytest.mark.parametrize(
    ("kind", "policy"),
    [
        *((kind, "mixed_bfloat16") for kind in KINDS),
        *((kind, "mixed_float16") for kind in (BetaTCVAE, FactorVAE)),
    ],
)
def test_mixed_precision(kind, policy):
    exact = toy(kind).train_on_batch(toy_images(), return_dict=True)
    keras.config.set_dtype_policy(policy)
    try:
        model = toy(kind)
        before = trained_weights(model)
        logs = model.train_on_batch(toy_images(), return_dict=True)
        for _ in range(4):  # the first float16 steps may only find the loss scale
            model.train_on_batch(toy_images())
    finally:
        keras.config.set_dtype_policy("float32")
    for name, value in exact.items():
        assert name == "discriminator_accuracy" or logs[name] == pytest.approx(
            value, rel=0.02, abs=0.05
        )
    assert before.dtype == np.float32 and np.any(trained_weights(model) != before)


@ALL
def test_regularisers_of_the_networks_count(kind):
    networks = toy_networks(regularizer=keras.regularizers.L2(0.5))
    model, plain = toy(kind, networks=networks), toy(kind)
    for target, source in zip(
        model.trainable_variables, plain.trainable_variables, strict=True
    ):  # the same weights and noise
        target.assign(source)
    model.seed_generator.state.assign(plain.seed_generator.state)
    penalty = 0.5 * np.sum(np.square(networks[0].get_layer("e1").kernel))
    found, without = (m.train_on_batch(toy_images(), return_dict=True) for m in (model, plain))
    assert found["loss"] == pytest.approx(without["loss"] + penalty, rel=1e-5)
    assert found["elbo"] == pytest.approx(without["elbo"], rel=1e-6)


@ALL
def test_networks_without_a_known_input_are_built_by_the_first_batch(kind):
    class Encoder(keras.Model):
        def __init__(self):
            super().__init__()
            self.flatten = keras.layers.Flatten()
            self.mean, self.logvar = keras.layers.Dense(3), keras.layers.Dense(3)

        def call(self, images):
            return self.mean(self.flatten(images)), self.logvar(self.flatten(images))

    keras.utils.set_random_seed(0)
    further = (toy_discriminator(),) if kind is FactorVAE else ()
    fixed = {"c_max": 0.0} if kind is AnnealedVAE else {}  # else its loss need not fall
    model = kind(Encoder(), toy_networks()[1], *further, **{**OPTIONS[kind], **fixed})
    model.compile(optimizer=keras.optimizers.Adam(1e-2))
    first, *_, last = model.fit(toy_images(), epochs=20, verbose=0).history["loss"]
    assert last < first


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"encoder": keras.layers.Dense(3)}, "encoder must be a keras.Model, got Dense"),
        ({"encoder": toy_networks()[1]}, r"two outputs of one shape \[B, D\], got 1"),
        ({"decoder": toy_networks(5)[1]}, "must take the encoder's 3 latents"),
        ({"decoder": study_decoder((16, 16, 1), 3)}, r"images' shape \(4, 4, 1\), got"),
    ],
)
@ALL
def test_networks_that_do_not_fit(kind, change, message):
    encoder, decoder = toy_networks()
    with pytest.raises(ValueError, match=f"{kind.__name__}: .*{message}"):
        kind(**{"encoder": encoder, "decoder": decoder, **change})


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (BetaVAE, "beta"),
        (BetaTCVAE, "beta"),
        (AnnealedVAE, "gamma"),
        (AnnealedVAE, "c_max"),
        (FactorVAE, "gamma"),
        (DIPVAE, "lambda_od"),
        (DIPVAE, "lambda_d"),
    ],
)
@pytest.mark.parametrize("value", (-1.0, float("nan"), float("inf")))
def test_bad_weights(kind, name, value):
    message = f"{kind.__name__}: {name} must be finite and >= 0, got {value}"
    with pytest.raises(ValueError, match=message):
        kind(*toy_networks(), **{name: value})


def test_other_pixels_than_bernoulli_by_overriding_one_method():
    class Gaussian(BetaVAE):
        def reconstruction_error(self, images, logits):
            return keras.ops.zeros((keras.ops.shape(images)[0],)) + 7.0

    logs = toy(Gaussian).train_on_batch(toy_images(), return_dict=True)
    assert logs["reconstruction"] == 7.0


def test_supplies_the_number_of_latents_once_the_encoder_is_there():
    encoder, _ = toy_networks(7)
    assert room.supplied({}) == {} and room.supplied({"encoder": encoder}) == {"latent_dim": 7}


@pytest.mark.slow
def test_two_replicas_learn_what_one_does_from_the_whole_batch():
    script = Path(__file__).with_name("two_replicas.py")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
