"""Reading `.keras` files that hold classes of tfkit."""

import importlib
import zipfile
from pathlib import Path

from tfkit import catalog
from tfkit.extras import need


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
    if _holds_keras_hub(path):
        need(f"reading {path}", "text", "keras_hub")
    return keras.saving.load_model(path, compile=compile)


def _holds_keras_hub(path) -> bool:
    """Whether classes of keras-hub are in the file."""
    if not zipfile.is_zipfile(path):
        return False  # Keras says what is wrong with it
    with zipfile.ZipFile(path) as file:
        return "config.json" in file.namelist() and b"keras_hub" in file.read("config.json")
