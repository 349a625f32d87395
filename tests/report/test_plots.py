"""Drawings take the page's colours and keep their text."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from tfkit.figure import Figure
from tfkit.report import plots

FIGURES = {
    "line": ({"x": np.arange(3), "y": np.ones((8, 3))}, {"x": "capacity ($)"}),
    "bars": ({"values": np.arange(4)}, {"names": ["<a>", "b", "c", "$d"]}),
    "heatmap": ({"values": np.eye(3)}, {"rows": list("abc"), "value": "nats"}),
    "scatter": ({"x": np.arange(9), "y": np.arange(9), "group": np.arange(9) % 2}, {"y": "z"}),
}


@pytest.mark.parametrize("kind", FIGURES)
def test_svg_is_well_formed_named_and_themed(kind):
    arrays, labels = FIGURES[kind]
    svg = str(plots.draw(Figure(kind, arrays, "c", 'alt "quoted" <x>', labels)))
    spaced = svg.replace("<svg ", '<svg xmlns:xlink="http://www.w3.org/1999/xlink" ', 1)
    root = ElementTree.fromstring(spaced)
    assert root.get("aria-label") == 'alt "quoted" <x>' and root.get("role") == "img"
    assert "width" not in root.attrib and "<style" not in svg
    words = "".join(root.itertext())
    assert all(
        str(w) in words for v in labels.values() for w in (v if isinstance(v, list) else [v])
    )
    assert "var(--muted)" in svg
    assert not re.search(r"#0[1-4]0[0-3]0[0-9]\b", svg)  # no placeholder is left


def test_a_wide_positive_curve_is_logarithmic():
    steps = np.arange(1, 5)
    wide = plots.curve([(steps, np.array([1e4, 1e2, 1e1, 1.0]), 0)], "alt")
    narrow = plots.curve([(steps, np.array([4.0, 3.0, 2.0, 1.0]), 0)], "alt")
    assert "10" in wide and "2.5" in narrow or "2" in narrow
    assert wide != narrow and "−1" not in wide


def test_a_logarithmic_axis_has_plain_numbers():
    drawn = plots.curve([(np.arange(3), np.array([0.001, 0.1, 10.0]), 0)], alt="wide")
    assert "mathdefault" not in drawn and ">0.01<" in drawn


def test_two_curves_do_not_share_names():
    """Markers and clip paths are referred to by id; equal ids must mean equal things."""
    found = {}
    for values in ([1.0, 2.0], [5.0, 1.0]):
        svg = str(plots.curve([(np.arange(2), np.array(values), 0)], "alt"))
        for name, body in re.findall(r'<(?:clipPath|path) id="([^"]+)"(.*?)>', svg, re.S):
            assert found.setdefault(name, body) == body
