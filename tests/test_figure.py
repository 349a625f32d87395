"""Figures survive the disk and refuse what could not be drawn."""

import numpy as np
import pytest

from tfkit.figure import Figure

GOOD = {
    "images": {"images": np.zeros((2, 3, 4, 5, 1))},
    "line": {
        "x": np.arange(4),
        "y": np.ones((2, 4)),
        "low": np.zeros((2, 4)),
        "high": np.ones((2, 4)),
    },
    "bars": {"values": np.arange(3)},
    "heatmap": {"values": np.eye(3)},
    "scatter": {"x": np.arange(5), "y": np.arange(5), "group": np.zeros(5, int)},
    "violins": {"values": np.arange(6.0), "group": np.array([0, 0, 0, 0, 0, 1])},
}


@pytest.mark.parametrize("kind", GOOD)
def test_save_and_load_give_the_same_figure(kind, tmp_path):
    figure = Figure(kind, GOOD[kind], "caption é", "alt", {"rows": ["a", "b"], "x": "step"})
    loaded = Figure.load(figure.save(tmp_path / "f.npz"))
    assert (loaded.kind, loaded.caption, loaded.alt, loaded.labels) == (
        figure.kind,
        figure.caption,
        figure.alt,
        figure.labels,
    )
    assert loaded.arrays.keys() == figure.arrays.keys()
    for name, array in figure.arrays.items():
        np.testing.assert_array_equal(loaded.arrays[name], array)
    assert [p.name for p in tmp_path.iterdir()] == ["f.npz"]


@pytest.mark.parametrize(
    "kind, arrays, words",
    [
        ("pie", {}, "kind must be one of"),
        ("images", {"images": np.zeros((3, 4, 5, 1))}, "rank 5, got shape"),
        ("images", {"images": np.zeros((1, 3, 4, 5, 2))}, "1 or 3 channels"),
        ("line", {"y": np.zeros(3)}, "takes the arrays"),
        ("line", {"x": np.zeros(3), "y": np.zeros(4)}, "x has 3 points"),
        ("line", {"x": np.zeros(3), "y": np.zeros(3), "low": np.zeros((1, 3))}, "low must have"),
        ("bars", {"values": np.zeros(3), "colour": np.zeros(3)}, "takes the arrays"),
        ("scatter", {"x": np.zeros(3), "y": np.zeros(4)}, "x has 3 points"),
    ],
)
def test_refuses_what_cannot_be_drawn(kind, arrays, words):
    with pytest.raises(ValueError, match=words):
        Figure(kind, arrays, "c", "a")


def test_load_refuses_other_files(tmp_path):
    np.savez(tmp_path / "other.npz", x=np.zeros(2))
    with pytest.raises(ValueError, match="not written by Figure.save"):
        Figure.load(tmp_path / "other.npz")


def test_violins_need_a_group_for_each_value():
    with pytest.raises(ValueError, match="a group for each value"):
        Figure("violins", {"values": np.zeros(3), "group": np.zeros(2, int)}, "c", "a")
