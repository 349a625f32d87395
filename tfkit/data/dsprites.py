"""dSprites (Matthey et al. 2017), rendered from its factors instead of downloaded."""

import functools
import hashlib
import math
from typing import Literal

import numpy as np
import tensorflow as tf

from tfkit.data.outlines import REACH, UNITS, crossings
from tfkit.data.pipeline import shuffled
from tfkit.data.source import Source, checked_split

FACTORS = ("shape", "scale", "orientation", "x", "y")
SIZES = (3, 6, 40, 32, 32)
IMAGES = math.prod(SIZES)  # 737,280

# Along an axis, pixel i is 62 i - 64 k - 961 units of 1/62 pixel from the centre of class k.
_PIXEL, _CLASS, _ORIGIN = UNITS, 64, -961
_HELD_OUT_SEED = 1_812  # of the order in which the held-out images are taken from the whole set
_CHUNK = 8_192  # images that `render` looks up at once: 50 MB of intermediate values
# A row of 64 pixels is the bits of one integer, column 0 the lowest: entry j has the columns >= j.
_PIXELS_FROM = np.array([(1 << 64) - (1 << j) for j in range(65)], np.uint64).astype("<i8")


def load(
    image_size: Literal[16, 32, 64] = 64, validation_size: int = 10_000, test_size: int = 10_000
) -> Source:
    """White sprites on black, from five factors; rendered on the fly, without an end.

        shape 3 (square, ellipse, heart), scale 6, orientation 40, x 32, y 32: 737,280 images

    The outlines were fitted to frames of the original set: 314 of 320 are equal in every bit, the
    others differ in 1 to 5 of 4,096 pixels. Training draws the remaining factors with replacement;
    the held-out factors are the same for every seed, and training never draws them. Orientations 0
    and 39 are the same image, as in the original: of the held-out images, the 1 in 20 that have one
    of these may be drawn in training with the other.

    Gives: images, factors
    Args:
        image_size: side in pixels; 16 and 32 are averages over the pixels of 64.
        validation_size: held-out images for choosing, in [1, 100000].
        test_size: held-out images for reporting, in [1, 100000].
    References: Matthey et al. 2017, https://github.com/google-deepmind/dsprites-dataset
    """
    return Sprites(image_size, validation_size, test_size)


class Sprites(Source):
    """The source that `load` makes."""

    factor_names = FACTORS

    def __init__(self, image_size, validation_size, test_size):
        if image_size not in (16, 32, 64):
            raise ValueError(f"dsprites: image_size must be 16, 32 or 64, got {image_size}.")
        for name, size in (("validation_size", validation_size), ("test_size", test_size)):
            if not 1 <= size <= 100_000:
                raise ValueError(f"dsprites: {name} must be in [1, 100000], got {size}.")
        self.image_size = image_size
        self.shapes = {"image_shape": (image_size, image_size, 1)}
        self.ranges = {
            "valid": (0, validation_size),
            "test": (validation_size, validation_size + test_size),
        }
        self.reserved = validation_size + test_size
        self.crossings = tf.constant(crossings())
        self.byte_pixels = tf.constant(_byte_pixels(image_size))

    def train(self, batch_size, *, seed, start_step=0):
        """Independent draws from all images but the held-out ones."""

        def batch(step):
            seeds = tf.stack([tf.constant(seed, tf.int64), step])
            place = tf.random.stateless_uniform(
                [batch_size], seeds, self.reserved, IMAGES, dtype=tf.int64
            )
            return self._examples(place)

        return tf.data.Dataset.counter(start_step).map(batch).prefetch(tf.data.AUTOTUNE)

    def held_out(self, split, batch_size):
        """The first places of a fixed order of the whole set."""
        places = tf.data.Dataset.range(*self.ranges[checked_split(split)])
        return places.batch(batch_size).map(self._examples).prefetch(tf.data.AUTOTUNE)

    def steps_per_epoch(self, batch_size):
        """None: factors are drawn with replacement."""
        return None

    def fingerprint(self):
        """SHA-256 of the table that all images are drawn from."""
        digest = hashlib.sha256(crossings().tobytes())
        return {"source": "dSprites, rendered by tfkit", "sha256": digest.hexdigest()}

    def _examples(self, place):
        """Images and factors at places of the fixed order.  [B] -> [B, S, S, 1], [B, 5]"""
        number = shuffled(place, IMAGES, _HELD_OUT_SEED)
        classes = tf.transpose(tf.unravel_index(number, np.int64(SIZES)))
        return {"images": self.draw(classes), "factors": tf.cast(classes, tf.int32)}

    def draw(self, classes):
        """`render` as TensorFlow operations, averaged to S x S.  [B, 5] int64 -> [B, S, S, 1]"""
        sprite, row, shift = _places(*tf.unstack(classes, axis=1), clip=tf.clip_by_value)
        index = tf.stack([sprite + tf.zeros_like(row), row], axis=-1)
        edges = tf.cast(tf.gather_nd(self.crossings, index), tf.int64)  # [B, 64, E]
        column = tf.clip_by_value((edges + shift) // _PIXEL, 0, 64)
        passed = tf.unstack(tf.gather(_PIXELS_FROM, column), axis=-1)
        words = functools.reduce(tf.bitwise.bitwise_xor, passed)  # [B, 64], a row of pixels each
        size = self.image_size
        pixels = tf.gather(self.byte_pixels, tf.cast(tf.bitcast(words, tf.uint8), tf.int32))
        rows = tf.reshape(pixels, [-1, size, 64 // size, size])
        return tf.reduce_mean(rows, axis=2)[..., None]


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
    classes = _checked(classes)
    words = np.empty((len(classes), 64), "<i8")  # a row of pixels each
    for start in range(0, len(classes), _CHUNK):
        sprite, row, shift = _places(*classes[start : start + _CHUNK].T, clip=np.clip)
        column = np.clip((crossings()[sprite, row] + shift) // _PIXEL, 0, 64)  # [B, 64, E]
        words[start : start + _CHUNK] = np.bitwise_xor.reduce(_PIXELS_FROM[column], axis=-1)
    return np.unpackbits(words.view(np.uint8), axis=1, bitorder="little").reshape(-1, 64, 64)


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


def _byte_pixels(size):
    """Eight pixels of a row for each byte, averaged to those of a smaller image.  [256, S / 8]"""
    bits = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little")
    return bits.reshape(256, size // 8, 64 // size).mean(axis=-1, dtype=np.float32)


def _checked(classes):
    classes = np.asarray(classes)
    if classes.ndim != 2 or classes.shape[1] != len(SIZES) or classes.dtype.kind not in "iu":
        raise ValueError(
            "render: classes must be integers of shape [N, 5] (shape, scale, orientation, x, y), "
            f"got {classes.dtype} of shape {classes.shape}."
        )
    wrong = np.argwhere((classes < 0) | (classes >= SIZES))
    if len(wrong):
        row, column = wrong[0]
        raise ValueError(
            f"render: {FACTORS[column]} must be in 0-{SIZES[column] - 1}, "
            f"got {classes[row, column]} in row {row}."
        )
    return classes.astype(np.int64)
