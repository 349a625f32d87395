import keras
import numpy as np
import pytest
import tensorflow as tf

from tfkit.methods.disentanglement import study_decoder, study_encoder
from tfkit.methods.disentanglement.serve import representation, signatures
from tfkit.models import BetaVAE

SHAPE = (16, 16, 1)


@pytest.fixture(scope="module")
def model():
    return BetaVAE(study_encoder(SHAPE, 5), study_decoder(SHAPE, 5))


def images(rows):
    return np.random.default_rng(0).random((rows, *SHAPE)).astype(np.float32)


def test_names_and_inputs_are_the_studys(model):
    served = signatures(model)
    assert list(served) == ["predict", "reconstructions", "gaussian_encoder", "decoder"]
    for name, signature in served.items():
        expected = (
            {"latent_vectors": (None, 5)} if name == "decoder" else {"images": (None, *SHAPE)}
        )
        assert {key: tuple(spec.shape) for key, spec in signature.inputs.items()} == expected
        assert all(spec.dtype == tf.float32 for spec in signature.inputs.values())


@pytest.mark.parametrize("rows", (1, 7))
def test_reconstruction_is_the_decoder_at_the_mean(model, rows):
    served, x = signatures(model), images(rows)
    codes = served["gaussian_encoder"].function(images=x)
    decoded = served["decoder"].function(latent_vectors=codes["mean"])
    for name in ("predict", "reconstructions"):
        answer = served[name].function(images=x)
        assert set(answer) == {"images", "logits"}
        np.testing.assert_allclose(answer["logits"], decoded["logits"], atol=1e-6)
        np.testing.assert_allclose(answer["images"], model(x), atol=1e-6)
    assert codes["logvar"].shape == (rows, 5)
    np.testing.assert_array_equal(representation(model)(x), codes["mean"])


def test_answers_are_float32_under_mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        low = BetaVAE(study_encoder(SHAPE, 5), study_decoder(SHAPE, 5))
    finally:
        keras.config.set_dtype_policy("float32")
    for signature in signatures(low).values():
        inputs = {
            key: np.zeros((2, *spec.shape[1:]), np.float32)
            for key, spec in signature.inputs.items()
        }
        assert all(value.dtype == tf.float32 for value in signature.function(**inputs).values())
    assert representation(low)(images(2)).dtype == tf.float32
