"""Rows of pictures reach the page pixel by pixel."""

import base64
import io

import numpy as np
from PIL import Image

from tfkit.figure import Figure
from tfkit.report.images import strips


def pixels(strip):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(strip["source"].split(",")[1]))))


def test_pictures_are_enlarged_by_whole_factors_with_clear_gaps():
    row = np.random.default_rng(0).random((1, 3, 8, 4, 3))
    strip = strips(Figure("images", {"images": row}, "c", "a", {"rows": ["top"]}))[0]
    got = pixels(strip)
    assert got.shape == (64, 3 * 32 + 2 * 3, 4) == (strip["height"], strip["width"], 4)
    expected = np.rint(row[0, 1] * 255).repeat(8, 0).repeat(8, 1)
    np.testing.assert_array_equal(got[:, 35:67, :3], expected)
    assert (got[:, 32:35, 3] == 0).all() and (got[:, 35:67, 3] == 255).all()
    assert strip["label"] == "top" and strip["alt"] == "a Row: top"


def test_what_is_not_finite_is_seen():
    row = np.zeros((1, 1, 64, 64, 1))
    row[0, 0, 0, 0] = np.nan
    row[0, 0, 0, 1] = 7.0  # out of range is clipped, not wrapped
    got = pixels(strips(Figure("images", {"images": row}, "c", "a"))[0])
    assert got[0, 0].tolist() == [255, 0, 255, 255] and got[0, 1].tolist() == [255, 255, 255, 255]
    assert got[1, 1].tolist() == [0, 0, 0, 255]
