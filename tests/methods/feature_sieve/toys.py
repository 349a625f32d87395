"""Small sieves, and data for them."""

import keras
import numpy as np


def blobs(rows=32, features=6, classes=3, seed=0, dtype="float32"):
    """Class centres plus noise.  -> x [N, D], y [N]"""
    generator = np.random.default_rng(seed)
    y = generator.integers(0, classes, rows)
    x = generator.normal(size=(classes, features))[y] + 0.5 * generator.normal(
        size=(rows, features)
    )
    return x.astype(dtype), y.astype("int32")


def dense(shape, *units, dtype=None, last=None, norm=False, dropout=0.0):
    """Dense layers with ReLU; `last` units without.  [B, D] -> [B, units]"""
    network = keras.Sequential([keras.Input(shape, dtype=dtype)])
    for width in units:
        network.add(keras.layers.Dense(width, dtype=dtype))
        if norm:
            network.add(keras.layers.BatchNormalization(dtype=dtype))
        network.add(keras.layers.ReLU(dtype=dtype))
        if dropout:
            network.add(keras.layers.Dropout(dropout, dtype=dtype))
    if last:
        network.add(keras.layers.Dense(last, dtype=dtype))
    return network


def parts(seed=0, dtype=None, **options):
    """Lower, upper and readout for `blobs`."""
    keras.utils.set_random_seed(seed)
    return (
        dense((6,), 8, dtype=dtype, **options),
        dense((8,), 5, dtype=dtype, last=3, **options),
        dense((8,), dtype=dtype, last=3),
    )


def values(variables):
    """Copies on the host."""
    return [np.array(variable) for variable in variables]


def moved(before, variables):
    """Which variables are another number now."""
    return [not np.array_equal(a, np.array(b)) for a, b in zip(before, variables, strict=True)]
