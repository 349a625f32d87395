"""Paths cut to what tells them apart: the same names in folders of a sweep, tables and pictures."""

from tfkit.recipe.paths import short_names, spread
from tfkit.report import ranking, tasks, trial_plots
from tfkit.search import grid


def test_names_are_short_but_clear():
    paths = ["model.name", "data.name", "model.beta", "train.a.rate", "train.b.rate", "seed"]
    assert list(short_names(paths).values()) == [
        "model", "data", "beta", "a.rate", "b.rate", "seed"
    ]  # fmt: skip
    assert short_names(["model.name", "data.model"]) == {
        "model.name": "model.name", "data.model": "data.model"
    }  # fmt: skip


def test_there_is_one_way_to_cut_them():
    assert {m.short_names for m in (grid, ranking, tasks, trial_plots)} == {short_names}


def test_names_in_braces_are_written_out_as_in_a_shell():
    assert spread("model.beta") == ["model.beta"]
    assert spread("model.{lower, upper}.layer") == ["model.lower.layer", "model.upper.layer"]
    assert spread("{a,b}.{c,d}") == ["a.c", "a.d", "b.c", "b.d"]
