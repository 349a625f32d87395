import keras
import numpy as np
import pytest
import tensorflow as tf

from tfkit.data import ArraySource, dsprites
from tfkit.losses import bernoulli_reconstruction, kl_to_standard_normal
from tfkit.methods.disentanglement.evaluate import evaluate, figures
from tfkit.metrics import mutual_information_gap
from tfkit.models import BetaVAE

SIDE, LATENTS, ROWS = 16, 4, 450


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    images = keras.Input((SIDE, SIDE, 1))
    flat = keras.layers.Flatten()(images)
    codes = [keras.layers.Dense(LATENTS)(flat) for _ in range(2)]
    vectors = keras.Input((LATENTS,))
    pixels = keras.layers.Dense(SIDE * SIDE)(vectors)
    decoder = keras.Model(vectors, keras.layers.Reshape((SIDE, SIDE, 1))(pixels))
    return BetaVAE(keras.Model(images, codes), decoder)


@pytest.fixture(scope="module")
def source():
    return dsprites.load(SIDE, validation_size=ROWS, test_size=ROWS)


def without_factors(source):
    images = next(iter(source.held_out("test", 40)))["images"].numpy()
    return ArraySource(
        {part: {"images": images} for part in ("train", "valid", "test")},
        source.shapes,
        source="sprites",
    )


def test_values_are_those_of_the_whole_part_at_once(model, source):
    values = evaluate(model, source, "valid", None, 1)
    batch = next(iter(source.held_out("valid", ROWS)))
    mean, logvar = model.encoder(batch["images"])
    kl = np.array(kl_to_standard_normal(mean, logvar))
    assert set(values) == {"mig", "reconstruction", "kl", "elbo", "active_units"}
    assert values["mig"] == pytest.approx(mutual_information_gap(mean, batch["factors"]))
    assert values["kl"] == pytest.approx(kl.sum(axis=1).mean(), rel=1e-5)
    assert values["active_units"] == np.sum(kl.mean(axis=0) > 0.01)
    assert values["elbo"] == pytest.approx(-values["reconstruction"] - values["kl"])
    draws = []
    for seed in range(20):
        noise = tf.random.stateless_normal(mean.shape, [seed, 7])
        logits = model.decoder(mean + tf.exp(0.5 * logvar) * noise)
        draws.append(np.mean(bernoulli_reconstruction(batch["images"], logits)))
    assert abs(values["reconstruction"] - np.mean(draws)) < 5 * np.std(draws)


def test_the_seed_decides_the_sample_and_nothing_else(model, source):
    one, same, other = (evaluate(model, source, "test", None, seed) for seed in (1, 1, 2))
    assert one == same
    assert one["reconstruction"] != other["reconstruction"]
    assert one["mig"] == other["mig"] and one["kl"] == other["kl"]


def test_samples_limits_the_rows_and_metrics_the_names(model, source):
    few = evaluate(model, source, "test", ["mig", "kl"], 0, samples=150)
    batch = next(iter(source.held_out("test", 150)))
    mean, _ = model.encoder(batch["images"])
    assert list(few) == ["mig", "kl"]
    assert few["mig"] == pytest.approx(mutual_information_gap(mean, batch["factors"]))


def test_without_factors_there_is_no_mig(model, source):
    plain = without_factors(source)
    assert "mig" not in evaluate(model, plain, "test", None, 0)
    assert "information" not in figures(model, plain, 0)
    with pytest.raises(ValueError, match="mig needs factors, and these data have none"):
        evaluate(model, plain, "test", ["mig"], 0)


def test_unknown_metrics_are_named(model, source):
    with pytest.raises(ValueError, match=r"among mig, .*, got \['mgi'\]"):
        evaluate(model, source, "test", ["mgi"], 0)
    with pytest.raises(ValueError, match="samples must be >= 1, got 0"):
        evaluate(model, source, "test", None, 0, samples=0)


def test_figures_show_the_test_images_and_each_latent(model, source):
    drawn = figures(model, source, 0)
    assert set(drawn) == {"reconstructions", "traversals", "kl", "information"}
    batch = next(iter(source.held_out("test", 10)))
    pictures = drawn["reconstructions"].arrays["images"]
    np.testing.assert_array_equal(pictures[0], batch["images"])
    np.testing.assert_allclose(pictures[1], model(batch["images"]), atol=1e-6)
    nats = drawn["kl"].arrays["values"]
    assert np.all(np.diff(nats) <= 0) and len(nats) == LATENTS
    assert drawn["traversals"].arrays["images"].shape == (LATENTS, 9, SIDE, SIDE, 1)
    assert drawn["traversals"].labels["rows"][0].endswith(f"{nats[0]:.2f} nats")
    assert drawn["information"].labels["columns"] == list(source.factor_names)


def test_a_traversal_moves_one_latent(model, source):
    drawn = figures(model, source, 0)["traversals"]
    images = next(iter(source.held_out("test", 1)))["images"]
    code = np.array(model.encoder(images)[0])[0]
    latent = int(drawn.labels["rows"][1].split(":")[0][1:])
    code[latent] = -2.0
    expected = tf.sigmoid(model.decoder(code[None]))[0]
    np.testing.assert_allclose(drawn.arrays["images"][1, 0], expected, atol=1e-5)
