"""Cars3D (Reed et al. 2015) from its MAT files."""

import zlib
from functools import partial
from typing import Literal

import numpy as np
from PIL import Image

from tfkit.data.archives import empty
from tfkit.data.combinations import kept_values
from tfkit.data.finding import find
from tfkit.data.shrinking import SIDE, checked_size, summed, summed_type
from tfkit.data.source import Source
from tfkit.data.stored import StoredGrid
from tfkit.errors import DataMissing

FACTORS = ("elevation", "azimuth", "object")
_SHAPE = (128, 128, 3, 24, 4)  # height, width, channels, azimuth, elevation
_LAYOUT = (
    "a folder of 183 MAT files, one a car, with im uint8 128 x 128 x 3 x 24 x 4 (height, width, "
    "channels, azimuth, elevation): the folder data/cars of nips2015-analogy-data.tar.gz from "
    "http://www.scottreed.info/files/nips2015-analogy-data.tar.gz"
)


def load(
    path: str,
    image_size: Literal[16, 32, 64] = 64,
    objects: int = 183,
    values: list[int] | None = None,
    validation_size: int = 1_000,
    test_size: int = 1_000,
    correlated: tuple[str, str] | None = None,
    correlation_width: float = 0.2,
    excluded: list[dict[str, list[int]]] | None = None,
) -> Source:
    """Rendered cars on white, from three factors.

        elevation 4, azimuth 24, object 183: 17,568 images of 128 x 128, made 64 x 64 by Lanczos

    Cars are numbered by the names of their files. (The study's reference numbers them as the file
    system lists them.) Training draws the images that are not held out with replacement; the
    held-out ones are the same for every seed. 216 MB in memory at 64 pixels.

    Gives: images, factors
    Args:
        path: the folder with the MAT files; a relative path is looked for under $TFKIT_DATA, then
            here.
        image_size: side in pixels; 16 and 32 are averages over the pixels of 64.
        objects: MAT files that must be there, >= 1; 183 is the whole set.
        values: how many values are kept of each factor, evenly spaced (azimuths evenly round the
            circle); null keeps all.
        validation_size: held-out images for choosing, in [1, 100000].
        test_size: held-out images for reporting, in [1, 100000].
        correlated: two factors that are correlated in training, such as [azimuth, object].
        correlation_width: how far correlated factors stray, > 0; see dsprites.
        excluded: combinations that training never shows, such as [{azimuth: [0, 1], object: [7]}].
    Raises:
        DataMissing: no such folder, another number of files, or one not of the official layout.
        ValueError: options out of range, or nothing left to train on.
    References: Reed et al. 2015, "Deep Visual Analogy-Making", NeurIPS 2015; the models: Fidler et
        al. 2012, "3D Object Detection and Viewpoint Estimation with a Deformable 3D Cuboid Model".
    """
    sampling = {
        "validation_size": validation_size,
        "test_size": test_size,
        "correlated": correlated,
        "correlation_width": correlation_width,
        "excluded": excluded,
    }
    checked_size("cars3d", image_size)
    if objects < 1:
        raise ValueError(f"cars3d: objects must be >= 1, got {objects}.")
    folder = find("cars3d", path, _LAYOUT, "folder")
    files = sorted(folder.glob("*.mat"), key=lambda file: file.name)
    if len(files) != objects:
        raise DataMissing(
            f"cars3d: {len(files)} MAT files in {folder}, not {objects}; expected {_LAYOUT}."
        )
    sizes = dict(zip(FACTORS, (_SHAPE[4], _SHAPE[3], objects), strict=True))
    kept = kept_values("cars3d", sizes, values, {"azimuth": _SHAPE[3]})
    read = partial(_images, files, kept, image_size)
    known = {name: len(left) for name, left in zip(FACTORS, kept, strict=True)}
    shape = (image_size, image_size, 3)
    return StoredGrid("cars3d", known, shape, read, f"Cars3D, {objects} objects", **sampling)


def _images(files, kept, size):
    """Images of the kept combinations, in the order of the grid.  -> [N, S, S, 3]"""
    elevation, azimuth, car = kept
    grid = empty((len(elevation), len(azimuth), len(car), size, size, 3), summed_type(size))
    for place, number in enumerate(car):
        views = _mesh(files[number])[:, :, :, azimuth][..., elevation].transpose(4, 3, 0, 1, 2)
        small = np.stack([_resized(view) for view in views.reshape(-1, *_SHAPE[:3])])
        shape = (len(elevation), len(azimuth), size, size, 3)
        grid[:, :, place] = summed(small, size).reshape(shape)
    return grid.reshape(-1, size, size, 3)


def _mesh(file):
    """All views of one car, as the file has them."""
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    broken = (OSError, EOFError, ValueError, TypeError, NotImplementedError, KeyError, zlib.error)
    try:
        stored = loadmat(file, variable_names=["im"])
    except (*broken, MatReadError) as error:
        raise DataMissing(f"cars3d: {file}: {error}; expected {_LAYOUT}.") from error
    if "im" not in stored:
        raise DataMissing(f"cars3d: {file}: it has no array im; expected {_LAYOUT}.")
    mesh = stored["im"]
    if mesh.dtype != np.uint8 or mesh.shape != _SHAPE:
        raise DataMissing(
            f"cars3d: {file}: im is {mesh.dtype} of shape {mesh.shape}; expected {_LAYOUT}."
        )
    return mesh


def _resized(view):
    picture = Image.fromarray(np.ascontiguousarray(view))
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS))
