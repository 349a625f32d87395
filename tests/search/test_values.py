"""A recipe with other values."""

from tests.train.runs import RECIPE
from tfkit import recipe as recipes
from tfkit.search.values import with_values


def test_options_of_a_component_that_the_recipe_leaves_at_its_default():
    plain = recipes.load({key: value for key, value in RECIPE.items() if key != "train"})
    changed = with_values(plain, {"train.optimizer.learning_rate": 0.5, "evaluate.seeds": [7]})
    optimizer = changed.resolved["train"]["optimizer"]
    assert (optimizer["name"], optimizer["learning_rate"]) == ("adam", 0.5)
    assert changed.resolved["evaluate"]["seeds"] == [7]


def test_a_component_in_short_form_and_one_that_changes_its_name():
    short = recipes.load({**RECIPE, "train": {"optimizer": "rmsprop"}})
    changed = with_values(short, {"train.optimizer.rho": 0.5})
    assert changed.resolved["train"]["optimizer"]["rho"] == 0.5
    other = with_values(changed, {"train.optimizer.name": "sgd"}).resolved["train"]["optimizer"]
    assert other["name"] == "sgd" and "rho" not in other
