"""A digit below a coloured square that mostly tells whether it is large."""

from tfkit.data.shortcut_source import shortcut_source
from tfkit.data.shortcuts import patch_threshold
from tfkit.data.source import Source


def load(
    seed: int = 0,
    correlation: float = 0.95,
    validation_correlation: float | None = None,
    train_size: int = 1_000,
    validation_size: int = 500,
    test_size: int = 2_000,
) -> Source:
    """A red or green square above a grey 8 x 8 digit that is at least five, or below.

        [square of 4 x 4, red (a = 1) or green] above [digit d in 0-9];  y = [d >= 5]

    Few images, an imperfect shortcut and ten kinds of digits: nearer to real data, and noisy.
    Groups are label x attribute. Digits of training and validation are the same images, put
    together anew; those of testing are others.

    Gives: inputs, labels, groups, index
    Args:
        seed: of the digits' parting and all draws, >= 0; that of a run does not change the data.
        correlation: P(a = y) in training, in [0, 1].
        validation_correlation: the same in validation, in [0, 1]; null is that of training; 0.5 has
            groups of one size.
        train_size: examples for training, >= 1.
        validation_size: examples for choosing, >= 1.
        test_size: examples for reporting, >= 1; their attribute tells nothing of their label.
    Raises:
        ValueError: an option out of range.
    References: a feature hidden by a simpler one: Tiwari and Shenoy 2023, arXiv:2301.13293;
        digits: Alpaydin and Kaynak 1998, https://doi.org/10.24432/C50P49
    """
    return shortcut_source(
        patch_threshold,
        seed,
        (slice(0, 8), slice(None)),
        correlation=correlation,
        validation_correlation=validation_correlation,
        train_size=train_size,
        validation_size=validation_size,
        test_size=test_size,
    )
