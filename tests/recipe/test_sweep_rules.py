"""A path of a sweep's grid with several rules, one for each case."""

import pytest

from tfkit import recipe as recipes
from tfkit.errors import RecipeError

NAMES = ["beta_vae", "beta_tcvae"]
RULES = [
    {"choice": [1, 16], "when": {"model.name": ["beta_vae"]}},
    {"choice": [1, 10.5], "when": {"model.name": ["beta_tcvae"]}},
]


def sweep(**grid):
    return {
        "name": "rules",
        "data": {"name": "dsprites"},
        "model": {"name": "beta_vae", "encoder": "study_encoder", "decoder": "study_decoder"},
        "train": {"steps": 10},
        "sweep": {"grid": {"model.name": NAMES, **grid}, "seeds": 1},
    }


def grid(**given):
    return recipes.from_dict(sweep(**given)).resolved["sweep"]["grid"]


def test_each_rule_is_written_out():
    found = grid(**{"model.beta": RULES})["model.beta"]
    assert found[0] == RULES[0] and found[1]["choice"] == [1.0, 10.5]


def test_null_leaves_a_path_out():
    assert "model.beta" not in grid(**{"model.beta": None})


@pytest.mark.parametrize(
    ("rules", "place", "message"),
    [
        ([RULES[0], {"choice": [3]}], "model.beta.1", "needs a `when`"),
        ([RULES[0], {**RULES[1], "choice": ["x"]}], "model.beta.1.choice", "number"),
        ([RULES[0], {**RULES[1], "choice": [-1]}], "model.beta.1.choice", ">= 0"),
        (
            [RULES[0], {"choice": [3], "when": {"model.name": ["factor_vae"]}}],
            "model.beta.1.when.model.name",
            "never factor_vae",
        ),
        (
            [{"choice": [3], "when": {"model.nmae": ["beta_vae"]}}, RULES[1]],
            "model.beta.0.when.model.nmae",
            "not in the grid",
        ),
    ],
)
def test_what_is_wrong_names_the_rule(rules, place, message):
    with pytest.raises(RecipeError) as caught:
        grid(**{"model.beta": rules})
    told = str(caught.value)
    assert f"sweep.grid.{place}" in told and message in told, told


def test_a_path_of_several_rules_decides_over_no_other():
    decided = [{"choice": [5], "when": {"model.beta": [1]}}] * 2
    with pytest.raises(RecipeError, match="has several rules itself"):
        grid(**{"model.beta": RULES, "train.steps": decided})
