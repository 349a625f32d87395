"""Pictures that are decoded when their batch is drawn, because all of them are too many to hold."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfkit.data.grouped import GroupedSource, Groups
from tfkit.data.pictures import pixels
from tfkit.errors import DataMissing

CHANNELS = 3


class FileSource(GroupedSource):
    """A GroupedSource whose inputs are files: cropped to their middle, resized, in [0, 1].

    Which file a batch holds depends on seed and step alone, as for arrays in memory.

    Args:
        called: the data set's name, for messages.
        folder: what the files' names are relative to.
        splits: {"train": {"files": [N], "labels": [N]}, …}.
        classes: number of classes.
        groups: of all examples, see GroupedSource.
        image_size: side in pixels after resizing.
        sizes: {part: bytes of each file [N]}, for the fingerprint.
    """

    def __init__(
        self,
        called: str,
        folder: Path,
        splits: dict,
        classes: int,
        groups: Groups,
        *,
        image_size: int,
        sizes: dict,
    ):
        self.called, self.folder = called, folder
        self.image_size, self.sizes = image_size, sizes
        super().__init__(splits, classes, groups, source=str(folder.resolve()))

    @property
    def input_shape(self):
        """Of one picture."""
        return (self.image_size, self.image_size, CHANNELS)

    def fingerprint(self):
        """SHA-256 over the files' names and sizes, labels and groups; the pixels are not read."""
        digest = hashlib.sha256()
        for part, arrays in sorted(self.splits.items()):
            digest.update(f"{part}/{len(arrays['files'])}/{self.image_size}".encode())
            digest.update("\n".join(map(str, arrays["files"])).encode())
            for array in (self.sizes[part], arrays["labels"], arrays["groups"]):
                digest.update(np.ascontiguousarray(array).data)
        return {"source": self.source, "sha256": digest.hexdigest()}

    def _finished(self, batches):
        return batches.map(self._decoded, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)

    def _decoded(self, batch):
        """The pictures of a batch's files.  [B] -> [B, S, S, 3]"""
        batch = dict(batch)
        files = batch.pop("files")
        images = tf.numpy_function(self._read, [files], tf.uint8)
        images = tf.ensure_shape(images, (*files.shape, *self.input_shape))
        return {"inputs": tf.cast(images, tf.float32) / 255.0, **batch}

    def _read(self, files):
        def read_one(name):
            name = os.fsdecode(name)
            try:
                return pixels(self.folder / name, (self.image_size, self.image_size), CHANNELS)
            except Exception as error:  # Pillow raises many kinds for a broken file
                self.failure = DataMissing(
                    f"{self.called}: {name}: {error}; repair the file, or fetch it again."
                )
                raise self.failure from None

        with ThreadPoolExecutor() as pool:  # Pillow decodes outside Python's lock
            return np.stack(list(pool.map(read_one, files)))
