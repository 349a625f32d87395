"""What is marked in the recipe, against a catalogue of our own."""

import pytest

from tfkit.catalog import Catalog, Entry, Parameter
from tfkit.report.settings import lines


def parameter(name, default=None, required=False, component=()):
    return Parameter(name, "", default, required, component, False, {}, "")


def entry(kind, name, *parameters):
    return Entry(kind, name, "m:o", "", "", parameters)


CATALOG = Catalog(
    [
        entry("section", "recipe", parameter("name", required=True), parameter("seed", 0)),
        entry("section", "data", parameter("batch_size", 64)),
        entry("dataset", "sprites", parameter("size", 64)),
        entry("section", "train", parameter("optimizer", "adam", component=("optimizer",))),
        entry("optimizer", "adam", parameter("rate", 1e-3), parameter("slow", False)),
        entry("optimizer", "sgd", parameter("rate", 1e-2)),
    ]
)


@pytest.fixture
def states():
    def of(resolved):
        return {row["key"]: (row["state"], row["default"]) for row in lines(resolved, CATALOG)}

    return of


def test_defaults_changes_and_choices(states):
    got = states({"name": "x", "seed": 1, "data": {"name": "sprites", "size": 64, "batch_size": 8}})
    assert got == {
        "name": ("chosen", ""),
        "seed": ("changed", "0"),
        "data": ("group", ""),
        "size": ("default", ""),
        "batch_size": ("changed", "64"),
    }


def test_a_component_is_compared_with_its_own_defaults(states):
    adam = states({"train": {"optimizer": {"name": "adam", "rate": 0.001, "slow": False}}})
    assert adam["name"] == adam["rate"] == adam["slow"] == ("default", "")
    sgd = states({"train": {"optimizer": {"name": "sgd", "rate": 0.001}}})
    assert sgd["name"] == ("changed", "adam") and sgd["rate"] == ("changed", "0.01")


def test_true_is_not_one_but_a_whole_float_is(states):
    assert states({"train": {"optimizer": {"name": "adam", "slow": 0}}})["slow"][0] == "changed"
    assert states({"seed": 0.0})["seed"][0] == "default"


def test_depth_follows_the_recipe():
    rows = lines({"train": {"optimizer": {"name": "mine:make", "free": [1, "a"]}}}, CATALOG)
    assert [(r["depth"], r["key"], r["value"]) for r in rows] == [
        (0, "train", ""),
        (1, "optimizer", ""),
        (2, "name", "mine:make"),
        (2, "free", '[1, "a"]'),
    ]
    assert rows[-1]["state"] == "chosen"
