import keras
import numpy as np
import pytest

from tests.methods.disentanglement.toys import toy, toy_images, toy_networks, weights
from tfkit.models import DIPVAE, BetaTCVAE, BetaVAE

IMAGES = toy_images(64)


def test_without_its_penalty_each_method_is_the_plain_vae_for_fifty_steps():
    """β-TCVAE(1) = β-VAE(1) = DIP(0), by the noise that they draw themselves."""
    paths = []
    for kind, options in (
        (BetaVAE, {"beta": 1.0}),
        (BetaTCVAE, {"beta": 1.0}),
        (DIPVAE, {"kind": "i", "lambda_od": 0.0}),
        (DIPVAE, {"kind": "ii", "lambda_od": 0.0}),
    ):
        model = toy(kind, **options)
        path = []
        for step in range(50):
            images = IMAGES[8 * (step % 8) :][:8]
            loss = model.train_on_batch(images, return_dict=True)["loss"]
            path.append(np.append(weights_of_networks(model), loss))
        paths.append(np.array(path))
    assert np.abs(paths[0][-1] - paths[0][0]).max() > 0.1  # it went somewhere
    for other in paths[1:]:
        np.testing.assert_allclose(other, paths[0], rtol=1e-5, atol=1e-5)


def weights_of_networks(model):
    return np.concatenate([weights(model.encoder), weights(model.decoder)])


@pytest.mark.parametrize(("kind", "implied", "other"), [("i", 50.0, 5.0), ("ii", 5.0, 50.0)])
def test_lambda_d_left_out_has_the_studys_ratio(kind, implied, other):
    losses = []
    for lambda_d in (None, implied, other):
        model = toy(DIPVAE, kind=kind, lambda_od=5.0, lambda_d=lambda_d)
        assert model.get_config()["lambda_d"] == lambda_d
        losses.append(model.train_on_batch(IMAGES[:8], return_dict=True)["loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-6) and losses[2] != losses[0]


def test_the_covariance_of_the_means_becomes_the_identity():
    compiled = {"optimizer": keras.optimizers.Adam(0.03)}
    model = toy(DIPVAE, compiled=compiled, kind="i", lambda_od=100.0)
    model.fit(IMAGES, batch_size=64, epochs=80, verbose=0)
    covariance = np.cov(np.array(model.encoder(IMAGES)[0]).T, bias=True)
    np.testing.assert_allclose(covariance, np.eye(3), atol=0.1)


def test_unknown_kind():
    with pytest.raises(ValueError, match='DIPVAE: kind must be "i" or "ii", got \'iii\''):
        DIPVAE(*toy_networks(), kind="iii")
