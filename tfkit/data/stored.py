"""Grids of images that are held in memory, read from the files of a published data set."""

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfkit.data.archives import Archive, reading, shared
from tfkit.data.ground_truth import GridSource
from tfkit.data.shrinking import SIDE, summed, summed_type


class StoredGrid(GridSource):
    """Images of all combinations, in the order of the grid, those of one combination together.

    Pixels are bytes, or sums of bytes over the blocks of a 64 x 64 image.

    Args:
        called: the data set's name.
        sizes: {factor: number of classes}, the last factor the fastest.
        image_shape: (S, S, C).
        read: gives [combinations * images_each, S, S, C] uint8 or uint16, made by `archives.empty`;
            called when all options are known to be good, for it may take minutes.
        source: where the data come from, for the run's provenance.
        sampling: arguments of GridSource.
    """

    def __init__(
        self,
        called: str,
        sizes: dict[str, int],
        image_shape: tuple[int, int, int],
        read: Callable[[], np.ndarray],
        source: str,
        **sampling,
    ):
        super().__init__(called, sizes, image_shape, **sampling)
        self.source = source
        self.images = read()
        self.tensor = shared(self.images)
        self.white = np.float32(255 * (SIDE // image_shape[0]) ** 2)

    def draw(self, classes, seeds=None, copy=None):
        """A look-up.  [B, K] int64 -> [B, S, S, C]"""
        steps = [int(np.prod(self.factor_sizes[k + 1 :])) for k in range(len(self.factor_sizes))]
        number = tf.reduce_sum(classes * np.int64(steps), axis=1) * self.images_each
        number = number if copy is None else number + copy
        return tf.cast(tf.gather(self.tensor, number), tf.float32) / self.white

    def observe(self, factors, random_state):
        """Images of factors, one of those that a combination has drawn anew."""
        factors = self.checked(factors)
        number = np.ravel_multi_index(tuple(factors.T), self.factor_sizes) * self.images_each
        if self.images_each > 1:
            number = number + random_state.randint(self.images_each, size=len(number))
        return self.images[number].astype(np.float32) / self.white

    def fingerprint(self):
        """SHA-256 of the images."""
        digest = hashlib.sha256(str(self.factor_sizes).encode())
        digest.update(self.images.data)
        return {"source": self.source, "sha256": digest.hexdigest()}


def images_of(
    called: str, file: Path, layout: str, key: str, rows: np.ndarray, size: int
) -> np.ndarray:
    """Some of the 64 x 64 images in colour of an npz or HDF5 file, made smaller block by block.

    Shapes: [N] ascending -> [N, S, S, 3] uint8, or sums over blocks as uint16
    """
    with reading(called, file, layout), Archive(file) as archive:
        stored = archive.array(key, "u", None, SIDE, SIDE, 3)
        change = partial(summed, size=size)
        return stored.kept(rows, change, (size, size, 3), summed_type(size))
