"""What the papers claim, after 250 steps on 16 x 16 sprites, beside the plain VAE."""

import keras
import numpy as np
import pytest

from tfkit.data import dsprites
from tfkit.methods.disentanglement import study_decoder, study_encoder
from tfkit.metrics import gaussian_total_correlation
from tfkit.models import DIPVAE, AnnealedVAE, BetaTCVAE, BetaVAE, FactorVAE

LATENTS = 6
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def source():
    return dsprites.load(image_size=16, validation_size=100, test_size=1000)


@pytest.fixture(scope="module")
def plain(source):
    return trained(source, BetaVAE, beta=1.0)


def discriminator():
    codes = hidden = keras.Input((LATENTS,))
    for _ in range(3):
        hidden = keras.layers.Dense(128)(hidden)
        hidden = keras.layers.LeakyReLU(negative_slope=0.2)(hidden)
    return keras.Model(codes, keras.layers.Dense(2)(hidden))


def trained(source, model_class, **options):
    """The means of the last 50 steps, and of 1,000 held-out images the TC of z and cov(z)."""
    keras.utils.set_random_seed(0)
    networks = study_encoder((16, 16, 1), LATENTS), study_decoder((16, 16, 1), LATENTS)
    compiled = {"optimizer": keras.optimizers.Adam(2e-3)}
    if model_class is FactorVAE:
        networks = (*networks, discriminator())
        compiled["discriminator_optimizer"] = keras.optimizers.Adam(1e-3, beta_1=0.5, beta_2=0.9)
    model = model_class(*networks, **options)
    model.compile(**compiled)
    images = source.train(32, seed=0).map(lambda batch: batch["images"])
    history = model.fit(images, steps_per_epoch=50, epochs=5, shuffle=False, verbose=0).history
    mean, logvar = map(np.array, model.encoder(next(iter(source.held_out("test", 1000)))["images"]))
    z = mean + np.exp(0.5 * logvar) * np.random.default_rng(0).normal(size=mean.shape)
    found = {name: values[-1] for name, values in history.items()}
    found["tc_of_z"] = gaussian_total_correlation(z)["gaussian_total_correlation"]
    found["covariance"] = np.cov(z.T)
    return found


def test_the_plain_vae_learns_something(plain):
    assert plain["kl"] > 2.0 and plain["reconstruction"] < 25.0


def test_a_larger_beta_carries_less(source, plain):
    strong = trained(source, BetaVAE, beta=8.0)
    assert strong["kl"] < 0.75 * plain["kl"]
    assert strong["reconstruction"] > plain["reconstruction"]


def test_a_penalised_total_correlation_falls_and_the_information_does_not(source, plain):
    strong = trained(source, BetaTCVAE, beta=8.0)
    assert strong["tc_of_z"] < 0.5 * plain["tc_of_z"] and strong["kl"] > 1.0


def test_the_discriminator_finds_nothing_any_more_and_the_total_correlation_falls(source, plain):
    strong = trained(source, FactorVAE, gamma=20.0)
    assert strong["tc_of_z"] < 0.6 * plain["tc_of_z"] and strong["kl"] > 1.0
    assert strong["tc"] < 0.1 and strong["discriminator_accuracy"] < 0.6


def test_the_covariance_of_the_codes_nears_the_identity(source, plain):
    strong = trained(source, DIPVAE, kind="ii", lambda_od=10.0)
    away = [np.square(found["covariance"] - np.eye(LATENTS)).sum() for found in (strong, plain)]
    assert away[0] < 0.5 * away[1] and strong["tc_of_z"] < 0.5 * plain["tc_of_z"]
    assert strong["kl"] > 1.0


def test_the_code_carries_what_the_capacity_allows(source, plain):
    strong = trained(source, AnnealedVAE, gamma=100.0, c_max=8.0, iteration_threshold=200)
    assert strong["kl"] == pytest.approx(8.0, abs=0.5) and strong["kl"] > 1.5 * plain["kl"]
