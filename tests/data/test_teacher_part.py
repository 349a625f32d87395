import pytest

from tfkit.data import shortcuts, strip_bias


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: shortcuts.strip_bias_teacher(size=0), "strip_bias_teacher: size must be >= 1"),
        (lambda: strip_bias.load(train_size=0), "strip_bias: train_size must be >= 1, got 0"),
        (
            lambda: strip_bias.load(teacher_correlation=2),
            r"teacher_correlation must be in \[0, 1\]",
        ),
    ],
)
def test_refuses(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()
