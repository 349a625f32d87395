import keras
import numpy as np
import pytest

from tests.methods.disentanglement.toys import toy, toy_images
from tfkit.models import AnnealedVAE

IMAGES = toy_images(64)


def capacities(model, images, **options):
    """What is logged at each step of one epoch in batches of 8."""
    seen = []
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(logs["capacity"])
    )
    model.fit(images, batch_size=8, shuffle=False, verbose=0, callbacks=[watch], **options)
    return np.diff(np.arange(1, len(seen) + 1) * seen, prepend=0)  # from running means


def test_the_first_batch_is_held_at_zero_and_then_the_capacity_grows():
    model = toy(AnnealedVAE, gamma=3.0, c_max=2.0, iteration_threshold=4)
    expected = [0, 0.5, 1, 1.5, 2, 2, 2, 2]
    np.testing.assert_allclose(capacities(model, IMAGES), expected, atol=1e-5)
    assert int(model.step) == 8


@pytest.mark.parametrize("options", ({"steps_per_execution": 4}, {"jit_compile": True}), ids=str)
def test_counts_every_update_however_the_step_is_compiled(options):
    model = toy(AnnealedVAE, compiled=options, gamma=1.0, c_max=8.0, iteration_threshold=8)
    history = model.fit(IMAGES, batch_size=8, verbose=0).history
    assert int(model.step) == 8 and history["capacity"][0] == pytest.approx(np.mean(range(8)))


def test_evaluation_uses_the_step_as_it_is_and_leaves_it():
    model = toy(AnnealedVAE, gamma=1.0, c_max=8.0, iteration_threshold=8)
    model.fit(IMAGES[:24], batch_size=8, verbose=0)
    for _ in range(2):
        logs = model.evaluate(IMAGES, batch_size=8, verbose=0, return_dict=True)
        assert logs["capacity"] == pytest.approx(3.0) and int(model.step) == 3


def test_the_step_is_saved_and_survives_another_optimizer(tmp_path):
    model = toy(AnnealedVAE, gamma=1.0, c_max=8.0, iteration_threshold=8)
    model.fit(IMAGES[:24], batch_size=8, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    loaded.compile(optimizer="sgd")
    logs = loaded.train_on_batch(IMAGES[:8], return_dict=True)
    assert logs["capacity"] == pytest.approx(3.0) and int(loaded.step) == 4


def test_an_update_that_mixed_precision_skips_does_not_count():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = toy(AnnealedVAE, gamma=3.0, c_max=2.0, iteration_threshold=4)
    finally:
        keras.config.set_dtype_policy("float32")
    done = []
    for scale in (2.0**127, 1.0):  # the first overflows
        model.optimizer.dynamic_scale.assign(scale)
        model.train_on_batch(IMAGES[:8])
        done.append(int(model.step))
    assert done == [0, 1]


def test_accumulated_gradients_are_one_update():
    optimizer = keras.optimizers.SGD(0.01, gradient_accumulation_steps=2)
    model = toy(AnnealedVAE, compiled={"optimizer": optimizer}, c_max=8.0, iteration_threshold=8)
    model.fit(IMAGES, batch_size=8, verbose=0)
    assert int(model.step) == 4


def test_it_is_drawn_to_the_capacity_from_below_too():
    """gamma is all that counts: the KL term goes up to 3 nats, from almost nothing."""
    compiled = {"optimizer": keras.optimizers.Adam(0.03)}
    options = {"gamma": 1000.0, "c_max": 3.0, "iteration_threshold": 1}
    model = toy(AnnealedVAE, compiled=compiled, **options)
    model.encoder.get_layer("e1").kernel.assign(np.full((16, 3), 0.01))
    first, *_, last = model.fit(IMAGES[:8], epochs=50, verbose=0).history["kl"]
    assert first < 1.0 and last == pytest.approx(3.0, abs=0.3)


@pytest.mark.parametrize("value", (0, -5))
def test_bad_threshold(value):
    with pytest.raises(ValueError, match=f"iteration_threshold must be >= 1, got {value}"):
        toy(AnnealedVAE, iteration_threshold=value)
