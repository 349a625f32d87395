"""Two digits beside a coloured square that tells what they hide."""

from tfkit.data.shortcut_source import shortcut_source
from tfkit.data.shortcuts import patch_xor
from tfkit.data.source import Source


def load(
    seed: int = 0,
    correlation: float = 1.0,
    validation_correlation: float | None = None,
    train_size: int = 4_000,
    validation_size: int = 1_000,
    test_size: int = 2_000,
) -> Source:
    """A red or green square beside two grey 8 x 8 digits, for networks of convolutions.

        [square of 4 x 4, red (a = 1) or green | digit c1 | digit c2],  c1, c2 in {6, 7}
        y = [c1 = 7] xor [c2 = 7]

    The square is anywhere in columns 0 to 7: where a network should not look is known.
    Groups are label x attribute. Digits of training and validation are the same images, put
    together anew; those of testing are others.

    Gives: inputs, labels, groups, index
    Args:
        seed: of the digits' parting and all draws, >= 0; that of a run does not change the data.
        correlation: P(a = y) in training, in [0, 1]; 1 makes the shortcut perfect.
        validation_correlation: the same in validation, in [0, 1]; null is that of training, which
            cannot choose between models that use the shortcut and models that do not: 0.5 can.
        train_size: examples for training, >= 1.
        validation_size: examples for choosing, >= 1.
        test_size: examples for reporting, >= 1; their attribute tells nothing of their label.
    Raises:
        ValueError: an option out of range.
    References: a feature hidden by a simpler one: Tiwari and Shenoy 2023, arXiv:2301.13293;
        digits: Alpaydin and Kaynak 1998, https://doi.org/10.24432/C50P49
    """
    return shortcut_source(
        patch_xor,
        seed,
        (slice(None), slice(0, 8)),
        correlation=correlation,
        validation_correlation=validation_correlation,
        train_size=train_size,
        validation_size=validation_size,
        test_size=test_size,
    )
