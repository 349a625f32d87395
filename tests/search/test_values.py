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


def test_a_number_replaces_a_schedule_and_a_word():
    schedule = {"name": "cosine", "floor": 0.1}
    train = {"optimizer": {"name": "adam", "learning_rate": schedule}}
    own = recipes.load({**RECIPE, "train": train})
    values = {"train.optimizer.learning_rate": 0.25, "train.steps_per_execution": 2}
    changed = with_values(own, values).resolved["train"]
    assert changed["optimizer"]["learning_rate"] == 0.25 and changed["steps_per_execution"] == 2


STOP = {"name": "early_stopping", "monitor": "loss", "patience": 9}


def test_an_item_of_a_list_by_its_index():
    own = recipes.load({**RECIPE, "train": {"callbacks": [STOP, {**STOP, "patience": 8}]}})
    changed = with_values(own, {"train.callbacks.1.patience": 4}).resolved["train"]["callbacks"]
    assert [callback["patience"] for callback in changed] == [9, 4]
    assert own.given["train"]["callbacks"][1]["patience"] == 8, "the recipe itself stays"


def test_an_item_in_short_form_and_one_that_changes_its_name():
    own = recipes.load({**RECIPE, "train": {"callbacks": ["reduce_on_plateau"]}})
    path = "train.callbacks.0"
    changed = with_values(own, {f"{path}.patience": 4}).resolved["train"]["callbacks"][0]
    assert (changed["name"], changed["patience"]) == ("reduce_on_plateau", 4)
    other = with_values(own, {f"{path}.name": "early_stopping", f"{path}.patience": 2})
    assert other.resolved["train"]["callbacks"][0]["name"] == "early_stopping"


def test_names_in_braces_get_one_value():
    own = recipes.load({**RECIPE, "train": {"callbacks": [STOP, {**STOP, "patience": 8}]}})
    changed = with_values(own, {"train.callbacks.{0,1}.patience": 4}).resolved["train"]["callbacks"]
    assert [callback["patience"] for callback in changed] == [4, 4]
