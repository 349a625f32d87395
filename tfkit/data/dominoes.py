"""Dominoes (Shah et al. 2020): a digit above a picture of a car or a truck."""

from pathlib import Path

import numpy as np

from tfkit.data.archives import reading
from tfkit.data.finding import find
from tfkit.data.grouped import GroupedSource, Groups, group_names
from tfkit.data.listing import check_share
from tfkit.data.mnist_files import read_mnist
from tfkit.data.shortcut_source import check_options
from tfkit.data.source import Source
from tfkit.errors import DataMissing

CLASSES = {"automobile": 1, "truck": 9}  # numbers in CIFAR-10
_SIDE = 32
_RECORD = 1 + 3 * _SIDE**2
_FILES = {
    "train": [f"data_batch_{number}.bin" for number in range(1, 6)],
    "test": ["test_batch.bin"],
}
_LAYOUT = (
    "the folder cifar-10-batches-bin with data_batch_1.bin to data_batch_5.bin and test_batch.bin, "
    "records of a label and 3072 bytes: the binary version from "
    "https://www.cs.toronto.edu/~kriz/cifar.html"
)


def load(
    mnist: str,
    cifar: str,
    seed: int = 0,
    correlation: float = 0.95,
    validation_correlation: float | None = None,
    test_correlation: float = 0.5,
    validation: float = 0.2,
) -> Source:
    """A handwritten 0 or 1 above a car or a truck; the vehicle is to be told.

        [digit a in {0, 1}, 32 x 32] above [car (y = 0) or truck (y = 1), 32 x 32]
        P(a = y) = correlation

    Every picture of CIFAR-10's two classes is in one example: 10,000 of its training part, of which
    some are held out for choosing, and 2,000 of its test part; digits are drawn from the same part
    of MNIST. Groups are vehicle x digit.

    Gives: inputs, labels, groups, index
    Args:
        mnist: mnist.npz or the folder of its four files; a relative path is looked for under
            $TFKIT_DATA, then here.
        cifar: the folder cifar-10-batches-bin, likewise. The version for Python is pickled and not
            read.
        seed: of digits and order, >= 0; that of a run does not change the data.
        correlation: P(a = y) in training, in [0, 1]; 1 makes the shortcut perfect, as the paper's.
        validation_correlation: the same in validation, in [0, 1]; null is that of training.
        test_correlation: the same in the test part, in [0, 1].
        validation: share of the training pictures that is held out for choosing, in (0, 1).
    Raises:
        DataMissing: no such files, or files of another layout.
        ValueError: options out of range.
    References: Shah et al. 2020, arXiv:2006.07710.
    """
    chances = {
        "correlation": correlation,
        "validation_correlation": validation_correlation,
        "test_correlation": test_correlation,
    }
    check_options("dominoes", chances, {})
    check_share("dominoes", "validation", validation)
    if seed < 0:
        raise ValueError(f"dominoes: seed must be >= 0, got {seed}.")
    digits = read_mnist("dominoes", mnist)
    folder = find("dominoes", cifar, _LAYOUT, "folder")
    vehicles = {part: _vehicles(folder, names) for part, names in _FILES.items()}
    order = np.random.default_rng([seed, 0]).permutation(len(vehicles["train"][1]))
    held = max(1, round(validation * len(order)))
    rows = {"train": order[held:], "valid": order[:held], "test": slice(None)}
    splits, groups = {}, {}
    for number, part in enumerate(rows):
        own = "test" if part == "test" else "train"
        pictures, labels = (array[rows[part]] for array in vehicles[own])
        chance = list(chances.values())[number]
        generator = np.random.default_rng([seed, number + 1])
        chance = correlation if chance is None else chance
        above, attribute = _above(generator, digits[own], labels, chance)
        splits[part] = {"inputs": np.concatenate([above, pictures], axis=1), "labels": labels}
        groups[part] = 2 * labels + attribute
    region = np.zeros((2 * _SIDE, _SIDE), bool)
    region[:_SIDE] = True
    names = group_names(list(CLASSES), ["digit 0", "digit 1"])
    given = {"source": f"MNIST above CIFAR-10, seed {seed}", "spurious_region": region}
    return GroupedSource(splits, 2, Groups(names, groups), **given)


def _vehicles(folder: Path, names: list[str]):
    """Pictures [N, 32, 32, 3] uint8 and labels [N] of the two classes."""
    pictures, labels = [], []
    for file in (folder / name for name in names):
        with reading("dominoes", file, _LAYOUT):
            content = file.read_bytes()
            if not content or len(content) % _RECORD:
                raise ValueError(f"{len(content)} bytes, not records of {_RECORD}")
        records = np.frombuffer(content, np.uint8).reshape(-1, _RECORD)
        for label, number in enumerate(CLASSES.values()):
            found = records[records[:, 0] == number, 1:]
            pictures.append(found.reshape(-1, 3, _SIDE, _SIDE).transpose(0, 2, 3, 1))
            labels += [label] * len(found)
    if len(set(labels)) < len(CLASSES):
        raise DataMissing(
            f"dominoes: {folder} lacks pictures of {' or '.join(CLASSES)}; expected {_LAYOUT}."
        )
    return np.concatenate(pictures), np.array(labels)


def _above(generator, mnist, labels, chance):
    """Digits that are the label with some chance: random images, black around, and the digits.

    Shapes: [N] -> [N, 32, 32, 3] uint8, [N]
    """
    images, digits = mnist
    agrees = generator.random(len(labels)) < chance
    wanted = np.where(agrees, labels, 1 - labels)
    found = np.zeros((len(wanted), _SIDE, _SIDE, 3), np.uint8)
    edge = (_SIDE - images.shape[1]) // 2
    for digit in np.unique(wanted):
        known = images[digits == digit]
        if not len(known):
            raise DataMissing(f"dominoes: MNIST's files have no digit {digit}.")
        rows = np.flatnonzero(wanted == digit)
        drawn = known[generator.integers(0, len(known), len(rows))]
        found[rows, edge:-edge, edge:-edge] = drawn[..., None]
    return found, wanted
