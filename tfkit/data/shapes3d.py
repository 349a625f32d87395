"""Shapes3D (Burgess and Kim 2018) from its official file."""

from functools import partial
from typing import Literal

from tfkit.data.archives import Archive, one_of_each, reading
from tfkit.data.combinations import kept_rows, kept_values
from tfkit.data.finding import find
from tfkit.data.shrinking import checked_size
from tfkit.data.source import Source
from tfkit.data.stored import StoredGrid, images_of

FACTORS = ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation")
_LAYOUT = (
    "3dshapes.h5 (255 MiB), or an npz, with images uint8 480000 x 64 x 64 x 3 and labels float64 "
    "480000 x 6, all combinations of 10 x 10 x 10 x 8 x 4 x 15 values with the orientation the "
    "fastest; from https://github.com/google-deepmind/3d-shapes"
)


def load(
    path: str,
    image_size: Literal[16, 32, 64] = 64,
    values: list[int] | None = None,
    validation_size: int = 10_000,
    test_size: int = 10_000,
    correlated: tuple[str, str] | None = None,
    correlation_width: float = 0.2,
    excluded: list[dict[str, list[int]]] | None = None,
) -> Source:
    """One object in a coloured room, from six factors.

        floor_hue 10, wall_hue 10, object_hue 10, scale 8, shape 4, orientation 15: 480,000 images

    Training draws the images that are not held out with replacement; the held-out ones are the same
    for every seed. All images are held in memory: 5.9 GB at 64 pixels, 0.7 GB at 16.

    Gives: images, factors
    Args:
        path: 3dshapes.h5, or an npz with the same arrays; a relative path is looked for under
            $TFKIT_DATA, then here.
        image_size: side in pixels; 16 and 32 are averages over the pixels of 64.
        values: how many values are kept of each factor, evenly spaced; null keeps all.
        validation_size: held-out images for choosing, in [1, 100000].
        test_size: held-out images for reporting, in [1, 100000].
        correlated: two factors that are correlated in training, such as [wall_hue, scale].
        correlation_width: how far correlated factors stray, > 0; see dsprites.
        excluded: combinations that training never shows, such as [{shape: [2], scale: [0, 1]}].
    Raises:
        DataMissing: no such file, or not of the official layout.
        ValueError: options out of range, or nothing left to train on.
    References: Burgess and Kim 2018, https://github.com/google-deepmind/3d-shapes
    """
    sampling = {
        "validation_size": validation_size,
        "test_size": test_size,
        "correlated": correlated,
        "correlation_width": correlation_width,
        "excluded": excluded,
    }
    checked_size("shapes3d", image_size)
    file = find("shapes3d", path, _LAYOUT)
    sizes = dict(zip(FACTORS, _sizes(file), strict=True))
    kept = kept_values("shapes3d", sizes, values)
    rows = kept_rows(tuple(sizes.values()), kept)
    read = partial(images_of, "shapes3d", file, _LAYOUT, "images", rows, image_size)
    known = {name: len(left) for name, left in zip(FACTORS, kept, strict=True)}
    shape = (image_size, image_size, 3)
    return StoredGrid("shapes3d", known, shape, read, f"Shapes3D, {file.name}", **sampling)


def _sizes(file):
    """The numbers of values of the factors, from the table of labels."""
    with reading("shapes3d", file, _LAYOUT), Archive(file) as archive:
        images = archive.array("images", "u", None, 64, 64, 3)
        labels = archive.array("labels", "f", images.shape[0], len(FACTORS))
        return one_of_each(labels.whole())
