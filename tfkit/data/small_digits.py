"""scikit-learn's handwritten digits and coloured squares, of which the shortcut tasks are made."""

import numpy as np

SIDE = 8
_PATCH = 4  # side of the coloured square


def parted(generator):
    """Training's and test's images of each digit.  -> two lists of ten [N, 8, 8]"""
    from sklearn.datasets import load_digits

    images, classes = load_digits(return_X_y=True)
    images = (images.reshape(-1, SIDE, SIDE) / 16).astype(np.float32)
    ours, others = [], []
    for digit in range(10):
        rows = generator.permutation(np.flatnonzero(classes == digit))
        first = round(len(rows) * 2 / 3)
        ours.append(images[rows[:first]])
        others.append(images[rows[first:]])
    return ours, others


def pictures(generator, digits, classes):
    """A random picture of each digit.  [N] -> [N, 8, 8]"""
    found = np.empty((len(classes), SIDE, SIDE), np.float32)
    for digit in np.unique(classes):
        rows = np.flatnonzero(classes == digit)
        found[rows] = digits[digit][generator.integers(0, len(digits[digit]), len(rows))]
    return found


def grey(images):
    """Three equal channels.  [N, 8, 8] -> [N, 8, 8, 3]"""
    return np.repeat(images[..., None], 3, axis=-1)


def patches(generator, attribute):
    """Red squares (1) and green ones (0) anywhere on black.  [N] -> [N, 8, 8, 3]"""
    count = len(attribute)
    top, left = generator.integers(0, SIDE - _PATCH + 1, (2, count))
    places = np.arange(SIDE)
    rows = (places >= top[:, None]) & (places < top[:, None] + _PATCH)  # [N, 8]
    columns = (places >= left[:, None]) & (places < left[:, None] + _PATCH)
    canvas = np.zeros((count, SIDE, SIDE, 3), np.float32)
    channel = 1 - attribute  # red is channel 0
    canvas[np.arange(count), :, :, channel] = rows[:, :, None] & columns[:, None, :]
    return canvas
