import copy
import json
from pathlib import Path

import pytest

from tfkit.errors import RecipeError
from tfkit.recipe import override

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "toolkit_yaml.json").read_text())
BASE = GOLDEN["override_base"]


def put(recipe, path, value):
    *parents, last = path.split(".")
    for key in parents:
        recipe = recipe[key]
    recipe[last] = value


@pytest.mark.parametrize("case", GOLDEN["overrides"], ids=lambda case: str(case["set"]))
def test_golden(case):
    before, expected = copy.deepcopy(BASE), copy.deepcopy(BASE)
    for path, value in case["changes"].items():
        put(expected, path, value)
    changed = override(BASE, case["set"])
    assert json.dumps(changed) == json.dumps(expected)
    assert BASE == before


@pytest.mark.parametrize("case", GOLDEN["override_errors"], ids=lambda case: case["why"])
def test_golden_errors_quote_the_set_as_it_was_typed(case):
    with pytest.raises(RecipeError) as caught:
        override(BASE, case["set"])
    assert str(caught.value).startswith(f'--set "{case["set"][0]}": ')


def test_a_misspelt_neighbour_is_named():
    with pytest.raises(RecipeError, match="unknown option of supcon; did you mean temperature"):
        override(BASE, "model.temprature=0.2")


def test_one_text_is_one_set_and_missing_mappings_are_made():
    assert override({}, "train.optimizer.name=sgd") == {"train": {"optimizer": {"name": "sgd"}}}
    assert override({"train": None}, "train.steps=3") == {"train": {"steps": 3}}


def test_items_of_a_list_are_named_by_their_index():
    recipe = {"train": {"callbacks": [{"name": "a"}, {"name": "b"}]}}
    changed = override(recipe, "train.callbacks.1.patience=3")
    assert changed["train"]["callbacks"] == [{"name": "a"}, {"name": "b", "patience": 3}]
    for wrong in ("train.callbacks.2.patience=3", "train.callbacks.x=3", "train.callbacks.-1=3"):
        with pytest.raises(RecipeError, match="takes an index from 0 to 1"):
            override(recipe, wrong)


def test_paths_of_the_space_hold_dots_themselves():
    recipe = {"search": {"space": {"model.beta": {"float": [1, 2]}}}}
    changed = override(
        recipe, ["search.space.model.beta.log=true", "search.space.train.steps={int: [1, 2]}"]
    )
    assert changed["search"]["space"] == {
        "model.beta": {"float": [1, 2], "log": True},
        "train.steps": {"int": [1, 2]},
    }


@pytest.mark.parametrize(
    "text, phrase",
    [
        ("evaluate.metrics+=mig", r"\+= takes a list"),
        ("model.temperature+=[1]", r"\+= adds to a list, but model.temperature is 0.1"),
        ("model..temperature=1", "has no path"),
        ("model.name.x=1", "model.name is supcon, which has nothing below it"),
        ("seed={a: 1, a: 2}", "duplicate key"),
    ],
)
def test_refuses(text, phrase):
    with pytest.raises(RecipeError, match=phrase):
        override(BASE, text)


def test_adding_to_nothing_makes_the_list():
    assert override({}, "train.validate+=[mig]") == {"train": {"validate": ["mig"]}}


def test_all_wrong_sets_come_at_once():
    with pytest.raises(RecipeError) as caught:
        override(BASE, ["seed", "=3", "seed=4"])
    assert len(caught.value.problems) == 2
