"""Numbers as readers want them."""

import math

import pytest

from tfkit.report.numbers import alike, number, spread_of, told
from tfkit.report.strips import ends_of, strip_places


@pytest.mark.parametrize(
    "value, text",
    [
        (0.123456, "0.1235"),
        (1e-8, "1e-8"),
        (3, "3"),
        (3.0, "3"),
        (737280, "737\u202f280"),
        (None, "–"),
        (True, "true"),
        (math.nan, "nan"),
        ("adam", "adam"),
    ],
)
def test_number(value, text):
    assert number(value) == text


def test_a_row_has_one_number_of_decimals():
    assert alike([0.19, 0.1404, 0.2396]) == ["0.190", "0.140", "0.240"]
    assert alike([812.31, 812.47]) == ["812.31", "812.47"]  # two digits of what differs
    assert alike([12.9, None, 13.0]) == ["12.9", "–", "13.0"]
    assert alike([1, 3]) == ["1", "3"]
    assert alike([1e-12, 2e-12]) == ["1e-12", "2e-12"]
    assert alike([0.5, 0.5]) == ["0.5", "0.5"]


def test_strip_puts_values_in_the_interval():
    spread = {"mean": 2.0, "low": 1.0, "high": 3.0, "values": [1.5, 2.0, 2.5]}
    strip = strip_places(spread, ends_of([spread]))
    assert strip == {"values": [25.0, 50.0, 75.0], "mean": 50.0, "span": [0.0, 100.0]}
    assert strip_places(spread_of(0.5), (0.5, 0.5)) is None


def test_few_seeds_are_told_instead_of_an_interval():
    assert told(**spread_of(0.5)) == {"mean": "0.5", "interval": "n=1", "values": ["0.5"]}
    two = spread_of({"mean": 2.0, "low": -4.0, "high": 8.0, "values": [1.5, 2.5], "more": 1})
    assert two["low"] is None and told(**two)["interval"] == "n=2"
    three = spread_of({"mean": 2.0, "low": 1.0, "high": 3.0, "values": [1.5, 2.0, 2.5]})
    assert told(**three)["interval"] == "[1.00, 3.00]"
