"""Axes and lines of a search's pictures."""

import re

import pytest

from tests.report.searches import SPACE, make_search
from tfkit.report.plots import colour
from tfkit.report.trial_plots import Coordinate, coordinates, progress


def rows(**options):
    """Trials as the ranking hands them over."""
    found = make_search(**options)["trials"]
    kept = [{**t, "budget": t.get("budget")} for t in found]
    return sorted(kept, key=lambda t: (t["objective"] is None, -(t["objective"] or 0)))


def lines(svg, variable):
    """Paths of that colour."""
    return re.findall(rf'<path d="([^"]*)"[^>]*stroke: var\(--{variable}\)', svg)


def test_places_on_axes():
    assert Coordinate("x", 0, 4).place(1) == 0.25
    assert Coordinate("x", 1e-4, 1e-2, log=True).place(1e-3) == pytest.approx(0.5)
    assert Coordinate("x", 3, 3).place(3) == 0.5
    words = Coordinate("x", words=("a", "b", "true"))
    assert [words.place(v) for v in ("a", "b", True)] == [0, 0.5, 1]


def test_ticks_lie_on_the_axis():
    labels = [label for _, label in Coordinate("x", 1e-4, 1e-1, log=True).ticks()]
    assert labels == ["0.0001", "0.001", "0.01", "0.1"]
    assert [label for _, label in Coordinate("x", 2.0, 5.0, log=True).ticks()] == ["2", "5"]
    whole = [label for _, label in Coordinate("x", 1, 4).ticks()]
    assert whole == ["1", "2", "3", "4"]
    assert len(Coordinate("x", 1e-9, 1e9, log=True).ticks()) <= 5
    for axis in (Coordinate("x", 0.13, 0.29), Coordinate("x", 3, 3)):
        assert all(-1e-9 <= place <= 1 + 1e-9 for place, _ in axis.ticks())


def test_a_line_a_trial_and_the_best_stand_out():
    svg = coordinates(rows(), SPACE, "valid/mig", "forty lines")
    assert len(lines(svg, "series-1")) == 3
    assert len(lines(svg, "series-0")) == 31 - 3
    assert svg.count("stroke-dasharray") >= 9  # those without a value
    for words in ("learning_rate", "model", "lambda_od", "valid/mig", "beta_tcvae", "absent"):
        assert f">{words}<" in svg
    assert 'aria-label="forty lines"' in svg and "<script" not in svg
    assert colour(0) not in svg  # every placeholder became a colour of the page


def test_a_line_without_value_ends_before_the_last_axis():
    trials = [
        {"values": {"x": 0.0}, "objective": 1.0, "budget": None},
        {"values": {"x": 1.0}, "objective": 2.0, "budget": None},
        {"values": {"x": 1.0}, "objective": None, "budget": None},
    ]
    svg = coordinates(trials, {}, "o", "alt")
    ends = [
        len(re.findall("[ML]", path)) for path in lines(svg, "series-0") + lines(svg, "series-1")
    ]
    assert ends == [2, 2] and ">absent<" not in svg


def test_a_wide_objective_has_a_logarithmic_axis():
    trials = [
        {"values": {"x": x}, "objective": o, "budget": None}
        for x, o in ((0.0, 1.0), (1.0, 10.0), (0.5, 1000.0))
    ]
    svg = coordinates(trials, {}, "loss", "alt")
    assert all(f">{label}<" in svg for label in ("1", "10", "100", "1e+03"))


def test_budgets_are_an_axis():
    assert ">budget<" in coordinates(rows(budgets=True), SPACE, "o", "alt")
    assert ">budget<" not in coordinates(rows(), SPACE, "o", "alt")


def test_best_so_far_only_gets_better():
    for goal in ("max", "min"):
        svg = progress(rows(), goal, "valid/mig", "alt")
        (path,) = lines(svg, "series-1")
        heights = [float(y) for _, y in re.findall(r"([\d.]+) ([\d.]+)", path)]
        assert heights == sorted(heights, reverse=goal == "max")  # down the page is less
        assert ">minutes since the search began<" in svg


def test_time_has_a_unit_that_fits():
    trials = [{"objective": 1.0, "ended": e} for e in (10.0, 90.0)]
    assert ">seconds since" in progress(trials, "max", "o", "alt")
    trials = [{"objective": 1.0, "ended": e} for e in (10.0, 90_000.0)]
    assert ">hours since" in progress(trials, "max", "o", "alt")
