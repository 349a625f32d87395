import keras
import numpy as np
import pytest

from tfkit.layers.padding import MaskedBlock

keras_hub = pytest.importorskip("keras_hub", reason="keras-hub is not installed")

REAL = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1], [1, 0, 0, 0, 0]], bool)


def test_it_is_the_block_with_the_mask_at_real_places_and_nothing_elsewhere():
    x = np.random.default_rng(0).normal(size=(3, 5, 8)).astype("float32") * REAL[..., None]
    block = keras_hub.layers.TransformerEncoder(16, 2)
    found = np.asarray(MaskedBlock(block)(x))
    wanted = np.asarray(block(x, padding_mask=REAL))
    np.testing.assert_allclose(found[REAL], wanted[REAL], atol=1e-6)
    assert np.all(found[~REAL] == 0) and np.abs(wanted[~REAL]).min() > 0


def test_it_is_rebuilt_from_its_config():
    layer = MaskedBlock(keras_hub.layers.TransformerEncoder(16, 2), name="block_7")
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert again.name == "block_7" and again.layer.num_heads == 2
