"""A small task whose groups differ in size, and networks for it."""

import keras
import numpy as np

COUNTS = [24, 6, 8, 26]


def task(seed=0):
    """Inputs [64, 3], labels [64], groups [64] with the sizes of COUNTS."""
    generator = np.random.default_rng(seed)
    groups = np.repeat(np.arange(4), COUNTS)
    labels, attribute = groups // 2, groups % 2
    inputs = generator.normal(size=(64, 3)).astype("float32")
    inputs[:, 0] += labels
    inputs[:, 1] += 3 * attribute
    return inputs, labels.astype("int32"), groups.astype("int32")


def network(units=(5,), seed=0, classes=2):
    """A small classifier."""
    keras.utils.set_random_seed(seed)
    hidden = inputs = keras.Input((3,), name="inputs")
    for width in units:
        hidden = keras.layers.Dense(width, activation="relu")(hidden)
    return keras.Model(inputs, keras.layers.Dense(classes, name="logits")(hidden))


def cross_entropy(logits, labels):
    """By NumPy.  [B, C], [B] -> [B]"""
    logits = np.asarray(logits, "float64")
    logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return -logs[np.arange(len(labels)), labels]
