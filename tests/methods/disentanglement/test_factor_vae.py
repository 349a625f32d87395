import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.methods.disentanglement.toys import (
    toy,
    toy_discriminator,
    toy_images,
    toy_networks,
    weights,
)
from tfkit import recipe as recipes
from tfkit.losses import discriminator_loss
from tfkit.methods.disentanglement import study_discriminator
from tfkit.models import BetaVAE, FactorVAE
from tfkit.train.build import assemble

IMAGES = toy_images(64)


def network_weights(model, *names):
    return np.concatenate([weights(getattr(model, name)) for name in names])


def frozen_step(frozen, **options):
    """Changes of the VAE's and the discriminator's weights by one step; one may be frozen."""
    keras.utils.set_random_seed(0)
    networks, discriminator = toy_networks(), toy_discriminator()
    for network in (*networks, discriminator):
        network.trainable = frozen != ("discriminator" if network is discriminator else "vae")
    model = toy(FactorVAE, networks=networks, discriminator=discriminator, **options)
    parts = (("encoder", "decoder"), ("discriminator",))
    before = [network_weights(model, *part) for part in parts]
    model.train_on_batch(IMAGES[:8])
    return [network_weights(model, *part) - old for part, old in zip(parts, before, strict=True)]


def test_each_update_owes_nothing_to_the_others():
    both = frozen_step(None)
    vae_alone, discriminator_alone = frozen_step("discriminator"), frozen_step("vae")
    assert all(change.any() for change in both)
    assert not vae_alone[1].any() and not discriminator_alone[0].any()
    np.testing.assert_array_equal(vae_alone[0], both[0])  # simultaneous: both at the old weights
    np.testing.assert_array_equal(discriminator_alone[1], both[1])


def test_the_encoder_without_gamma_is_that_of_the_plain_vae():
    """The discriminator's loss never reaches it."""
    found = []
    for model in (toy(FactorVAE, gamma=0.0), toy(BetaVAE, beta=1.0)):
        model.draw_noise = lambda shape: tf.fill(shape, 0.5)
        model.fit(IMAGES, batch_size=8, shuffle=False, verbose=0)
        found.append(network_weights(model, "encoder", "decoder"))
    np.testing.assert_allclose(found[0], found[1], atol=1e-7)


def test_each_optimizer_has_its_own_variables_only():
    model = toy(FactorVAE)
    theirs = {v.path for v in model.discriminator.trainable_variables}
    ours = {v.path for v in (*model.encoder.variables, *model.decoder.variables)}
    for optimizer, variables in (
        (model.optimizer, ours),
        (model.discriminator_optimizer, theirs),
    ):
        assert {v.path for v in optimizer._trainable_variables} == variables
    assert {v.path for v in model.trainable_variables} == ours | theirs


def test_weight_decay_and_clipping_touch_their_own_side_alone():
    models = []
    for options in ({"weight_decay": 0.1, "global_clipnorm": 1e-9}, {}):
        optimizers = {
            "optimizer": keras.optimizers.SGD(1.0, **options),
            "discriminator_optimizer": keras.optimizers.SGD(0.01),
        }
        models.append(toy(FactorVAE, compiled=optimizers))
    before = network_weights(models[0], "encoder", "decoder")
    for model in models:
        model.train_on_batch(IMAGES[:8])
    decayed = network_weights(models[0], "encoder", "decoder")
    np.testing.assert_allclose(decayed, 0.9 * before, atol=1e-7)
    first, second = (network_weights(model, "discriminator") for model in models)
    np.testing.assert_allclose(first, second, atol=1e-7)


def test_penalties_of_the_discriminators_layers_are_part_of_its_own_loss():
    found = []
    for regularizer in (None, keras.regularizers.L2(0.5)):
        keras.utils.set_random_seed(0)
        model = toy(FactorVAE, discriminator=toy_discriminator(regularizer=regularizer))
        kernels = [model.discriminator.get_layer(name).kernel for name in ("d1", "d2")]
        penalty = sum(0.5 * np.sum(np.square(kernel)) for kernel in kernels)
        found.append(model.train_on_batch(IMAGES[:8], return_dict=True))
    plain, logs = found
    assert logs["loss"] == pytest.approx(plain["loss"], rel=1e-6)
    expected = plain["discriminator_loss"] + penalty
    assert logs["discriminator_loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("jit", (False, True))
def test_permuted_codes_keep_each_column_and_break_the_rows(jit):
    codes = np.arange(300, dtype=np.float32).reshape(100, 3)
    model = toy(FactorVAE)
    drawn = np.array(tf.function(model.permute_codes, jit_compile=jit)(codes))
    np.testing.assert_array_equal(np.sort(drawn, axis=0), codes)
    rows = drawn // 3  # where each entry came from
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert np.mean(rows[:, one] == rows[:, other]) < 0.1
    assert np.mean(rows == np.arange(100)[:, None]) < 0.1
    again = np.array(model.permute_codes(codes))
    assert not np.array_equal(again, drawn)  # fresh at each call
    np.testing.assert_array_equal(toy(FactorVAE).permute_codes(codes), drawn)  # XLA or not


def test_every_permutation_of_three_rows_is_as_likely():
    model, codes = toy(FactorVAE), tf.reshape(tf.tile(tf.range(3.0)[:, None], (1, 6000)), (3, 6000))
    orders, counts = np.unique(model.permute_codes(codes), axis=1, return_counts=True)
    assert orders.shape == (3, 6) and np.all(np.abs(counts - 1000) < 150)


def test_permutations_set_on_the_instance_are_asked_at_each_call():
    model, asked = toy(FactorVAE), []
    model.train_on_batch(IMAGES[:8])
    model.permute_codes = lambda codes: asked.append(tuple(codes.shape)) or codes
    for _ in range(2):
        logs = model.test_on_batch(IMAGES[:8], return_dict=True)
    # an unpermuted code gets one right answer of two
    assert asked == [(8, 3)] * 2 and logs["discriminator_accuracy"] == pytest.approx(0.5)


def test_second_batch_permutes_images_that_the_vae_does_not_see():
    model = toy(FactorVAE, gamma=2.0, second_batch=True)
    one = toy(FactorVAE, gamma=2.0)
    seen = {}
    for each in (model, one):
        each.draw_noise = tf.zeros
        each.permute_codes = lambda codes, owner=each: seen.setdefault(owner, codes)
    joint = one.discriminator(one.encoder(IMAGES[:8])[0])
    permuted = one.discriminator(one.encoder(IMAGES[8:16])[0])
    found = model.train_on_batch(IMAGES[:16], return_dict=True)
    expected = one.train_on_batch(IMAGES[:8], return_dict=True)
    np.testing.assert_allclose(seen[model], one_codes(IMAGES[8:16]), atol=1e-6)
    for name in ("loss", "reconstruction", "kl", "tc"):
        assert found[name] == pytest.approx(expected[name], rel=1e-5)
    wanted = float(discriminator_loss(joint, permuted))
    assert found["discriminator_loss"] == pytest.approx(wanted, rel=1e-5)
    np.testing.assert_allclose(
        network_weights(model, "encoder", "decoder"),
        network_weights(one, "encoder", "decoder"),
        atol=1e-6,
    )


def one_codes(images):
    return toy(FactorVAE).encoder(images)[0]


@pytest.mark.parametrize("rows", (1, 7))
def test_second_batch_of_an_odd_number_of_rows(rows):
    model = toy(FactorVAE, gamma=2.0, second_batch=True)
    logs = model.train_on_batch(IMAGES[:rows], return_dict=True)
    assert np.isfinite(list(logs.values())).all()
    logs = model.evaluate(IMAGES[:rows], verbose=0, return_dict=True)
    assert np.isfinite(list(logs.values())).all()


def test_what_is_left_out_is_the_studys():
    model = FactorVAE(*toy_networks())
    model.compile(optimizer="adam")
    expected = study_discriminator(3)
    assert [w.shape for w in model.discriminator.weights] == [w.shape for w in expected.weights]
    config = model.discriminator_optimizer.get_config()
    wanted = {"learning_rate": 1e-4, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-8}
    assert {name: pytest.approx(config[name]) for name in wanted} == wanted
    assert len(model.discriminator_optimizer.variables) == 2 + 2 * len(expected.weights)


def test_mixed_float16_scales_both_losses(tmp_path):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = toy(FactorVAE)
        for _ in range(6):  # the first only find the scale
            model.train_on_batch(IMAGES[:8])
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
    finally:
        keras.config.set_dtype_policy("float32")
    for each in (model, loaded):
        for optimizer in (each.optimizer, each.discriminator_optimizer):
            assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
            assert not isinstance(optimizer.inner_optimizer, keras.optimizers.LossScaleOptimizer)
            assert 0 < int(optimizer.iterations) <= 6
    for optimizer, other in (
        (model.optimizer, loaded.optimizer),
        (model.discriminator_optimizer, loaded.discriminator_optimizer),
    ):
        assert float(optimizer.dynamic_scale) == float(other.dynamic_scale)


@pytest.mark.parametrize(
    ("discriminator", "message"),
    [
        (keras.layers.Dense(2), "discriminator must be a keras.Model, got Dense"),
        (toy_discriminator(5), "must take the encoder's 3 latents, its input has shape \\(5,\\)"),
        (toy_networks()[1], "must return two logits"),
    ],
)
def test_discriminators_that_do_not_fit(discriminator, message):
    with pytest.raises(ValueError, match=f"FactorVAE: discriminator {message}|{message}"):
        FactorVAE(*toy_networks(), discriminator)


def test_an_encoder_that_does_not_tell_its_latents_needs_a_discriminator():
    class Encoder(keras.Model):
        def call(self, images):
            return images[:, 0, :3, 0], images[:, 1, :3, 0]

    with pytest.raises(ValueError, match="pass discriminator=study_discriminator"):
        FactorVAE(Encoder(), toy_networks()[1])


@pytest.mark.parametrize(
    ("further", "rate"), [({}, 1e-4), ({"discriminator_optimizer": {"name": "sgd"}}, 0.01)]
)
def test_from_a_recipe(further, rate):
    """Left out, discriminator and its optimizer are the model's own defaults."""
    networks = {"encoder": {"name": "study_encoder", "latent_dim": 3}, "decoder": "study_decoder"}
    named = {"discriminator": "study_discriminator"} if further else {}
    recipe = recipes.from_dict(
        {
            "name": "factor",
            "data": {"name": "dsprites", "image_size": 16, "validation_size": 8, "test_size": 8},
            "model": {"name": "factor_vae", **networks, **named},
            "train": {"steps": 1, **further},
        }
    )
    model = assemble(recipe.resolved, 1).model
    assert float(model.discriminator_optimizer.learning_rate) == pytest.approx(rate)
    assert model.discriminator.count_params() == study_discriminator(3).count_params()
