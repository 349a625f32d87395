"""The recipe's space in Optuna's words has Keras Tuner's values."""

import keras_tuner
import optuna
import pytest

from tfkit.search.engines.distributions import count, draw, value, varied
from tfkit.search.space import hyperparameters

RANGES = [
    {"float": [0.1, 1.0], "step": 0.1},  # Keras Tuner's arithmetic misses 1.0
    {"float": [1, 50], "step": 1.0},
    {"float": [0.0, 1.0], "step": 0.3},
    {"float": [1e-4, 1e-1], "log": True, "step": 10},
    {"float": [1e-4, 0.2], "log": True, "step": 3.5},
    {"int": [16, 64], "step": 16},
    {"int": [1, 10], "step": 4},
    {"int": [32, 256], "log": True, "step": 2},
    {"int": [3, 100], "log": True, "step": 5},
]


def drawn(space, trials=60, seed=0):
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    return [draw(study.ask(), space) for _ in range(trials)]


@pytest.mark.parametrize("rule", RANGES, ids=str)
def test_a_range_with_a_step_has_exactly_keras_tuners_values(rule):
    (known,) = hyperparameters({"p": rule}).space
    values = [int(v) if "int" in rule else v for v in known.values]
    assert [value(rule, index) for index in range(count(rule))] == values
    found = {values["p"] for values in drawn({"p": rule}, 400)}
    assert found == set(values)
    assert {type(v) for v in found} == {int if "int" in rule else float}


def test_values_have_the_recipes_types_and_keep_their_ranges():
    space = {
        "f": {"float": [1, 16]},
        "l": {"float": [1e-4, 1], "log": True},
        "i": {"int": [1, 3]},
        "j": {"int": [1, 1000], "log": True},
        "b": {"bool": True},
        "c": {"choice": [1.5, 2.5]},
        "k": {"fixed": [1, 2]},
    }
    found = drawn(space)
    types = {path: {type(values[path]) for values in found} for path in space}
    wanted = {"f": float, "l": float, "i": int, "j": int, "b": bool, "c": float, "k": list}
    assert types == {path: {kind} for path, kind in wanted.items()}
    assert {values["i"] for values in found} == {1, 2, 3}
    assert {values["b"] for values in found} == {True, False}
    assert all(1 <= v["f"] <= 16 and 1e-4 <= v["l"] <= 1 and 1 <= v["j"] <= 1000 for v in found)
    assert sum(values["l"] < 1e-2 for values in found) > 15  # half of them, on a log scale
    assert all(values["k"] == [1, 2] for values in found)


def test_a_parameter_whose_conditions_do_not_hold_is_absent_as_with_keras_tuner():
    space = {
        "c": {"int": [1, 2], "when": {"b": [True]}},
        "b": {"bool": True, "when": {"a": ["x", "z"]}},
        "a": {"choice": ["x", "y", "z"]},
        "f": {"fixed": 3, "when": {"a": ["y"]}},
    }
    found = drawn(space)
    assert {tuple(sorted(values)) for values in found} == {("a", "b"), ("a", "b", "c"), ("a", "f")}
    oracle = keras_tuner.oracles.RandomSearchOracle(
        objective=keras_tuner.Objective("o", "min"),
        max_trials=40,
        hyperparameters=hyperparameters(space),
    )
    theirs = {tuple(sorted(oracle.populate_space(str(i))["values"])) for i in range(40)}
    assert theirs == {tuple(sorted(values)) for values in found}


def test_what_the_covariance_can_adapt():
    assert varied({"float": [0, 1]}) and varied({"int": [1, 9], "step": 4})
    assert not varied({"int": [1, 9], "step": 40}) and not varied({"choice": [1, 2]})
    assert not varied({"float": [0, 1], "when": {"a": [1]}})
