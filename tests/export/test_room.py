"""The first room's export: the study's signatures, and the mean as TF-Hub's call."""

import numpy as np
import pytest


@pytest.fixture(scope="module")
def beta_vae(tmp_path_factory):
    """(model, record, images) of a small β-VAE that has seen a few batches."""
    import keras

    from tfkit.export import export_model
    from tfkit.methods.disentanglement import serve, study_decoder, study_encoder
    from tfkit.models import BetaVAE

    keras.utils.set_random_seed(0)
    images = np.random.default_rng(0).random((16, 64, 64, 1)).astype("float32")
    model = BetaVAE(study_encoder((64, 64, 1), 4), study_decoder((64, 64, 1), 4))
    model.compile(optimizer="adam")
    model.train_on_batch(images)
    home = tmp_path_factory.mktemp("savedmodels")
    record = export_model(
        model, serve, name="beta-vae", examples={"images": images}, destination=home
    )
    return model, record, images


def test_signatures_are_the_studys(beta_vae):
    signatures = beta_vae[1]["signatures"]
    assert list(signatures)[0] == "predict"
    assert {"reconstructions", "gaussian_encoder", "decoder"} < set(signatures)
    assert list(signatures["decoder"]["inputs"]) == ["latent_vectors"]
    assert set(signatures["gaussian_encoder"]["outputs"]) == {"mean", "logvar"}


def test_hub_call_gives_the_mean(beta_vae):
    import tensorflow as tf
    import tensorflow_hub as hub

    model, record, images = beta_vae
    codes = hub.load(record["folder"])(tf.constant(images))
    np.testing.assert_allclose(codes, model.encoder(images, training=False)[0], atol=1e-5)


def test_predict_rebuilds_images_the_same_each_time(beta_vae):
    import tensorflow as tf

    model, record, images = beta_vae
    predict = tf.saved_model.load(record["folder"]).signatures["predict"]
    answers = [predict(images=tf.constant(images)) for _ in range(2)]
    np.testing.assert_array_equal(answers[0]["images"], answers[1]["images"])
    mean = model.encoder(images, training=False)[0]
    logits = np.asarray(model.decoder(mean, training=False))
    np.testing.assert_allclose(answers[0]["logits"], logits, atol=1e-5)
