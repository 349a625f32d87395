"""Small sieves, and data for them."""

import keras
import numpy as np

from tfkit.models import FeatureSieve


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


def compiled(model, **options):
    """With Adam for what learns, SGD for what forgets; `options` replace any of it."""
    given = {
        "optimizer": keras.optimizers.Adam(1e-2),
        "readout_optimizer": keras.optimizers.Adam(1e-2),
        "forget_optimizer": keras.optimizers.SGD(0.1),
        "jit_compile": False,
    }
    model.compile(**{**given, **options})
    return model


def by_sgd(model, main=0.0, readout=0.0, forget=0.0):
    """Compiled so that each update moves by its rate times its gradient; at rate 0 it rests."""
    rates = {"optimizer": main, "readout_optimizer": readout, "forget_optimizer": forget}
    return compiled(model, **{name: keras.optimizers.SGD(rate) for name, rate in rates.items()})


def sieve(seed=0, jit_compile=False, norm=False, dropout=0.0, **options):
    """A compiled sieve of `parts`."""
    given = parts(seed, norm=norm, dropout=dropout)
    return compiled(FeatureSieve(*given, **options), jit_compile=jit_compile)


def two_sieves(**options):
    """Two segments, each with its own readout, not compiled."""
    keras.utils.set_random_seed(0)
    lower = [dense((6,), 8), dense((8,), 7)]
    readout = [dense((8,), last=3), dense((7,), last=3)]
    return FeatureSieve(lower, dense((7,), last=3), readout, **options)


def values(variables):
    """Copies on the host."""
    return [np.array(variable) for variable in variables]


def moved(before, variables):
    """Which variables are another number now."""
    return [not np.array_equal(a, np.array(b)) for a, b in zip(before, variables, strict=True)]
