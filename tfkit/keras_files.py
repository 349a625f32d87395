"""Reading `.keras` files that hold classes of tfkit."""

import importlib
from pathlib import Path

from tfkit import catalog


def load_model(path: str | Path, compile: bool = True):
    """A model saved with `model.save("x.keras")`, with every class of tfkit known to Keras.

    Keras can only revive a registered class whose module was imported: plain
    `keras.saving.load_model` answers "Could not locate class" until somebody imports it.

    Args:
        path: the `.keras` file.
        compile: whether optimizer and losses are restored too.
    """
    import keras

    for module in sorted({entry.module for entry in catalog.load().entries if entry.keras}):
        importlib.import_module(module)
    return keras.saving.load_model(path, compile=compile)
