"""dSprites (Matthey et al. 2017), rendered from its factors instead of downloaded."""

import hashlib
from functools import partial
from typing import Literal

import numpy as np
import tensorflow as tf

from tfkit.data.combinations import kept_values
from tfkit.data.finding import find
from tfkit.data.ground_truth import GridSource
from tfkit.data.official_sprites import LAYOUT, OfficialSprites, sizes_in
from tfkit.data.pictures import small_picture
from tfkit.data.shrinking import SIDE, averaged, averaged_batch, checked_size
from tfkit.data.source import Source
from tfkit.data.sprite_variants import (
    PICTURE,
    checked_background,
    color,
    color_batch,
    noisy,
    noisy_batch,
    scream,
    scream_batch,
    swirl,
)
from tfkit.data.sprites import FACTORS, SIZES, Pixels, RenderedSprites, render
from tfkit.errors import DataMissing

__all__ = ["FACTORS", "SIZES", "Sprites", "color", "load", "noisy", "render", "scream"]

_VARIANTS = ("plain", "color", "noisy", "scream")
_CHUNK = 512  # images whose noise is drawn at once: 50 MB
_PICTURE = "a picture file with sides of at least 65 pixels"


def load(
    image_size: Literal[16, 32, 64] = 64,
    variant: Literal["plain", "color", "noisy", "scream"] = "plain",
    background: str | None = None,
    values: list[int] | None = None,
    validation_size: int = 10_000,
    test_size: int = 10_000,
    correlated: tuple[str, str] | None = None,
    correlation_width: float = 0.2,
    excluded: list[dict[str, list[int]]] | None = None,
    path: str | None = None,
) -> Source:
    """White sprites on black, from five factors; rendered on the fly, without an end.

        shape 3 (square, ellipse, heart), scale 6, orientation 40, x 32, y 32: 737,280 images
        color   the sprite in a colour drawn from U(0.5, 1)^3
        noisy   on noise, U(0, 1) for every pixel and channel
        scream  the negative of a random part of a picture, tinted at random

    The outlines were fitted to frames of the original set: 314 of 320 are equal in every bit, the
    others differ in 1 to 5 of 4,096 pixels. Training draws the remaining factors with replacement,
    and a variant's noise anew at every step; the held-out images are the same for every seed, and
    training never draws them. Orientations 0 and 39 are the same image, as in the original: of the
    held-out images, the 1 in 20 that have one of these may be drawn in training with the other.
    values: [3, 6, 39, 32, 32] has each angle once.

    Gives: images, factors
    Args:
        image_size: side in pixels; 16 and 32 are averages over the pixels of 64.
        variant: what surrounds and fills the sprites.
        background: a picture file for scream; null takes a procedural swirl.
        values: how many values are kept of each factor, evenly spaced (orientations evenly round
            the circle), for small worlds such as [3, 3, 10, 8, 8]; null keeps all.
        validation_size: held-out images for choosing, in [1, 100000].
        test_size: held-out images for reporting, in [1, 100000].
        correlated: two factors that are correlated in training, such as [scale, x]: pairs are drawn
            by exp(-(c1 - c2)^2 / (2 correlation_width^2)), c in [0, 1].
        correlation_width: how far correlated factors stray, > 0; 0.2 is the strongest of the paper.
        excluded: combinations that training never shows, such as [{shape: [2], scale: [0, 1]}].
        path: the official npz file or its HDF5 twin, whose images are then taken (they are held in
            memory as bits, 377 MB); a relative path is looked for under $TFKIT_DATA, then here;
            null renders the sprites.
    Raises:
        DataMissing: no such file, or not of the official layout.
        ValueError: options out of range, or nothing left to train on.
    References: Matthey et al. 2017, https://github.com/google-deepmind/dsprites-dataset; variants:
        Locatello et al. 2019, arXiv:1811.12359; correlation: Träuble et al. 2021, arXiv:2006.07886.
    """
    sampling = {
        "validation_size": validation_size,
        "test_size": test_size,
        "correlated": correlated,
        "correlation_width": correlation_width,
        "excluded": excluded,
    }
    checked_size("dsprites", image_size)
    if variant not in _VARIANTS:
        raise ValueError(
            f"dsprites: variant must be one of {', '.join(_VARIANTS)}, got {variant!r}."
        )
    if background is not None and variant != "scream":
        raise ValueError(f"dsprites: background is for variant scream, got variant {variant}.")
    file = None if path is None else find("dsprites", path, LAYOUT)
    whole = SIZES if file is None else sizes_in(file)
    sizes = dict(zip(FACTORS, whole, strict=True))
    # the last orientation is the first again
    kept = kept_values("dsprites", sizes, values, {"orientation": sizes["orientation"] - 1})
    sprites = partial(RenderedSprites, kept)
    if file is not None:
        sprites = partial(OfficialSprites, file, whole, kept)
    known = {name: len(left) for name, left in zip(FACTORS, kept, strict=True)}
    return Sprites(sprites, known, image_size, variant, background, **sampling)


class Sprites(GridSource):
    """The source that `load` makes."""

    def __init__(self, sprites, sizes, image_size, variant, background, **sampling):
        channels = 1 if variant == "plain" else 3
        super().__init__("dsprites", sizes, (image_size, image_size, channels), **sampling)
        self.deterministic = variant == "plain"
        self.image_size, self.variant = image_size, variant
        self.sprites = sprites()  # read when all options are known to be good
        commutes = variant in ("plain", "color")  # averaging with what the variant does
        self.pixels = Pixels(image_size if commutes else SIDE)
        self.background_name = background
        if variant == "scream":
            self.background = _background(background)
            with tf.device("CPU:0"):
                self.background_tensor = tf.constant(self.background, tf.float32)

    def fingerprint(self):
        """SHA-256 of what all images are drawn from, and of a picture behind them."""
        digest = hashlib.sha256(self.sprites.content())
        source = self.sprites.source
        if self.variant != "plain":
            source += f"; {self.variant}"
        if self.variant == "scream":
            digest.update(self.background.tobytes())
            source += f" over {self.background_name or 'a procedural swirl'}"
        return {"source": source, "sha256": digest.hexdigest()}

    def draw(self, classes, seeds=None, copy=None):
        """The images as TensorFlow operations.  [B, 5] int64, [2] int64 -> [B, S, S, C]"""
        images = self.pixels(self.sprites.rows(classes))
        if self.variant == "plain":
            return images
        if self.variant == "color":
            return color_batch(images, seeds)
        if self.variant == "noisy":
            images = noisy_batch(images, seeds)
        else:
            images = scream_batch(images, seeds, self.background_tensor)
        return averaged_batch(images, self.image_size)

    def observe(self, factors, random_state):
        """Images of factors, a variant's noise drawn from `random_state` in the study's order."""
        factors = self.checked(factors)
        images = np.empty((len(factors), *self.shapes["image_shape"]), np.float32)
        for start in range(0, len(factors), _CHUNK):
            sprites = self.sprites.images(factors[start : start + _CHUNK])
            part = self._observed(sprites, random_state)
            images[start : start + _CHUNK] = averaged(part, self.image_size)
        return images

    def _observed(self, sprites, random_state):
        match self.variant:
            case "plain":
                return sprites[..., None]
            case "color":
                return color(sprites, random_state)
            case "noisy":
                return noisy(sprites, random_state)
        return scream(sprites, random_state, background=self.background)


def _background(path):
    """The picture behind the sprites.  -> [H, W, 3] float64 in [0, 1]"""
    if path is None:
        return checked_background(swirl())
    file = find("dsprites", path, _PICTURE)
    try:
        return checked_background(small_picture(file, PICTURE))
    except Exception as error:  # Pillow raises many kinds for a broken file
        raise DataMissing(f"dsprites: {file}: {error}; expected {_PICTURE}.") from error
