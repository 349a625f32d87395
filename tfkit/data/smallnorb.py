"""SmallNORB (LeCun et al. 2004) from its official files."""

import gzip
import math
import struct
import zlib
from functools import partial
from typing import Literal

import numpy as np
from PIL import Image

from tfkit.data.archives import empty
from tfkit.data.combinations import kept_rows, kept_values
from tfkit.data.finding import find
from tfkit.data.shrinking import SIDE, checked_size, summed, summed_type
from tfkit.data.source import Source
from tfkit.data.stored import StoredGrid
from tfkit.errors import DataMissing

FACTORS = ("category", "elevation", "azimuth", "lighting")
_PARTS = ("5x46789x9x18x6x2x96x96-training", "5x01235x9x18x6x2x96x96-testing")
_CAMERA = (96, 96)
_MAGIC = {0x1E3D4C55: "u1", 0x1E3D4C54: "<i4", 0x1E3D4C51: "<f4", 0x1E3D4C53: "<f8"}
_LAYOUT = (
    "a folder with smallnorb-5x46789x9x18x6x2x96x96-training-{dat,cat,info}.mat and "
    "smallnorb-5x01235x9x18x6x2x96x96-testing-{dat,cat,info}.mat, or these as .mat.gz: dat bytes "
    "24300 x 2 x 96 x 96, cat integers 24300, info integers 24300 x 4 (instance, elevation, "
    "azimuth, lighting), behind a header that begins with 0x1E3D4C55 or 0x1E3D4C54; from "
    "https://cs.nyu.edu/~ylclab/data/norb-v1.0-small/"
)


def load(
    path: str,
    image_size: Literal[16, 32, 64] = 64,
    values: list[int] | None = None,
    validation_size: int = 2_500,
    test_size: int = 2_500,
    correlated: tuple[str, str] | None = None,
    correlation_width: float = 0.2,
    excluded: list[dict[str, list[int]]] | None = None,
) -> Source:
    """Photographs of toys, from four factors.

        category 5, elevation 9, azimuth 18, lighting 6; ten toys of each category: 48,600 images

    The toy is observation noise: it is drawn anew at every access. The left camera's image of
    96 x 96 is made 64 x 64 by Lanczos. The official split by toys is not used, as in the study:
    training draws the images that are not held out with replacement, and the held-out ones are the
    same for every seed. 199 MB in memory at 64 pixels.

    Gives: images, factors
    Args:
        path: the folder with the six files; a relative path is looked for under $TFKIT_DATA, then
            here.
        image_size: side in pixels; 16 and 32 are averages over the pixels of 64.
        values: how many values are kept of each factor, evenly spaced (azimuths evenly round the
            circle); null keeps all.
        validation_size: held-out images for choosing, in [1, 100000].
        test_size: held-out images for reporting, in [1, 100000].
        correlated: two factors that are correlated in training, such as [category, azimuth].
        correlation_width: how far correlated factors stray, > 0; see dsprites.
        excluded: combinations that training never shows, such as [{category: [2], azimuth: [0]}].
    Raises:
        DataMissing: no such folder, a file missing, cut off, or not of the official layout.
        ValueError: options out of range, or nothing left to train on.
    References: LeCun, Huang and Bottou 2004, "Learning methods for generic object recognition with
        invariance to pose and lighting", CVPR 2004.
    """
    sampling = {
        "validation_size": validation_size,
        "test_size": test_size,
        "correlated": correlated,
        "correlation_width": correlation_width,
        "excluded": excluded,
    }
    checked_size("smallnorb", image_size)
    folder = find("smallnorb", path, _LAYOUT, "folder")
    labels = np.concatenate([_labels(folder, part) for part in _PARTS])  # [N, 5]
    sizes, order = _grid(folder, labels)
    kept = kept_values("smallnorb", sizes, values, {"azimuth": sizes["azimuth"]})
    order = order[kept_rows(tuple(sizes.values()), kept)]  # [combinations, instances]
    read = partial(_images, folder, len(labels), order.ravel(), image_size)
    known = {name: len(left) for name, left in zip(FACTORS, kept, strict=True)}
    sampling["images_each"] = order.shape[1]
    shape = (image_size, image_size, 1)
    return StoredGrid("smallnorb", known, shape, read, "SmallNORB", **sampling)


def _labels(folder, part):
    """Category, elevation, azimuth, lighting and instance of the images of a part.  -> [N, 5]"""
    category = _matrix(folder, part, "cat", "<i4", (None,))
    info = _matrix(folder, part, "info", "<i4", (len(category), 4))
    instance, elevation, azimuth, lighting = info.T  # azimuths are 0, 2, … 34: `_grid` counts them
    return np.stack([category, elevation, azimuth, lighting, instance], axis=1)


def _grid(folder, labels):
    """{factor: classes}, and the rows of the images of each combination, by their instances.

    -> dict, [combinations, instances]
    """
    sizes = {name: len(np.unique(column)) for name, column in zip(FACTORS, labels.T, strict=False)}
    order = np.lexsort(labels.T[::-1])
    found, each = np.unique(labels[:, :4], axis=0, return_counts=True)
    different = len(np.unique(labels, axis=0)) == len(labels)
    if len(found) != math.prod(sizes.values()) or len(set(each)) != 1 or not different:
        raise DataMissing(
            f"smallnorb: the {len(labels)} images in {folder} are not all combinations of "
            f"{' x '.join(map(str, sizes.values()))} classes, each once an instance; "
            f"expected {_LAYOUT}."
        )
    return sizes, order.reshape(len(found), each[0])


def _images(folder, count, rows, size):
    """Images by their numbers in both parts, made smaller.  [N] -> [N, S, S, 1]"""
    images = empty((len(rows), size, size, 1), summed_type(size))
    first = 0
    for part in _PARTS:
        stored = _matrix(folder, part, "dat", "u1", (None, 2, *_CAMERA))
        for place in np.flatnonzero((rows >= first) & (rows < first + len(stored))):
            picture = Image.fromarray(stored[rows[place] - first, 0])  # the left camera
            small = np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS))
            images[place] = summed(small[None, :, :, None], size)[0]
        first += len(stored)
    if first != count:
        raise DataMissing(
            f"smallnorb: {first} images but {count} labels in {folder}; expected {_LAYOUT}."
        )
    return images


def _matrix(folder, part, kind, dtype, shape):
    """The array of one file; DataMissing where it is not what its name says."""
    file = folder / f"smallnorb-{part}-{kind}.mat"
    packed = file.with_name(file.name + ".gz")
    try:
        if file.exists() or not packed.exists():
            content = file.read_bytes()
        else:
            content = gzip.decompress(packed.read_bytes())
        return _parsed(content, dtype, shape)
    except (OSError, EOFError, ValueError, struct.error, zlib.error) as error:
        raise DataMissing(f"smallnorb: {file}: {error}; expected {_LAYOUT}.") from error


def _parsed(content, dtype, shape):
    """A matrix of the format: magic number, rank, at least three lengths, data; little-endian."""
    magic, rank = struct.unpack_from("<Ii", content)
    if magic not in _MAGIC:
        raise ValueError(f"begins with 0x{magic:08X}, which is no magic number of this format")
    if not 0 <= rank <= 8:
        raise ValueError(f"a rank of {rank}")
    lengths = struct.unpack_from(f"<{max(3, rank)}i", content, 8)[:rank]
    fits = len(lengths) == len(shape)
    fits = fits and all(b in (None, a) for a, b in zip(lengths, shape, strict=True))
    if _MAGIC[magic] != dtype or not fits:
        wanted = " x ".join("N" if length is None else str(length) for length in shape)
        raise ValueError(f"{_MAGIC[magic]} of shape {lengths}, not {dtype} of {wanted}")
    start = 8 + 4 * max(3, rank)
    size = start + math.prod(lengths) * np.dtype(dtype).itemsize
    if len(content) != size:
        raise ValueError(f"{len(content)} bytes, not the {size} that its header tells")
    return np.frombuffer(content, dtype, offset=start).reshape(lengths)
