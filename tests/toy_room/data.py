"""A noisy linear map."""

import numpy as np

from tfkit.data.source import ArraySource


def load(rows: int = 64, poison: int = -1):
    """y = x w + noise, with NaN in one row of x if wished.

    Gives: x, y
    Args:
        rows: examples of the training part, >= 1.
        poison: the row whose x holds a NaN; -1: none.
    References: made for the tests.
    """
    generator = np.random.default_rng(0)

    def part(count):
        x = generator.normal(size=(count, 4)).astype("float32")
        y = x @ np.float32([[1], [2], [3], [4]]) + generator.normal(size=(count, 1)) / 10
        return {"x": x, "y": y.astype("float32")}

    splits = {"train": part(rows), "valid": part(16), "test": part(16)}
    if poison >= 0:
        splits["train"]["x"][poison, 2] = np.nan
    return ArraySource(splits, {}, source="made up")
