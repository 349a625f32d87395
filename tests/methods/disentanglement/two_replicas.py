"""Run by test_model.py in its own process: logical devices must be made before the first op."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from tests.methods.disentanglement.toys import KINDS, toy  # noqa: E402
from tfkit.models import AnnealedVAE, FactorVAE  # noqa: E402

# on the class, since a function of the instance would make the model run eagerly
FIXED = {
    "draw_noise": lambda self, shape: 0.3 * tf.ones(shape),
    "permute_codes": lambda self, codes: -codes,
}


def build(kind):
    compiled = {"optimizer": keras.optimizers.SGD(0.01)}
    if kind is FactorVAE:
        compiled["discriminator_optimizer"] = keras.optimizers.SGD(0.01)
    return toy(kind, compiled=compiled)


def train(model, images):
    kind = type(model)
    model.__class__ = type(kind.__name__, (kind,), FIXED)
    data = tf.data.Dataset.from_tensor_slices(images).batch(8)
    history = model.fit(data, epochs=2, verbose=0).history
    return np.concatenate([value.ravel() for value in model.get_weights()]), history


def draws(strategy, model):
    """Each replica's own noise and permutation."""
    noise = strategy.run(lambda: model.draw_noise((4, 3)))
    yield strategy.experimental_local_results(noise)
    if isinstance(model, FactorVAE):
        rows = tf.tile(tf.range(64.0)[:, None], (1, 3))
        permuted = strategy.run(lambda: model.permute_codes(rows))
        yield strategy.experimental_local_results(permuted)


def main():
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    images = np.random.default_rng(0).random((16, 4, 4, 1)).astype(np.float32)
    images[0:4] = images[8:12] = 0.0  # one replica's KL term is below the capacity, one's above
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    for kind in KINDS:
        weights, history = train(build(kind), images)
        with strategy.scope():
            model = build(kind)
        for one, other in draws(strategy, model):
            assert not np.array_equal(one, other), f"both replicas of {kind.__name__} draw the same"
        shared_weights, shared_history = train(model, images)
        np.testing.assert_allclose(shared_weights, weights, atol=1e-5, err_msg=kind.__name__)
        for name, values in history.items():
            np.testing.assert_allclose(shared_history[name], values, rtol=1e-4, err_msg=name)
        assert not isinstance(model, AnnealedVAE) or model.step.numpy() == 4


if __name__ == "__main__":
    main()
