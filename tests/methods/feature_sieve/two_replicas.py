"""Run by test_updates.py in its own process: logical devices must be made before the first op."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from tests.methods.feature_sieve import toys  # noqa: E402
from tfkit.layers import DenseReadout  # noqa: E402
from tfkit.models import FeatureSieve  # noqa: E402

DECAYS = {"weight_decay": 0.01, "readout_weight_decay": 0.01}


def build():
    """Nothing of a batch is in it: statistics would be each replica's own."""
    lower, upper, _ = toys.parts()
    readout = DenseReadout(3, normalization="none")
    return toys.by_sgd(FeatureSieve(lower, upper, readout, forget_every=1, **DECAYS), 0.1, 0.1, 0.1)


def train(model):
    keras.utils.set_random_seed(0)
    rows = tf.data.Dataset.from_tensor_slices(toys.blobs()).batch(16)
    history = model.fit(rows, epochs=2, verbose=0).history
    return np.concatenate([value.ravel() for value in model.get_weights()]), history


def main():
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    weights, history = train(build())
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        model = build()
    shared_weights, shared_history = train(model)
    np.testing.assert_allclose(shared_weights, weights, atol=1e-5)
    for name, values in history.items():
        np.testing.assert_allclose(shared_history[name], values, rtol=1e-4, err_msg=name)


if __name__ == "__main__":
    main()
