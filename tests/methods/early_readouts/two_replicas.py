"""Run by test_mirrored.py in its own process: logical devices must be made before the first op."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from tests.methods.early_readouts.tasks import network, shortcut  # noqa: E402
from tests.methods.early_readouts.test_stages import recipe  # noqa: E402
from tests.train import runs  # noqa: E402
from tfkit.methods.early_readouts import write_audit  # noqa: E402
from tfkit.models import DebiasedDistillation  # noqa: E402

X, Y, _ = shortcut(rows=80)


def build():
    model = DebiasedDistillation(
        network(8), network(6, seed=9), "hidden_1", len(Y), memory="surest", readout_epochs=5
    )
    model.compile(keras.optimizers.Adam(1e-2))
    return model


def train(model):
    data = tf.data.Dataset.from_tensor_slices((X, Y, np.arange(len(Y)))).batch(20)
    for _ in range(2):  # the second assigns the teacher's table that the first has made
        model.fit(data, epochs=2, verbose=0)
    return [
        np.array(weight) for weight in model.student.get_weights()
    ], model.sample_weights.numpy()


def scope(folder):
    """A model made in the scope of a strategy, beside one that is not."""
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    weights, sample_weights = train(build())
    with strategy.scope():
        model = build()
    shared, shared_weights = train(model)
    assert model.distribute_strategy.num_replicas_in_sync == 2 and sample_weights.max() > 1
    for one, other in zip(weights, shared, strict=True):
        np.testing.assert_allclose(other, one, atol=1e-5)
    np.testing.assert_allclose(shared_weights, sample_weights, rtol=1e-3)
    assert model.updates.numpy() == 16 and model.ledger.rounds.numpy() == 3
    write_audit(model, folder / "weights.csv", label=Y)


def in_a_recipe(folder):
    """`train.strategy: mirrored`, in a process of its own: strategies share collective keys."""
    _, assembly = runs.run(folder / "run", recipe(strategy="mirrored"))
    assert assembly.model.distribute_strategy.num_replicas_in_sync == 2
    assert assembly.model.ledger.rounds.numpy() == 2


if __name__ == "__main__":
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    {"scope": scope, "recipe": in_a_recipe}[sys.argv[1]](Path(sys.argv[2]))
