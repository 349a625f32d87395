"""The shortcut tasks as sources."""

from collections.abc import Callable

import numpy as np

from tfkit.data.grouped import GroupedSource, Groups, group_names

_BITS = ("0", "1")


def shortcut_source(
    task: Callable,
    seed: int,
    spurious: tuple[slice, slice],
    *,
    correlation: float,
    validation_correlation: float | None,
    train_size: int,
    validation_size: int,
    test_size: int,
    further: dict[str, dict] | None = None,
) -> GroupedSource:
    """A task of `shortcuts` in memory, with the groups label x attribute.

    Args:
        task: the function that draws it.
        seed: of the draw, >= 0.
        spurious: rows and columns where the shortcut is.
        correlation: P(a = y) in training, in [0, 1].
        validation_correlation: the same in validation, in [0, 1]; None is that of training.
        train_size: examples for training, >= 1.
        validation_size: examples for choosing, >= 1.
        test_size: examples for reporting, >= 1.
        further: {name: part} of training parts beside the three.
    Raises:
        ValueError: an option out of range.
    """
    name = task.__name__
    chances = {"correlation": correlation, "validation_correlation": validation_correlation}
    sizes = {"train_size": train_size, "validation_size": validation_size, "test_size": test_size}
    check_options(name, chances, sizes)
    parts = task(seed, *chances.values(), tuple(sizes.values()))
    parts["valid"] = parts.pop("validation")
    parts |= further or {}
    groups = {part: 2 * drawn["y"] + drawn["a"] for part, drawn in parts.items()}
    splits = {part: {"inputs": drawn["x"], "labels": drawn["y"]} for part, drawn in parts.items()}
    region = np.zeros(parts["train"]["x"].shape[1:3], bool)
    region[spurious] = True
    names = group_names([f"y={bit}" for bit in _BITS], [f"a={bit}" for bit in _BITS])
    return GroupedSource(
        splits,
        2,
        Groups(names, groups),
        source=f"scikit-learn's digits, {name}, seed {seed}",
        spurious_region=region,
    )


def check_options(name: str, correlations: dict[str, float | None], sizes: dict[str, int]) -> None:
    """ValueError for a correlation outside [0, 1] or a size below 1, by its name."""
    for option, value in correlations.items():
        if value is not None and not 0 <= value <= 1:
            raise ValueError(f"{name}: {option} must be in [0, 1], got {value}.")
    for option, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name}: {option} must be >= 1, got {size}.")
