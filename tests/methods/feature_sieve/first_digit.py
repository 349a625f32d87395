"""A task whose core is what is easiest to see, for recipes."""

from tfkit.data.shortcut_source import shortcut_source
from tfkit.data.shortcuts import strip_xor


def first_digit(seed, rho, rho_val, sizes):
    """The strips of `strip_xor`, of which the first digit is asked and the others tell nothing."""
    parts = strip_xor(seed, rho, rho_val, sizes)
    return {name: {**part, "y": part["a"], "a": part["y"]} for name, part in parts.items()}


def load(seed: int = 0):
    """In memory, grouped by the first digit and what the others would say.

    Gives: inputs, labels, groups, index
    """
    half = {"correlation": 0.5, "validation_correlation": None}
    sizes = {"train_size": 4_000, "validation_size": 1_000, "test_size": 2_000}
    return shortcut_source(first_digit, seed, half, sizes, (slice(None), slice(0, 8)))
