"""A noisy digit below a clear one that mostly tells the same."""

from tfkit.data.shortcut_source import check_options, shortcut_source
from tfkit.data.shortcuts import strip_bias, strip_bias_teacher
from tfkit.data.source import Source


def load(
    seed: int = 0,
    correlation: float = 0.95,
    validation_correlation: float | None = None,
    train_size: int = 6_000,
    validation_size: int = 1_000,
    test_size: int = 4_000,
    teacher_correlation: float | None = 0.5,
    teacher_draw: int = 0,
) -> Source:
    """A clear 8 x 8 digit above a noisy one: the clear one is easy, the noisy one is right.

        [digit a in {0, 1} + N(0, 0.2^2)] above [digit 3 (y = 0) or 8 (y = 1) + N(0, 0.5^2)]

    Pixels leave [0, 1], noise is not cut off. The source has a further training part with another
    correlation, `source.drawn("teacher", batch_size, seed=…)`, from which a teacher can learn that
    does not use the shortcut.
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
        teacher_correlation: P(a = y) in the teacher's part, in [0, 1]; null makes no such part.
        teacher_draw: number of the teacher's draw, >= 0.
    Raises:
        ValueError: an option out of range.
    References: a student that inherits no shortcut: Tiwari et al. 2024, arXiv:2310.18590;
        digits: Alpaydin and Kaynak 1998, https://doi.org/10.24432/C50P49
    """
    own = {"teacher_correlation": teacher_correlation}
    check_options("strip_bias", own, {"train_size": train_size})
    if teacher_draw < 0:
        raise ValueError(f"strip_bias: teacher_draw must be >= 0, got {teacher_draw}.")
    further = {}
    if teacher_correlation is not None:
        drawn = strip_bias_teacher(seed, teacher_correlation, train_size, teacher_draw)
        further["teacher"] = drawn
    return shortcut_source(
        strip_bias,
        seed,
        (slice(0, 8), slice(None)),
        correlation=correlation,
        validation_correlation=validation_correlation,
        train_size=train_size,
        validation_size=validation_size,
        test_size=test_size,
        further=further,
    )
