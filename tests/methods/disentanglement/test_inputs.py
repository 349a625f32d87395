"""What every method takes: images of any number type, and files before it is compiled."""

import keras
import numpy as np
import pytest

from tests.methods.disentanglement.toys import (
    KINDS,
    OPTIONS,
    toy,
    toy_images,
    toy_networks,
    weights,
)
from tfkit.models import BetaVAE

ALL = pytest.mark.parametrize("kind", KINDS)


@ALL
@pytest.mark.parametrize("dtype", ("float64", "float16", "uint8"))
def test_images_of_any_number_type(kind, dtype):
    images = np.round(toy_images()).astype(dtype)  # 0 and 1 are the same in every type
    exact = toy(kind).train_on_batch(images.astype("float32"), return_dict=True)
    model = toy(kind)
    logs = model.train_on_batch(images, return_dict=True)
    for name, value in exact.items():
        assert logs[name] == pytest.approx(value, rel=1e-4, abs=1e-4), name
    assert np.isfinite(model.test_on_batch(images, return_dict=True)["loss"])


@ALL
def test_is_saved_before_it_is_compiled(kind, tmp_path):
    model = kind(*toy_networks(), **OPTIONS[kind])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded) is kind
    np.testing.assert_array_equal(weights(loaded), weights(model))


def test_a_class_of_your_own_is_asked_at_each_step_unless_it_says_that_it_is_traced():
    class Counted(BetaVAE):
        asked = 0

        def draw_noise(self, shape):
            type(self).asked += 1
            return np.zeros(shape, "float32")

    def after_steps(kind):
        model = kind(*toy_networks(), beta=1.0)
        model.compile(optimizer="sgd")
        kind.asked = 0
        for _ in range(3):
            model.train_on_batch(toy_images())
        return kind.asked

    assert after_steps(Counted) == 3

    class Traced(Counted):
        traced_chance = True

        def draw_noise(self, shape):
            type(self).asked += 1
            return keras.ops.zeros(shape)

    assert after_steps(Traced) < 3
