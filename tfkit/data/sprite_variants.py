"""Color-, Noisy- and Scream-dSprites: sprites with observation noise, in NumPy and TensorFlow.

The NumPy functions draw from a RandomState in the study's order; the TensorFlow operations draw
the same distributions from a pair of seeds, so that a batch is a function of (seed, step).
"""

import numpy as np
import tensorflow as tf

from tfkit.data.shrinking import SIDE

PICTURE = (274, 350)  # height and width that a background is made to fit


def color(sprites, random_state) -> np.ndarray:
    """Each sprite in one colour of its own on black: sprite * U(0.5, 1)^3.

    Shapes: [N, 64, 64] -> [N, 64, 64, 3] float64 in [0, 1]
    Args:
        sprites: 0 and 1.
        random_state: a NumPy RandomState.
    References: Locatello et al. 2019, arXiv:1811.12359, appendix H.
    """
    sprites = _checked("color", sprites)
    colors = random_state.uniform(0.5, 1, [len(sprites), 1, 1, 3])
    return sprites[..., None] * colors


def noisy(sprites, random_state) -> np.ndarray:
    """White sprites on coloured noise: min(sprite + U(0, 1), 1) for every pixel and channel.

    Shapes: [N, 64, 64] -> [N, 64, 64, 3] float64 in [0, 1]
    Args:
        sprites: 0 and 1.
        random_state: a NumPy RandomState.
    References: Locatello et al. 2019, arXiv:1811.12359, appendix H.
    """
    sprites = _checked("noisy", sprites)
    noise = random_state.uniform(0, 1, [len(sprites), SIDE, SIDE, 3])
    return np.minimum(sprites[..., None] + noise, 1)


def scream(sprites, random_state, background) -> np.ndarray:
    """Sprites as the negative of a random part of a picture, tinted in a random colour.

        row ~ randint(H - 64), column ~ randint(W - 64), colour ~ U(0, 1)^3, image by image
        b = (crop + colour) / 2;   image = 1 - b in the sprite, b elsewhere

    Shapes: [N, 64, 64] -> [N, 64, 64, 3] float64 in [0, 1]
    Args:
        sprites: 0 and 1.
        random_state: a NumPy RandomState.
        background: a picture [H, W, 3] in [0, 1], both sides >= 65; the study's is Munch's
            "The Scream", made to fit 350 x 274.
    Raises:
        ValueError: a background that is too small, or no colour picture.
    References: Locatello et al. 2019, arXiv:1811.12359, appendix H.
    """
    sprites = _checked("scream", sprites)
    background = checked_background(background)
    height, width = background.shape[:2]
    images = np.empty((*sprites.shape, 3))
    for image, sprite in zip(images, sprites, strict=True):
        row = random_state.randint(0, height - SIDE)
        column = random_state.randint(0, width - SIDE)
        crop = background[row : row + SIDE, column : column + SIDE]
        image[:] = (crop + random_state.uniform(0, 1, size=3)) / 2
        inside = sprite == 1
        image[inside] = 1 - image[inside]
    return images


def color_batch(sprites, seeds):
    """`color` from a pair of seeds, of sprites of any size.  [B, S, S, 1] -> [B, S, S, 3]"""
    shape = [tf.shape(sprites)[0], 1, 1, 3]
    return sprites * tf.random.stateless_uniform(shape, seeds, 0.5, 1.0)


def noisy_batch(sprites, seeds):
    """`noisy` from a pair of seeds.  [B, 64, 64, 1] of 0 and 1 -> [B, 64, 64, 3]"""
    shape = [tf.shape(sprites)[0], SIDE, SIDE, 3]
    # of a white pixel and noise below 1, the larger is the sum cut at 1
    return tf.maximum(sprites, tf.random.stateless_uniform(shape, seeds))


def scream_batch(sprites, seeds, background):
    """`scream` from a pair of seeds.  [B, 64, 64, 1] of 0 and 1 -> [B, 64, 64, 3]"""
    count = tf.shape(sprites)[0]
    height, width = background.shape[:2]
    which = tf.random.experimental.stateless_split(seeds, 3)
    row = tf.random.stateless_uniform([count], which[0], 0, height - SIDE, dtype=tf.int32)
    column = tf.random.stateless_uniform([count], which[1], 0, width - SIDE, dtype=tf.int32)
    colors = tf.random.stateless_uniform([count, 1, 1, 3], which[2])
    rows = row[:, None] + tf.range(SIDE)  # [B, 64]
    columns = column[:, None] + tf.range(SIDE)  # [B, 64]
    place = rows[:, :, None] * width + columns[:, None, :]  # [B, 64, 64]
    crop = tf.gather(tf.reshape(background, [-1, 3]), place)  # [B, 64, 64, 3]
    behind = (crop + colors) / 2
    return tf.abs(sprites - behind)  # 1 - b in the sprite, b elsewhere


def swirl() -> np.ndarray:
    """A procedural picture of coloured whirls, the background where none is given.

    Shapes: -> [274, 350, 3] float32 in [0, 1]
    """
    y, x = np.mgrid[: PICTURE[0], : PICTURE[1]] / 60.0
    phase = np.zeros(PICTURE)
    for centre_y, centre_x, turn in ((1.2, 1.5, 1), (3.1, 3.9, -1), (1.4, 4.6, 1)):
        radius = np.hypot(y - centre_y, x - centre_x)
        phase += turn * np.arctan2(y - centre_y, x - centre_x) + 5 * np.exp(-radius)
    waves = np.sin(phase[..., None] * 2 + y[..., None] + np.array([0.0, 1.2, 2.8]))
    return (0.5 + 0.45 * waves).astype(np.float32)


def checked_background(background) -> np.ndarray:
    """A picture [H, W, 3] of sides >= 65 as float64, or ValueError."""
    background = np.asarray(background, np.float64)
    if background.ndim != 3 or background.shape[2] != 3 or min(background.shape[:2]) <= SIDE:
        raise ValueError(
            "scream: background must be a picture [H, W, 3] with sides >= 65, "
            f"got shape {background.shape}."
        )
    if not (background.min() >= 0 and background.max() <= 1):
        raise ValueError("scream: background must be in [0, 1]; divide bytes by 255.")
    return background


def _checked(called, sprites):
    sprites = np.asarray(sprites)
    if sprites.ndim != 3 or sprites.shape[1:] != (SIDE, SIDE):
        raise ValueError(f"{called}: sprites must be [N, 64, 64], got shape {sprites.shape}.")
    return sprites
