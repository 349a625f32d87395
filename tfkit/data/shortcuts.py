"""Small tasks with a shortcut, made of scikit-learn's handwritten digits.

Each function draws one task: {"train", "validation", "test"}, each {"x", "y", "a", "index"}: inputs
(float32), labels, the attribute that the shortcut shows, and the row's number (int32 each).

    P(a = y) = rho in training, rho_val in validation, 1/2 in test

Every class of digits is parted 2/3 : 1/3; training and validation draw from the first, test from
the second. The parts are drawn apart from each other: the size of one changes no other.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from tfkit.data.small_digits import grey, parted, patches, pictures

PARTS = ("train", "validation", "test")
UNBIASED = 0.5
_TOP_NOISE, _BOTTOM_NOISE = 0.2, 0.5  # standard deviations in strip_bias


class Task(NamedTuple):
    """How one example is made.

    Args:
        name: for messages.
        labels: generator, N -> labels [N], and what `inputs` needs of their making.
        inputs: generator, digits, label's making, attribute [N] -> inputs [N, ...].
    """

    name: str
    labels: Callable
    inputs: Callable


def strip_xor(
    seed: int = 0,
    rho: float = 1.0,
    rho_val: float | None = None,
    sizes: Sequence[int] = (4_000, 1_000, 2_000),
) -> dict[str, dict[str, np.ndarray]]:
    """Strips of three digits: 0 or 1 tells the label, unless one looks at the other two.

        x = [digit a | digit c1 | digit c2],  c1, c2 in {6, 7};  y = [c1 = 7] xor [c2 = 7]

    The label is no linear function of the last two digits, and one of the first.

    Shapes: -> x [N, 8, 24] in [0, 1]
    Args:
        seed: of the digits' parting and of all draws, >= 0.
        rho: P(a = y) in training, in [0, 1].
        rho_val: the same in validation; None is rho.
        sizes: examples for training, validation and test, >= 1 each.
    Raises:
        ValueError: an argument out of range.
    """
    return _drawn(Task("strip_xor", _two_digits, _strip), seed, rho, rho_val, sizes)


def patch_xor(
    seed: int = 0,
    rho: float = 1.0,
    rho_val: float | None = None,
    sizes: Sequence[int] = (4_000, 1_000, 2_000),
) -> dict[str, dict[str, np.ndarray]]:
    """As `strip_xor` in colour, with a red (a = 1) or green square instead of the first digit.

    The square of 4 x 4 is anywhere in columns 0 to 7, so that the shortcut's region is known; the
    digits are grey.

    Shapes: -> x [N, 8, 24, 3] in [0, 1]
    Args:
        seed: of the digits' parting and of all draws, >= 0.
        rho: P(a = y) in training, in [0, 1].
        rho_val: the same in validation; None is rho.
        sizes: examples for training, validation and test, >= 1 each.
    Raises:
        ValueError: an argument out of range.
    """
    return _drawn(Task("patch_xor", _two_digits, _patch_beside), seed, rho, rho_val, sizes)


def strip_bias(
    seed: int = 0,
    rho: float = 0.95,
    rho_val: float | None = None,
    sizes: Sequence[int] = (6_000, 1_000, 4_000),
) -> dict[str, dict[str, np.ndarray]]:
    """A clear digit above a noisy one: the clear one is easy, the noisy one is right.

        x = [digit a + N(0, 0.2^2)]  above  [digit 3 (y = 0) or 8 (y = 1) + N(0, 0.5^2)]

    Noise is not cut off, so pixels leave [0, 1].

    Shapes: -> x [N, 16, 8]
    Args:
        seed: of the digits' parting and of all draws, >= 0.
        rho: P(a = y) in training, in [0, 1].
        rho_val: the same in validation; None is rho.
        sizes: examples for training, validation and test, >= 1 each.
    Raises:
        ValueError: an argument out of range.
    """
    return _drawn(_STRIP_BIAS, seed, rho, rho_val, sizes)


def patch_threshold(
    seed: int = 0,
    rho: float = 0.95,
    rho_val: float | None = None,
    sizes: Sequence[int] = (1_000, 500, 2_000),
) -> dict[str, dict[str, np.ndarray]]:
    """A red (a = 1) or green square above a grey digit, and the question whether that is >= 5.

    Few images and ten kinds of digits: a task on which methods differ by points, not by all.

    Shapes: -> x [N, 16, 8, 3] in [0, 1]
    Args:
        seed: of the digits' parting and of all draws, >= 0.
        rho: P(a = y) in training, in [0, 1].
        rho_val: the same in validation; None is rho.
        sizes: examples for training, validation and test, >= 1 each.
    Raises:
        ValueError: an argument out of range.
    """
    return _drawn(Task("patch_threshold", _any_digit, _patch_above), seed, rho, rho_val, sizes)


def strip_bias_teacher(seed: int = 0, rho: float = UNBIASED, size: int = 6_000, draw: int = 0):
    """A further training part of `strip_bias`, with a correlation of its own, to teach a teacher.

    Digits are those of training, drawn apart from it and from every other `draw`.

    Shapes: -> {"x" [size, 16, 8], "y", "a", "index" [size]}
    Args:
        seed: that of `strip_bias`, >= 0.
        rho: P(a = y), in [0, 1]; 1/2 makes a teacher that is not biased.
        size: examples, >= 1.
        draw: number of the draw, >= 0.
    Raises:
        ValueError: an argument out of range.
    """
    for name, value, least in (("size", size, 1), ("draw", draw, 0)):
        if value < least:
            raise ValueError(f"strip_bias_teacher: {name} must be >= {least}, got {value}.")
    _checked("strip_bias_teacher", seed, rho, rho, (size, size, size))
    digits, _ = parted(np.random.default_rng([seed, 0]))
    generator = np.random.default_rng([seed, len(PARTS) + 1 + draw])
    return _part(_STRIP_BIAS, generator, digits, rho, size)


def _drawn(task, seed, rho, rho_val, sizes):
    """The three parts of a task."""
    rho_val = rho if rho_val is None else rho_val
    _checked(task.name, seed, rho, rho_val, sizes)
    digits = parted(np.random.default_rng([seed, 0]))
    pools = (digits[0], digits[0], digits[1])
    found = {}
    for k, (part, chance) in enumerate(zip(PARTS, (rho, rho_val, UNBIASED), strict=True)):
        found[part] = _part(task, np.random.default_rng([seed, k + 1]), pools[k], chance, sizes[k])
    return found


def _checked(name, seed, rho, rho_val, sizes):
    if seed < 0:
        raise ValueError(f"{name}: seed must be >= 0, got {seed}.")
    for option, value in {"rho": rho, "rho_val": rho_val}.items():
        if not 0 <= value <= 1:
            raise ValueError(f"{name}: {option} must be in [0, 1], got {value}.")
    if len(sizes) != len(PARTS) or min(sizes) < 1:
        raise ValueError(
            f"{name}: sizes must be three numbers >= 1 ({', '.join(PARTS)}), got {sizes}."
        )


def _part(task, generator, digits, chance, size):
    """One part: P(attribute = label) = chance."""
    labels, made_of = task.labels(generator, size)
    agrees = generator.random(size) < chance
    attribute = np.where(agrees, labels, 1 - labels)
    inputs = task.inputs(generator, digits, made_of, attribute)
    return {
        "x": inputs.astype(np.float32),
        "y": labels.astype(np.int32),
        "a": attribute.astype(np.int32),
        "index": np.arange(size, dtype=np.int32),
    }


def _two_digits(generator, size):
    core = generator.integers(6, 8, (size, 2))
    return (core[:, 0] != core[:, 1]).astype(int), core


def _one_bit(generator, size):
    labels = generator.integers(0, 2, size)
    return labels, np.where(labels == 1, 8, 3)


def _any_digit(generator, size):
    digit = generator.integers(0, 10, size)
    return (digit >= 5).astype(int), digit


def _strip(generator, digits, core, attribute):
    parts = [attribute, core[:, 0], core[:, 1]]
    return np.concatenate([pictures(generator, digits, part) for part in parts], axis=2)


def _patch_beside(generator, digits, core, attribute):
    pictured = [grey(pictures(generator, digits, core[:, k])) for k in (0, 1)]
    return np.concatenate([patches(generator, attribute), *pictured], axis=2)


def _patch_above(generator, digits, digit, attribute):
    pictured = grey(pictures(generator, digits, digit))
    return np.concatenate([patches(generator, attribute), pictured], axis=1)


def _noisy_above(generator, digits, digit, attribute):
    top, bottom = (pictures(generator, digits, part) for part in (attribute, digit))
    top = top + generator.normal(0, _TOP_NOISE, top.shape)
    bottom = bottom + generator.normal(0, _BOTTOM_NOISE, bottom.shape)
    return np.concatenate([top, bottom], axis=1)


_STRIP_BIAS = Task("strip_bias", _one_bit, _noisy_above)
