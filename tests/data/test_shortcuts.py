import numpy as np
import pytest
from sklearn.datasets import load_digits

from tfkit.data import shortcuts

FEW = (300, 100, 200)
DRAWN = {
    "strip_xor": (8, 24),
    "patch_xor": (8, 24, 3),
    "strip_bias": (16, 8),
    "patch_threshold": (16, 8, 3),
}
PARTS = ("train", "validation", "test")
DIGITS = {
    (picture / 16).astype("float32").tobytes(): (number, digit)
    for number, (picture, digit) in enumerate(zip(*load_digits(return_X_y=True), strict=True))
}


def shown(pictures):
    """Number and class of the digits in some pictures.  [N, 8, 8] -> [N], [N]"""
    found = [DIGITS[np.ascontiguousarray(picture).tobytes()] for picture in pictures]
    return np.array(found).T


def squares(canvas):
    """Which colour a 4 x 4 square has that is alone on black.  [N, 8, 8, 3] -> [N]"""
    assert set(np.unique(canvas)) == {0, 1} and not canvas[..., 2].any()
    colours = canvas.any(axis=(1, 2))  # [N, 3]
    assert np.all(colours.sum(axis=1) == 1)
    for axes in ((2, 3), (1, 3)):  # four rows, then four columns, in one piece
        lines = canvas.any(axis=axes)  # [N, 8]
        assert np.all(lines.sum(axis=1) == 4)
        assert np.all(7 - lines[:, ::-1].argmax(axis=1) - lines.argmax(axis=1) == 3)
    return colours[:, 0].astype(int)


@pytest.mark.parametrize("name", DRAWN)
def test_shapes_types_and_the_correlation_of_each_part(name):
    drawn = getattr(shortcuts, name)(seed=1, rho=0.8, rho_val=0.3, sizes=(3000, 2000, 2500))
    assert tuple(drawn) == PARTS
    for part, size, chance in zip(PARTS, (3000, 2000, 2500), (0.8, 0.3, 0.5), strict=True):
        x, y, a, index = (drawn[part][key] for key in ("x", "y", "a", "index"))
        assert x.shape == (size, *DRAWN[name]) and x.dtype == np.float32
        assert y.dtype == a.dtype == index.dtype == np.int32
        np.testing.assert_array_equal(index, np.arange(size))
        assert set(y) == set(a) == {0, 1}
        assert abs(np.mean(y == a) - chance) < 0.04 and abs(y.mean() - 0.5) < 0.04
        assert abs(np.mean(y[y == a]) - 0.5) < 0.06  # agreement is drawn apart from the label


def test_the_defaults_are_the_specifications():
    sizes = {
        name: [len(part["x"]) for part in getattr(shortcuts, name)().values()] for name in DRAWN
    }
    assert sizes["strip_xor"] == sizes["patch_xor"] == [4000, 1000, 2000]
    assert sizes["strip_bias"] == [6000, 1000, 4000] and sizes["patch_threshold"][0] == 1000
    strict = shortcuts.strip_xor()
    assert all(np.array_equal(strict[p]["y"], strict[p]["a"]) for p in ("train", "validation"))
    assert 0.93 < np.mean(np.equal(*(shortcuts.strip_bias()["train"][k] for k in "ya"))) < 0.97


def test_a_strip_is_the_attribute_and_the_two_digits_of_the_label():
    numbers = {}
    for part, drawn in shortcuts.strip_xor(seed=2, rho=0.7, sizes=(2000, 500, 1500)).items():
        thirds = [shown(third) for third in np.split(drawn["x"], 3, axis=2)]
        np.testing.assert_array_equal(thirds[0][1], drawn["a"])
        assert set(thirds[1][1]) == set(thirds[2][1]) == {6, 7}
        np.testing.assert_array_equal((thirds[1][1] == 7) ^ (thirds[2][1] == 7), drawn["y"])
        numbers[part] = set(np.concatenate([third[0] for third in thirds]))
    assert not (numbers["train"] | numbers["validation"]) & numbers["test"]
    ours, others = len(numbers["train"]), len(numbers["test"])  # nearly all were drawn
    assert abs(ours / (ours + others) - 2 / 3) < 0.02


def test_patches_are_squares_beside_or_above_grey_digits():
    drawn = shortcuts.patch_xor(seed=3, rho=0.6, sizes=FEW)["train"]
    np.testing.assert_array_equal(squares(drawn["x"][:, :, :8]), drawn["a"])
    grey = drawn["x"][:, :, 8:]
    assert np.all(grey == grey[..., :1])
    digits = [shown(grey[:, :, start : start + 8, 0])[1] for start in (0, 8)]
    np.testing.assert_array_equal(digits[0] != digits[1], drawn["y"])
    drawn = shortcuts.patch_threshold(seed=3, rho=0.6, sizes=FEW)["train"]
    np.testing.assert_array_equal(squares(drawn["x"][:, :8]), drawn["a"])
    digits = shown(drawn["x"][:, 8:, :, 0])[1]
    assert set(digits) == set(range(10))
    np.testing.assert_array_equal(digits >= 5, drawn["y"])


def test_squares_are_at_all_25_places():
    canvas = shortcuts.patch_xor(sizes=(2000, 1, 1))["train"]["x"][:, :, :8].any(axis=3)
    places = {(c.any(axis=1).argmax(), c.any(axis=0).argmax()) for c in canvas}
    assert places == {(row, column) for row in range(5) for column in range(5)}


def test_noise_is_small_above_and_large_below():
    drawn = shortcuts.strip_bias(seed=4, sizes=(4000, 1, 1))["train"]
    corner = drawn["x"][:, [0, 8], 0]  # black in every digit
    np.testing.assert_allclose(corner.mean(axis=0), [0, 0], atol=0.03)
    np.testing.assert_allclose(corner.std(axis=0), [0.2, 0.5], rtol=0.05)
    pictures, classes = load_digits(return_X_y=True)
    for half, key, digits in ((slice(0, 8), "a", (0, 1)), (slice(8, 16), "y", (3, 8))):
        for bit, digit in enumerate(digits):
            mean = drawn["x"][drawn[key] == bit, half].mean(axis=0)
            expected = pictures[classes == digit].mean(axis=0).reshape(8, 8) / 16
            np.testing.assert_allclose(mean, expected, atol=0.12)


def test_seed_and_sizes():
    one = shortcuts.patch_threshold(seed=5, sizes=FEW)
    again, longer = (shortcuts.patch_threshold(seed=5, sizes=s) for s in (FEW, (999, 100, 200)))
    for part in PARTS:
        np.testing.assert_array_equal(one[part]["x"], again[part]["x"])
    np.testing.assert_array_equal(one["test"]["x"], longer["test"]["x"])
    other = shortcuts.patch_threshold(seed=6, sizes=FEW)
    assert not np.array_equal(one["test"]["x"], other["test"]["x"])
    assert not np.array_equal(one["train"]["x"][:100], one["validation"]["x"])


def test_a_teachers_part_has_its_own_correlation_and_no_test_digit():
    part = shortcuts.strip_bias_teacher(seed=7, size=3000)
    assert abs(np.mean(part["y"] == part["a"]) - 0.5) < 0.04
    other = shortcuts.strip_bias_teacher(seed=7, size=3000, draw=1)
    students = shortcuts.strip_bias(seed=7, rho=0.5, sizes=(3000, 1, 1))["train"]
    for drawn in (other, students):
        assert not np.array_equal(part["y"], drawn["y"])
    with pytest.raises(ValueError, match="draw must be >= 0, got -1"):
        shortcuts.strip_bias_teacher(draw=-1)


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rho": 1.1}, r"rho must be in \[0, 1\], got 1.1"),
        ({"rho_val": -0.1}, r"rho_val must be in \[0, 1\], got -0.1"),
        ({"seed": -1}, "seed must be >= 0, got -1"),
        ({"sizes": (5, 5)}, r"sizes must be three numbers >= 1 .*got \(5, 5\)"),
        ({"sizes": (5, 0, 5)}, "sizes must be three numbers >= 1"),
    ],
)
def test_bad_arguments(name, options, message):
    with pytest.raises(ValueError, match=f"{name}: {message}"):
        getattr(shortcuts, name)(**options)
