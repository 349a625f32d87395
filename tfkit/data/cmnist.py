"""Coloured MNIST (Arjovsky et al. 2019): the colour tells more than the digit."""

import numpy as np

from tfkit.data.grouped import GroupedSource, Groups, group_names
from tfkit.data.mnist_files import read_mnist
from tfkit.data.shortcut_source import check_options
from tfkit.data.source import Source

_SHARES = (1 / 2, 1 / 6)  # of MNIST's training images, for training and choosing


def load(
    path: str,
    seed: int = 0,
    correlation: float = 0.8,
    validation_correlation: float | None = None,
    test_correlation: float | None = None,
    label_noise: float = 0.25,
) -> Source:
    """Red and green digits that are at least five, or below.

        label = [digit >= 5], turned round with chance label_noise
        colour (1 red, 0 green) = label with chance correlation

    So the colour may tell the label better (0.8) than the digit does (0.75). The parts are the
    first half, the next sixth and the last third of MNIST's 60,000 training images, as in
    SubpopBench; groups are label x colour.

    Gives: inputs, labels, groups, index
    Args:
        path: mnist.npz or the folder of the four files; a relative path is looked for under
            $TFKIT_DATA, then here.
        seed: of colours and noise, >= 0; that of a run does not change the data.
        correlation: P(colour = label) in training, in [0, 1]; 0.8 is SubpopBench's, 0.9 and 0.8 are
            the two environments of Arjovsky et al.
        validation_correlation: the same in validation, in [0, 1]; null is that of training.
        test_correlation: the same in the test part, in [0, 1]; null is that of training, 0.1 is
            Arjovsky's.
        label_noise: chance that a label is wrong, in [0, 1].
    Raises:
        DataMissing: no such file, or one of another layout.
        ValueError: options out of range.
    References: Arjovsky et al. 2019, arXiv:1907.02893; Yang et al. 2023, arXiv:2302.12254.
    """
    chances = {
        "correlation": correlation,
        "validation_correlation": validation_correlation,
        "test_correlation": test_correlation,
    }
    check_options("cmnist", chances | {"label_noise": label_noise}, {})
    if seed < 0:
        raise ValueError(f"cmnist: seed must be >= 0, got {seed}.")
    images, digits = read_mnist("cmnist", path)["train"]
    first, second = np.cumsum([round(len(images) * share) for share in _SHARES])
    ranges = {"train": slice(first), "valid": slice(first, second), "test": slice(second, None)}
    splits, groups = {}, {}
    for number, (part, rows) in enumerate(ranges.items()):
        generator = np.random.default_rng([seed, number])
        chance = list(chances.values())[number]
        labels = _turned((digits[rows] >= 5).astype(int), label_noise, generator)
        colours = _turned(labels, 1 - (correlation if chance is None else chance), generator)
        splits[part] = {"inputs": _coloured(images[rows], colours), "labels": labels}
        groups[part] = 2 * labels + colours
    names = group_names(["digit < 5", "digit >= 5"], ["green", "red"])
    return GroupedSource(splits, 2, Groups(names, groups), source=f"MNIST, coloured, seed {seed}")


def _turned(bits, chance, generator):
    """Bits of which each is turned round with some chance."""
    return np.where(generator.random(len(bits)) < chance, 1 - bits, bits)


def _coloured(images, colours):
    """Grey in one channel of three, 0 (red) or 1.  [N, H, W], [N] -> [N, H, W, 3]"""
    found = np.zeros((*images.shape, 3), np.uint8)
    found[np.arange(len(images)), :, :, 1 - colours] = images
    return found
