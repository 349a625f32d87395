"""Smaller images as averages: point sampling would make different sprites alike."""

import numpy as np
import tensorflow as tf

IMAGE_SIZES = (16, 32, 64)
SIDE = 64  # of the images that are made smaller


def checked_size(called: str, size: int) -> int:
    """16, 32 or 64, or ValueError."""
    if size not in IMAGE_SIZES:
        raise ValueError(f"{called}: image_size must be 16, 32 or 64, got {size}.")
    return size


def averaged(images, size: int) -> np.ndarray:
    """Means over blocks of 64 x 64 images.  [N, 64, 64, C] -> [N, S, S, C] float32"""
    if size == images.shape[1]:
        return np.asarray(images, np.float32)
    return _blocks(images, size).mean(axis=(2, 4), dtype=np.float32)


def summed(images, size: int) -> np.ndarray:
    """Sums over blocks of bytes, exact.  [N, 64, 64, C] uint8 -> [N, S, S, C] `summed_type(S)`"""
    if size == images.shape[1]:
        return images
    return _blocks(images, size).sum(axis=(2, 4), dtype=summed_type(size))


def summed_type(size: int):
    """The type that holds sums of the bytes of 64 x 64 images made smaller."""
    return np.uint8 if size == SIDE else np.uint16


def averaged_batch(images, size: int):
    """`averaged` in TensorFlow.  [B, 64, 64, C] -> [B, S, S, C]"""
    block = images.shape[1] // size
    return images if block == 1 else tf.nn.avg_pool2d(images, block, block, "VALID")


def _blocks(images, size):
    count, side, _, channels = images.shape
    block = side // size
    return images.reshape(count, size, block, size, block, channels)
