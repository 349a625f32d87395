import numpy as np
import pytest

from tfkit.data import combinations

SIZES = {"shape": 3, "scale": 6, "turn": 40}


def test_the_weights_are_the_formula():
    known = combinations.correlation("d", SIZES, ["scale", "turn"], 0.4)
    assert known.columns == (1, 2)
    scale, turn = 2, 31
    expected = np.exp(-((scale / 5 - turn / 39) ** 2) / (2 * 0.4**2))
    assert known.weights[scale * 40 + turn] == pytest.approx(expected)
    assert combinations.correlation("d", SIZES, None, 0.4) is None


def test_pairs_and_exclusions_go_by_columns():
    rows = np.arange(3 * 6 * 40)
    shape, scale, turn = np.unravel_index(rows, (3, 6, 40))
    known = combinations.correlation("d", SIZES, ["turn", "shape"], 0.4)
    np.testing.assert_array_equal(combinations.pairs((3, 6, 40), known, rows), turn * 3 + shape)
    given = [{"shape": [2], "scale": [0, 1]}, {"turn": [39]}]
    excluded = combinations.exclusions("d", SIZES, given)
    expected = ((shape == 2) & (scale < 2)) | (turn == 39)
    np.testing.assert_array_equal(combinations.excluded_rows((3, 6, 40), excluded, rows), expected)


def test_kept_values_are_spread_evenly():
    kept = combinations.kept_values("d", SIZES, [2, 1, 4], {"turn": 39})
    assert [values.tolist() for values in kept] == [[0, 2], [2], [0, 10, 20, 29]]
    whole = combinations.kept_values("d", SIZES, [3, 6, 39], {"turn": 39})
    assert [values.tolist() for values in whole] == [list(range(n)) for n in (3, 6, 39)]
    assert combinations.kept_values("d", SIZES, [3, 6, 40], {"turn": 39})[2].tolist()[-1] == 39
    rows = combinations.kept_rows((3, 6, 40), kept)
    np.testing.assert_array_equal(np.unravel_index(rows, (3, 6, 40))[2], [0, 10, 20, 29] * 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: combinations.correlation("d", SIZES, ["scale"], 0.2), "two different factors"),
        (lambda: combinations.correlation("d", SIZES, ["turn", "turn"], 0.2), "two different"),
        (lambda: combinations.correlation("d", SIZES, ["turn", "size"], 0.2), "of shape, scale"),
        (lambda: combinations.correlation("d", SIZES, None, 0.0), "width must be > 0.*got 0.0"),
        (lambda: combinations.exclusions("d", SIZES, [{"hue": [0]}]), r"excluded\[0\]: no factor"),
        (lambda: combinations.exclusions("d", SIZES, [{}]), r"must be \{factor"),
        (lambda: combinations.exclusions("d", SIZES, [{"scale": [6]}]), r"in 0-5, got \[6\]"),
        (lambda: combinations.exclusions("d", SIZES, [{"scale": 2}]), "got 2"),
        (lambda: combinations.kept_values("d", SIZES, [3, 6]), "one number for each"),
        (lambda: combinations.kept_values("d", SIZES, [3, 7, 4]), "scale must be in 1-6, got 7"),
    ],
)
def test_bad_options(call, message):
    with pytest.raises(ValueError, match=message):
        call()
