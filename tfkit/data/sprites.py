"""The sprites of dSprites drawn from class numbers, in NumPy and in TensorFlow's graphs."""

import functools

import numpy as np
import tensorflow as tf

from tfkit.data.ground_truth import checked_classes
from tfkit.data.outlines import REACH, UNITS, crossings

FACTORS = ("shape", "scale", "orientation", "x", "y")
SIZES = (3, 6, 40, 32, 32)  # 737,280 images

# Along an axis, pixel i is 62 i - 64 k - 961 units of 1/62 pixel from the centre of class k.
_PIXEL, _CLASS, _ORIGIN = UNITS, 64, -961
_CHUNK = 8_192  # images that `render` looks up at once: 50 MB of intermediate values
# A row of 64 pixels is the bits of one integer, column 0 the lowest: entry j has the columns >= j.
_PIXELS_FROM = np.array([(1 << 64) - (1 << j) for j in range(65)], np.uint64).astype("<i8")


def render(classes) -> np.ndarray:
    """Images of dSprites from class numbers.

    A pixel is white when its centre lies in the sprite's outline, scaled by 0.5 + 0.1 scale,
    turned by 2 pi orientation / 39 counter-clockwise and moved to 16 + 32 (x, y) / 31, y downwards.

    Shapes: [N, 5] -> [N, 64, 64] uint8, 0 or 1
    Args:
        classes: integers (shape 0 square / 1 ellipse / 2 heart, scale 0-5, orientation 0-39,
            x 0-31, y 0-31).
    Raises:
        ValueError: another shape or type, or a class number out of range.
    """
    classes = checked_classes("render", FACTORS, SIZES, classes)
    words = np.empty((len(classes), 64), "<i8")  # a row of pixels each
    for start in range(0, len(classes), _CHUNK):
        sprite, row, shift = _places(*classes[start : start + _CHUNK].T, clip=np.clip)
        column = np.clip((crossings()[sprite, row] + shift) // _PIXEL, 0, 64)  # [B, 64, E]
        words[start : start + _CHUNK] = np.bitwise_xor.reduce(_PIXELS_FROM[column], axis=-1)
    return unpacked(words.view(np.uint8))


class RenderedSprites:
    """The sprites that some values of each factor name, drawn when they are asked for.

    Args:
        kept: class numbers of `render` that stand for 0, 1, … of each factor.
    """

    source = "dSprites, rendered by tfkit"

    def __init__(self, kept: list[np.ndarray]):
        self.kept = kept
        with tf.device("CPU:0"):  # where batches are made
            self.crossings = tf.constant(crossings())

    def content(self) -> bytes:
        """What all images are drawn from."""
        return crossings().data

    def rows(self, classes):
        """`render` in TensorFlow, eight pixels a byte.  [B, 5] int64 -> [B, 64, 8] uint8"""
        columns = zip(self.kept, tf.unstack(classes, axis=1), strict=True)
        original = [tf.gather(values, k) for values, k in columns]
        sprite, row, shift = _places(*original, clip=tf.clip_by_value)
        index = tf.stack([sprite + tf.zeros_like(row), row], axis=-1)
        edges = tf.cast(tf.gather_nd(self.crossings, index), tf.int64)  # [B, 64, E]
        column = tf.clip_by_value((edges + shift) // _PIXEL, 0, 64)
        passed = tf.unstack(tf.gather(_PIXELS_FROM, column), axis=-1)
        words = functools.reduce(tf.bitwise.bitwise_xor, passed)  # [B, 64], a row of pixels each
        return tf.bitcast(words, tf.uint8)

    def images(self, classes) -> np.ndarray:
        """The same in NumPy.  [B, 5] -> [B, 64, 64] uint8, 0 or 1"""
        columns = zip(self.kept, classes.T, strict=True)
        return render(np.stack([values[k] for values, k in columns], axis=1))


class Pixels:
    """Bytes of eight pixels as floats, averaged to a smaller image.

    Shapes: [B, 64, 8] uint8 -> [B, S, S, 1] float32
    Args:
        size: S, a divisor of 64 that is at least 8.
    """

    def __init__(self, size: int):
        self.size = size
        bits = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little")
        averages = bits.reshape(256, size // 8, 64 // size).mean(axis=-1, dtype=np.float32)
        with tf.device("CPU:0"):
            self.table = tf.constant(averages)  # [256, S / 8]

    def __call__(self, rows):
        """A look-up of every byte, then the mean over neighbouring rows."""
        pixels = tf.gather(self.table, tf.cast(rows, tf.int32))  # [B, 64, 8, S / 8]
        rows = tf.reshape(pixels, [-1, self.size, 64 // self.size, self.size])
        return tf.reduce_mean(rows, axis=2)[..., None]


def packed(images) -> np.ndarray:
    """Eight pixels of 0 and 1 a byte, the lowest bit first.  [N, 64, 64] -> [N, 512] uint8"""
    return np.packbits(images.reshape(-1, 4096), axis=1, bitorder="little")


def unpacked(rows) -> np.ndarray:
    """What `packed` has packed.  [N, 512] -> [N, 64, 64] uint8"""
    return np.unpackbits(rows, axis=1, bitorder="little").reshape(-1, 64, 64)


def _places(shape, scale, orientation, x, y, clip):
    """Where the 64 rows of an image are in the table of crossings, and how far right they go.

    Shapes: five of [B] -> [B, 1], [B, 64], [B, 1, 1]
    """
    sprite = (shape * SIZES[1] + scale) * SIZES[2] + orientation
    height = np.arange(64, dtype=np.int64) * _PIXEL + _ORIGIN - _CLASS * y[:, None]
    row = (clip(height, -REACH, REACH) + REACH) // 2  # beyond the reach all rows are black
    # pixel j has passed a crossing at c when 62 j - 64 x - 961 >= c, so from ceil of this / 62
    shift = _CLASS * x - _ORIGIN + _PIXEL - 1
    return sprite[:, None], row, shift[:, None, None]
