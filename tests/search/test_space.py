"""The recipe's space as Keras Tuner's HyperParameters."""

import json
from pathlib import Path

import pytest

from tfkit.errors import UsageError
from tfkit.search import hyperparameters
from tfkit.search.conditions import parents_first
from tfkit.search.space import recipe_defaults

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "toolkit_tuner.json").read_text())
SPACES = [
    {
        "optimizer.learning_rate": {"float": [1e-4, 1e-1], "log": True},
        "model.units": {"int": [16, 64], "step": 16},
        "model.activation": {"choice": ["relu", "smelu"]},
        "model.bias": {"bool": True},
    },
    {
        "model.name": {"choice": ["beta_vae", "beta_tcvae", "dip_vae"]},
        "model.beta": {
            "float": [1, 16],
            "log": True,
            "when": {"model.name": ["beta_vae", "beta_tcvae"]},
        },
        "model.lambda_od": {"float": [1.0, 50.0], "step": 1.0, "when": {"model.name": ["dip_vae"]}},
        "batch_size": {"int": [32, 256], "step": 2, "log": True},
    },
]


@pytest.mark.parametrize("number", [0, 1])
def test_golden_configuration(number):
    assert hyperparameters(SPACES[number]).get_config() == GOLDEN[f"kt_config_space{number}"]


def test_parents_come_before_children_whatever_the_order():
    space = dict(reversed(SPACES[1].items()))
    order = parents_first(space)
    assert order.index("model.name") < order.index("model.beta")
    assert set(order) == set(space)


def test_conditions_nest():
    space = {
        "c": {"int": [1, 2], "when": {"b": [True]}},
        "b": {"bool": True, "when": {"a": "x"}},
        "a": {"choice": ["x", "y"]},
    }
    found = hyperparameters(space)
    conditions = {hp.name: [c.name for c in hp.conditions] for hp in found.space}
    assert conditions == {"a": [], "b": ["a"], "c": ["a", "b"]}


def test_defaults_are_the_recipes_own_values_where_the_space_has_them():
    recipe = {"model": {"beta": 4.0, "bias": True}, "optimizer": {"learning_rate": 5.0}}
    space = {
        "model.beta": {"float": [1, 16]},
        "model.bias": {"bool": True},
        "optimizer.learning_rate": {"float": [0, 1]},
        "optimizer.missing": {"int": [1, 2]},
    }
    assert recipe_defaults(recipe, space) == {"model.beta": 4.0, "model.bias": True}
    assert hyperparameters(space, {"model.beta": 4.0}).values["model.beta"] == 4.0


@pytest.mark.parametrize("rule", [{"float": [0, 1]}, {"int": [1, 3]}, {"fixed": 3}], ids=str)
@pytest.mark.parametrize("own", [{"name": "cosine"}, "auto", True, [1]], ids=str)
def test_an_own_value_that_is_no_number_is_none_of_a_range(rule, own):
    assert recipe_defaults({"train": {"rate": own}}, {"train.rate": rule}) == {}


def test_an_own_value_between_integers_is_none_of_their_range():
    assert recipe_defaults({"a": 1.5, "b": 2.0}, {"a": {"int": [1, 3]}, "b": {"int": [1, 3]}}) == {
        "b": 2.0
    }


def test_an_items_path_has_its_index():
    recipe = {"train": {"callbacks": [{"name": "early_stopping", "patience": 3}]}}
    space = {
        "train.callbacks.0.patience": {"int": [1, 9]},
        "train.callbacks.1.patience": {"int": [1, 9]},
        "train.callbacks.x": {"int": [1, 9]},
    }
    assert recipe_defaults(recipe, space) == {"train.callbacks.0.patience": 3}


def test_a_when_that_names_no_parameter_or_goes_in_a_circle_is_refused():
    with pytest.raises(UsageError, match="b is not in the space"):
        hyperparameters({"a": {"bool": True, "when": {"b": [True]}}})
    with pytest.raises(UsageError, match="circle: a → b → a"):
        hyperparameters(
            {
                "a": {"bool": True, "when": {"b": [True]}},
                "b": {"bool": True, "when": {"a": [True]}},
            }
        )


def test_the_default_of_a_path_with_braces_is_the_first_ones():
    recipe = {"model": {"lower": {"units": 3}, "upper": {"units": 5}}}
    space = {"model.{lower,upper}.units": {"int": [1, 8]}}
    assert recipe_defaults(recipe, space) == {"model.{lower,upper}.units": 3}
