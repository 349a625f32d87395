"""What a data set is to the engine: training batches by step, and held-out examples."""

import abc
import hashlib
from contextlib import contextmanager

import numpy as np
import tensorflow as tf

from tfkit.data.pipeline import step_indexed

HELD_OUT = ("valid", "test")


class Source(abc.ABC):
    """A data set with a training part and two held-out parts, "valid" and "test".

    Batches are dicts of tensors: `images` float32 [B, H, W, C] in [0, 1], `factors` int32 [B, K],
    and so on. No example is in two parts. That is said of rows: two rows that differ in their
    factors may be the same picture, as orientations 0 and 39 of dSprites are.
    """

    failure: Exception | None = None  # why the last batch could not be made, where that is known
    shapes: dict  # what builders of networks are told: {"image_shape": (64, 64, 1)}
    factor_names: tuple[str, ...] = ()  # names of the columns of `factors`, where there are any

    @abc.abstractmethod
    def train(self, batch_size: int, *, seed: int, start_step: int = 0) -> tf.data.Dataset:
        """Endless training batches; the batch of step t is a pure function of (seed, t)."""

    @abc.abstractmethod
    def held_out(self, split: str, batch_size: int) -> tf.data.Dataset:
        """All examples of "valid" or "test" once, in a fixed order; the last batch may be short."""

    @abc.abstractmethod
    def steps_per_epoch(self, batch_size: int) -> int | None:
        """Steps that see every training example once; None for data without an end."""

    @abc.abstractmethod
    def fingerprint(self) -> dict:
        """What identifies the data: {"source": where from, "sha256": of the content}."""


class ArraySource(Source):
    """A data set held in memory; pixels are kept as bytes and divided by 255 on the way out.

    Args:
        splits: {"train": arrays, "valid": arrays, "test": arrays}, arrays a dict of [N, ...].
            `images` may be uint8.
        shapes: what builders of networks are told.
        source: where the data come from, for the run's provenance.
        factor_names: names of the columns of `factors`.
    """

    def __init__(self, splits: dict, shapes: dict, *, source: str, factor_names=()):
        missing = [name for name in ("train", *HELD_OUT) if name not in splits]
        if missing:
            raise ValueError(f"ArraySource: splits lack {', '.join(missing)}, got {list(splits)}.")
        self.splits = splits
        self.shapes = shapes
        self.source = source
        self.factor_names = tuple(factor_names)

    def train(self, batch_size, *, seed, start_step=0):
        """Shuffled batches, another order each epoch; see `step_indexed`."""
        arrays = self.splits["train"]
        return step_indexed(arrays, batch_size, seed=seed, start_step=start_step).map(_floats)

    def held_out(self, split, batch_size):
        """The examples in their stored order."""
        arrays = self.splits[checked_split(split)]
        return tf.data.Dataset.from_tensor_slices(arrays).batch(batch_size).map(_floats)

    def steps_per_epoch(self, batch_size):
        """Full batches in the training part."""
        return len(next(iter(self.splits["train"].values()))) // batch_size

    def fingerprint(self):
        """SHA-256 over all arrays of all splits."""
        digest = hashlib.sha256()
        for split in sorted(self.splits):
            for name, array in sorted(self.splits[split].items()):
                digest.update(f"{split}/{name}/{array.dtype}/{array.shape}".encode())
                digest.update(np.ascontiguousarray(array).data)
        return {"source": self.source, "sha256": digest.hexdigest()}


@contextmanager
def reading_from(source: Source):
    """What TensorFlow says of a batch that could not be made, in the source's own words.

    An error inside a `tf.data` pipeline arrives as one of TensorFlow's, its message among others.
    """
    try:
        yield
    except tf.errors.OpError as error:
        raise getattr(source, "failure", None) or error from None


def checked_split(split: str) -> str:
    """The name of a held-out part, or ValueError."""
    if split not in HELD_OUT:
        raise ValueError(f"held_out: split must be one of {', '.join(HELD_OUT)}, got {split!r}.")
    return split


def _floats(batch):
    if "images" in batch and batch["images"].dtype == tf.uint8:
        return {**batch, "images": tf.cast(batch["images"], tf.float32) / 255.0}
    return batch
