"""MPI3D (Gondal et al. 2019) from its official files."""

import math
from functools import partial
from typing import Literal

from tfkit.data.archives import Archive, reading
from tfkit.data.combinations import kept_rows, kept_values
from tfkit.data.finding import find
from tfkit.data.shrinking import checked_size
from tfkit.data.source import Source
from tfkit.data.stored import StoredGrid, images_of

FACTORS = ("color", "shape", "size", "height", "background", "axis_1", "axis_2")
# numbers of values by number of images: toy, realistic and real; complex and the competition's toy
_SIZES = {
    1_036_800: (6, 6, 2, 3, 3, 40, 40),
    460_800: (4, 4, 2, 3, 3, 40, 40),
}
_LAYOUT = (
    "an npz with images uint8 N x 64 x 64 x 3, N = 1036800 (toy, realistic, real) or 460800 "
    "(complex shapes, competition), all combinations of 6 x 6 (or 4 x 4) x 2 x 3 x 3 x 40 x 40 "
    "values with the second axis the fastest; from "
    "https://github.com/rr-learning/disentanglement_dataset"
)


def load(
    path: str,
    image_size: Literal[16, 32, 64] = 64,
    grid: list[int] | None = None,
    values: list[int] | None = None,
    validation_size: int = 10_000,
    test_size: int = 10_000,
    correlated: tuple[str, str] | None = None,
    correlation_width: float = 0.2,
    excluded: list[dict[str, list[int]]] | None = None,
) -> Source:
    """A robot's arm that holds an object, simulated or photographed, from seven factors.

        color 6, shape 6, size 2, height 3, background 3, axis_1 40, axis_2 40: 1,036,800 images
        color 4, shape 4 in the complex shapes and in the competition's files:    460,800 images

    Which of the two, the number of images tells. Training draws the images that are not held out
    with replacement; the held-out ones are the same for every seed. All images are held in memory:
    12.7 GB (or 5.7 GB) at 64 pixels, 1.6 GB (or 0.7 GB) at 16.

    Gives: images, factors
    Args:
        path: an npz file with the array `images`; a relative path is looked for under $TFKIT_DATA,
            then here.
        image_size: side in pixels; 16 and 32 are averages over the pixels of 64.
        grid: the numbers of values of the seven factors in a file of another size; null for the
            official files.
        values: how many values are kept of each factor, evenly spaced; null keeps all.
        validation_size: held-out images for choosing, in [1, 100000].
        test_size: held-out images for reporting, in [1, 100000].
        correlated: two factors that are correlated in training, such as [color, size].
        correlation_width: how far correlated factors stray, > 0; see dsprites.
        excluded: combinations that training never shows, such as [{shape: [2], size: [0]}].
    Raises:
        DataMissing: no such file, or not of the official layout.
        ValueError: options out of range, or nothing left to train on.
    References: Gondal et al. 2019, arXiv:1906.03292.
    """
    sampling = {
        "validation_size": validation_size,
        "test_size": test_size,
        "correlated": correlated,
        "correlation_width": correlation_width,
        "excluded": excluded,
    }
    checked_size("mpi3d", image_size)
    file = find("mpi3d", path, _LAYOUT)
    sizes = dict(zip(FACTORS, _sizes(file, grid), strict=True))
    kept = kept_values("mpi3d", sizes, values)
    rows = kept_rows(tuple(sizes.values()), kept)
    read = partial(images_of, "mpi3d", file, _LAYOUT, "images", rows, image_size)
    known = {name: len(left) for name, left in zip(FACTORS, kept, strict=True)}
    shape = (image_size, image_size, 3)
    return StoredGrid("mpi3d", known, shape, read, f"MPI3D, {file.name}", **sampling)


def _sizes(file, grid):
    """The numbers of values of the factors: those told, or those of a file with so many images."""
    if grid is not None and (len(grid) != len(FACTORS) or min(grid) < 1):
        raise ValueError(
            f"mpi3d: grid must be the numbers of values of {', '.join(FACTORS)}, got {grid}."
        )
    with reading("mpi3d", file, _LAYOUT), Archive(file) as archive:
        count = archive.array("images", "u", None, 64, 64, 3).shape[0]
        sizes = tuple(grid or _SIZES.get(count, ()))
        if not sizes:
            known = " or ".join(map(str, _SIZES))
            raise ValueError(f"images are {count}, not {known}; another grid must be told in grid")
        if math.prod(sizes) != count:
            raise ValueError(f"images are {count}, not {math.prod(sizes)} as grid tells")
        return sizes
