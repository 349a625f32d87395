"""The points of a sweep: order, conditions, names, shards."""

import time

import pytest

from tfkit.errors import UsageError
from tfkit.search.grid import Point, digest, named, points, shard_of

STUDY = {
    "model.name": {"choice": ["beta_vae", "dip_vae"]},
    "model.beta": {"choice": [1, 4], "when": {"model.name": ["beta_vae"]}},
    "model.lambda_od": {"choice": [2, 5, 9], "when": {"model.name": ["dip_vae"]}},
    "data.name": {"choice": ["dsprites", "outlines"]},
}


def test_the_last_path_moves_fastest_and_conditions_hold():
    found = points(STUDY)
    assert [point.values for point in found[:3]] == [
        {"model.name": "beta_vae", "model.beta": 1, "data.name": "dsprites"},
        {"model.name": "beta_vae", "model.beta": 1, "data.name": "outlines"},
        {"model.name": "beta_vae", "model.beta": 4, "data.name": "dsprites"},
    ]
    assert len(found) == (2 + 3) * 2
    assert len({point.name for point in found}) == len(found)


def test_conditions_on_conditions():
    grid = {
        "c": {"choice": [7, 8], "when": {"b": [True]}},
        "b": {"bool": True, "when": {"a": ["x"]}},
        "a": {"choice": ["x", "y"]},
    }
    assert [point.values for point in points(grid)] == [
        {"a": "x", "b": True, "c": 7},
        {"a": "x", "b": True, "c": 8},
        {"a": "x", "b": False},
        {"a": "y"},
    ]


def test_names_say_the_values():
    assert points(STUDY)[0].name == "model=beta_vae,beta=1,data=dsprites"
    assert points({"a.b": {"choice": ["my_module:f"]}})[0].name == "b=my_module-f"


def test_values_that_look_alike_keep_names_of_their_own():
    found = points({"data.path": {"choice": ["a/b", "a:b"]}})
    assert [point.name for point in found] == [f"path=a-b-{digest(p.values)}" for p in found]
    long = points({"data.path": {"choice": ["x" * 300, "x" * 301]}})
    assert len({point.name for point in long}) == 2
    assert max(len(point.name) for point in long) < 255


def test_names_fit_a_file_system_in_any_script():
    found = points({"data.path": {"choice": ["絵" * 100, "画" * 100, "x"]}})
    assert len({point.name for point in found}) == 3
    assert all(point.name.isascii() and len(point.name.encode()) < 255 for point in found)


def test_many_points_are_named_in_no_time():
    values = [{"a.b": number} for number in range(20_000)]
    began = time.process_time()
    assert named(values, ["a.b"])[-1] == Point("b=19999", values[-1])
    assert time.process_time() - began < 2


def test_the_study_has_12600_trainings():
    strengths = {
        method: {"choice": [1, 2, 3, 4, 5, 6], "when": {"model.name": [method]}}
        for method in ("a", "b", "c", "d", "e", "f")
    }
    grid = {
        "data.name": {"choice": list("1234567")},
        "model.name": {"choice": list(strengths)},
        **{f"model.of_{name}": rule for name, rule in strengths.items()},
    }
    assert 50 * len(points(grid)) == 12_600


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "a/b", "1/0", "-1/2", "1/2/3", ""])
def test_a_shard_that_does_not_exist_is_refused(text):
    with pytest.raises(UsageError, match="--shard"):
        shard_of(text)
    with pytest.raises(UsageError, match="N >= 1"):
        shard_of("1/0")


def test_the_third_of_twenty():
    assert shard_of("3/20") == (3, 20)


def test_of_several_rules_the_one_counts_whose_condition_holds():
    grid = {
        "model.name": {"choice": ["beta_vae", "beta_tcvae", "dipvae"]},
        "model.beta": [
            {"choice": [1, 16], "when": {"model.name": ["beta_vae"]}},
            {"choice": [10], "when": {"model.name": ["beta_tcvae"]}},
        ],
    }
    assert [point.values for point in points(grid)] == [
        {"model.name": "beta_vae", "model.beta": 1},
        {"model.name": "beta_vae", "model.beta": 16},
        {"model.name": "beta_tcvae", "model.beta": 10},
        {"model.name": "dipvae"},
    ]


def test_two_rules_that_hold_at_once_are_refused():
    rules = [{"choice": [n], "when": {"a": ["x"]}} for n in (1, 2)]
    with pytest.raises(UsageError, match="grid.b: more than one of its rules holds at a x"):
        points({"a": {"choice": ["x", "y"]}, "b": rules})
