"""The official file of dSprites, whose images can stand in for the rendered ones."""

import math
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfkit.data.archives import Archive, one_of_each, reading, shared
from tfkit.data.combinations import kept_rows
from tfkit.data.sprites import packed, unpacked

LAYOUT = (
    "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz (26 MB) with imgs uint8 of 0 and 1 737280 x 64 "
    "x 64, latents_classes integers and latents_values floats 737280 x 6 (color, shape, scale, "
    "orientation, x, y, the last the fastest), or its HDF5 twin with latents/classes and "
    "latents/values; from https://github.com/google-deepmind/dsprites-dataset"
)
_KEYS = {False: ("latents_classes", "latents_values"), True: ("latents/classes", "latents/values")}


def sizes_in(file: Path) -> tuple[int, ...]:
    """The numbers of values of the five factors.

    `imgs`, `latents_classes` and `latents_values` are read; `metadata`, a pickle, never is.

    Raises:
        DataMissing: not of the official layout.
    """
    with reading("dsprites", file, LAYOUT), Archive(file) as archive:
        classes, values = _KEYS[archive.is_hdf5]
        count = archive.array("imgs", "u", None, 64, 64).shape[0]
        numbers = archive.array(classes, "iu", count, 6).whole()
        sizes = one_of_each(numbers)
        if sizes[0] != 1 or one_of_each(archive.array(values, "f", count, 6).whole()) != sizes:
            raise ValueError(f"{values} are not one for each of {classes}, with one color")
        return sizes[1:]


class OfficialSprites:
    """The sprites of the file that some values of each factor name, held as bits.

    Args:
        file: of the official layout.
        sizes: the numbers of values of its factors.
        kept: the values that are kept of each.
    """

    def __init__(self, file: Path, sizes: tuple[int, ...], kept: list[np.ndarray]):
        self.source = f"dSprites, {file.name}"
        self.sizes = tuple(len(values) for values in kept)
        with reading("dsprites", file, LAYOUT), Archive(file) as archive:
            stored = archive.array("imgs", "u", None, 64, 64)
            self.bits = stored.kept(kept_rows(sizes, kept), _bits, (512,), np.uint8)  # [N, 512]
        self.tensor = shared(self.bits)

    def content(self) -> bytes:
        """What all images are drawn from."""
        return self.bits.data

    def rows(self, classes):
        """Eight pixels a byte, in TensorFlow.  [B, 5] int64 -> [B, 64, 8] uint8"""
        steps = [math.prod(self.sizes[k + 1 :]) for k in range(len(self.sizes))]
        number = tf.reduce_sum(classes * np.int64(steps), axis=1)
        return tf.reshape(tf.gather(self.tensor, number), [-1, 64, 8])

    def images(self, classes) -> np.ndarray:
        """The same in NumPy.  [B, 5] -> [B, 64, 64] uint8, 0 or 1"""
        return unpacked(self.bits[np.ravel_multi_index(tuple(classes.T), self.sizes)])


def _bits(images):
    if images.max() > 1:
        raise ValueError(f"imgs must be 0 and 1, got {images.max()}")
    return packed(images)
