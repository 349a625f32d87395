"""A task with a shortcut, small enough for tests, and networks for it."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from tfkit.models import DebiasedDistillation


def shortcut(rows=400, seed=0, agree=0.9):
    """x [N, 6]: a clear number that mostly tells the label, and five faint ones that always do."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 2, rows)
    clear = np.where(generator.random(rows) < agree, labels, 1 - labels)
    faint = 0.4 * (2 * labels - 1)[:, None] + generator.normal(size=(rows, 5))
    x = np.concatenate([3.0 * (2 * clear - 1)[:, None], faint], axis=1)
    return x.astype("float32"), labels.astype("int32"), clear


def network(*units, inputs=6, classes=2, seed=0, normalize=False, drop=0.0):
    """A perceptron whose hidden layers are hidden_1, hidden_2 … and may have more behind them."""
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((inputs,))])
    for number, width in enumerate(units, start=1):
        model.add(layers.Dense(width, "relu", name=f"hidden_{number}"))
        if normalize:
            model.add(layers.BatchNormalization(name=f"norm_{number}"))
        if drop:
            model.add(layers.Dropout(drop, name=f"drop_{number}"))
    model.add(layers.Dense(classes, name="logits"))
    return model


def values(model):
    """Copies of all variables of a network."""
    return [np.array(variable) for variable in model.variables]


def same(one, other):
    """Whether two lists of arrays are equal in every bit."""
    return len(one) == len(other) and all(map(np.array_equal, one, other))


X, Y, CLEAR = shortcut()
ROWS = np.arange(len(Y))
CONFLICT = CLEAR != Y


def made(student=None, teacher=None, seed=0, **options):
    """A compiled model for the task; a teacher that has learned nothing unless one is given."""
    student = student or network(8, 8, seed=seed)
    given = {"readout_layer": "hidden_1", "num_train": len(Y), "readout_epochs": 20, **options}
    model = DebiasedDistillation(student, teacher or network(16, seed=9), **given)
    model.compile(keras.optimizers.Adam(1e-2))
    return model


def weights(model):
    """Of all rows, [N]."""
    return np.asarray(model.sample_weights)


def batches(size=50, shuffle=None):
    """The task as a data set of (x, y, index)."""
    dataset = tf.data.Dataset.from_tensor_slices((X, Y, ROWS))
    if shuffle is not None:
        dataset = dataset.shuffle(len(Y), seed=shuffle)
    return dataset.batch(size)
