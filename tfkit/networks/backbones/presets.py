"""Backbones of keras-hub, from a folder of the user's or by keras-hub's name for them."""

from contextlib import contextmanager

import keras

from tfkit.data.finding import find
from tfkit.errors import DataMissing

_LAYOUT = (
    "a preset of keras-hub: a folder with config.json and model.weights.h5 (of images also "
    "image_converter.json), as save_to_preset(folder) of a backbone and its converter write it, or "
    "as it is downloaded from https://www.kaggle.com/organizations/keras/models"
)


def located(owner: str, preset: str) -> str:
    """The folder meant by `preset`, under $TFKIT_DATA or here; else the name, if keras-hub has it.

    A folder is never looked for in the network; a name is what keras-hub downloads, or has already.

    Raises:
        DataMissing: neither, or a folder without a preset.
    """
    import keras_hub

    try:
        folder = find(owner, preset, _LAYOUT, "folder")
    except DataMissing:
        if "://" in preset or preset in keras_hub.models.Backbone.presets:
            return preset
    else:
        if (folder / "config.json").is_file():
            return str(folder)
        raise DataMissing(f"{owner}: {folder} has no config.json; expected {_LAYOUT}.")
    raise DataMissing(
        f"{owner}: preset {preset} is no folder under $TFKIT_DATA or here, and keras-hub has none "
        f"of that name; expected {_LAYOUT}."
    )


def read(owner: str, preset: str, kinds: tuple, pretrained: bool, **options) -> keras.Model:
    """The backbone of a preset.

    Args:
        owner: the network's name, for messages.
        preset: as `located` gives it.
        kinds: classes of keras-hub, of which it must be.
        pretrained: with its weights, or random ones.
        **options: of the backbone, which go over the preset's.
    Raises:
        DataMissing: files are missing, or broken.
        ValueError: a backbone of another kind.
    """
    import keras_hub

    policy = keras.config.dtype_policy().name  # not that of the computation that wrote the preset
    with reading(owner, preset):
        found = keras_hub.models.Backbone.from_preset(
            preset, load_weights=pretrained, dtype=policy, **options
        )
    if not isinstance(found, kinds):
        known = " or ".join(kind.__name__ for kind in kinds)
        raise ValueError(
            f"{owner}: preset must be one of a {known}, got a {type(found).__name__} in {preset}."
        )
    return found


@contextmanager
def reading(owner: str, preset: str):
    """What the file system refuses is missing data."""
    try:
        yield
    except OSError as error:
        raise DataMissing(f"{owner}: preset {preset}: {error}; expected {_LAYOUT}.") from error


def apart(network: keras.Model) -> keras.Model:
    """The same network of layers of its own, with the same weights.

    Layers of a backbone were called in it before, and `layer.output` is what the first call gave.
    """
    own = keras.models.clone_model(network)
    own.set_weights(network.get_weights())
    return own
