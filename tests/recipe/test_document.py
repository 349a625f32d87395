import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.recipe.test_bad_recipes import GOOD
from tfkit import catalog
from tfkit.errors import RecipeError
from tfkit.recipe import difference, from_dict, load, parse, validate
from tfkit.recipe.document import to_yaml
from tfkit.recipe.schema import json_schema
from tfkit.recipe.template import template

MINIMAL = {
    "name": "minimal",
    "data": "dsprites",
    "model": {"name": "beta_vae", "encoder": "study_encoder", "decoder": "study_decoder"},
}


def test_every_key_is_explicit():
    resolved = validate(MINIMAL)
    sections = "data model train search sweep evaluate export"
    assert list(resolved) == ["name", "seed", *sections.split()]
    assert resolved["data"]["batch_size"] == 64
    assert resolved["model"]["encoder"] == {
        "name": "study_encoder",
        "latent_dim": 10,
        "kind": "conv",
    }
    assert resolved["train"]["optimizer"]["epsilon"] == 1e-7
    assert (resolved["train"]["steps"], resolved["train"]["epochs"]) == (1000, None)
    assert (resolved["search"], resolved["export"]) == (None, None)
    assert resolved["evaluate"]["seeds"] == [1]


def test_the_resolved_recipe_is_a_recipe_with_the_same_hash(tmp_path):
    (tmp_path / "good.yaml").write_text(GOOD)
    first = load(tmp_path / "good.yaml")
    (tmp_path / "resolved.yaml").write_text(first.dump())
    again = load(tmp_path / "resolved.yaml")
    assert json.dumps(again.resolved) == json.dumps(first.resolved)
    assert again.hash == first.hash and len(first.hash) == 6


def test_the_hash_ignores_the_order_of_keys_and_the_way_a_number_is_written():
    turned = dict(reversed(MINIMAL.items()))
    turned["model"] = {**dict(reversed(MINIMAL["model"].items())), "beta": 4}
    assert from_dict(turned).hash == from_dict(MINIMAL).hash
    assert from_dict({**MINIMAL, "seed": 1}).hash != from_dict(MINIMAL).hash


def test_epochs_take_the_place_of_steps():
    train = validate({**MINIMAL, "train": {"epochs": 3}})["train"]
    assert (train["steps"], train["epochs"]) == (None, 3)


def test_save_every_may_exceed_the_steps():
    assert validate({**MINIMAL, "train": {"steps": 8, "save_every": 50}})["train"]["steps"] == 8


def test_an_empty_export_exports_with_defaults():
    assert validate({**MINIMAL, "export": {}})["export"] == {
        "name": None,
        "signatures": None,
        "hub": True,
        "batching": None,
    }


def test_batching_of_an_export_gets_its_defaults():
    found = validate({**MINIMAL, "export": {"batching": {"max": 8}}})["export"]["batching"]
    assert found == {"max": 8, "wait_ms": 0.0, "threads": 1}


def test_a_schedule_may_stand_for_a_number():
    rate = {"name": "cosine", "warmup_steps": 5}
    recipe = {**MINIMAL, "train": {"optimizer": {"name": "sgd", "learning_rate": rate}}}
    resolved = validate(recipe)["train"]["optimizer"]["learning_rate"]
    assert resolved == {"name": "cosine", "learning_rate": 1e-3, "warmup_steps": 5, "floor": 0.0}


def test_a_wrong_set_is_quoted_as_it_was_typed():
    with pytest.raises(RecipeError) as caught:
        from_dict(MINIMAL, ["train.stepz=3", "model.beta = x"])
    assert [str(problem).splitlines()[0] for problem in caught.value.problems] == [
        '--set "train.stepz=3": train.stepz: unknown key of train; did you mean steps?',
        '--set "model.beta = x": model.beta: must be a number >= 0, got x',
    ]


def test_changing_a_name_by_set_tells_how_to_drop_the_old_options(tmp_path):
    (tmp_path / "x.yaml").write_text(GOOD.replace("learning_rate: 1e-3", "beta_1: 0.5"))
    with pytest.raises(RecipeError, match=r"--set train.optimizer=\{name: sgd\}"):
        load(tmp_path / "x.yaml", ["train.optimizer.name=sgd"])


def test_a_file_of_changes_is_merged_before_the_sets(tmp_path):
    (tmp_path / "x.yaml").write_text(GOOD)
    (tmp_path / "change.yaml").write_text("train: {steps: 7, save_every: 3}\n")
    train = load(tmp_path / "x.yaml", "train.steps=9", (tmp_path / "change.yaml",)).given["train"]
    assert (train["steps"], train["save_every"]) == (9, 3)


@pytest.mark.parametrize(
    "text, phrase", [("", "is empty"), ("- 1", "not a mapping"), ("3", "not a")]
)
def test_what_is_no_mapping_is_refused(tmp_path, text, phrase):
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(RecipeError, match=phrase):
        load(tmp_path / "x.yaml")


def test_options_of_a_component_that_the_space_chooses_exist():
    space = {
        "train.optimizer.name": {"choice": ["adam", "sgd"]},
        "train.optimizer.momentum": {
            "float": [0.1, 0.9],
            "when": {"train.optimizer.name": ["sgd"]},
        },
    }
    search = {"objective": "loss", "goal": "min", "space": space}
    assert validate({**MINIMAL, "search": search})["search"]["space"] == space


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(PLAIN)
def test_what_is_written_is_read_back_equal(value):
    written = to_yaml({"x": value})
    assert json.dumps(parse(written)) == json.dumps({"x": value})


def test_difference_names_the_changed_paths():
    old, new = {"a": {"b": 1}, "c": True}, {"a": {"b": 2}, "c": 1, "d": None}
    assert [str(change) for change in difference(old, new)] == [
        "a.b: 1 -> 2",
        "c: true -> 1",
        "d: (absent) -> null",
    ]


@pytest.mark.parametrize("entry", catalog.load().of("model"), ids=lambda entry: entry.name)
def test_the_template_of_every_model_is_valid_and_says_the_defaults(entry, tmp_path):
    (tmp_path / "x.yaml").write_text(template(entry, catalog.load()))
    resolved = load(tmp_path / "x.yaml").resolved
    assert resolved["model"]["name"] == entry.name
    assert not jsonschema_errors(parse((tmp_path / "x.yaml").read_text()))


def jsonschema_errors(recipe):
    schema = json_schema(catalog.load())
    jsonschema.Draft202012Validator.check_schema(schema)
    return list(jsonschema.Draft202012Validator(schema).iter_errors(recipe))


def test_the_schema_takes_recipes_in_every_form():
    for recipe in (MINIMAL, validate(MINIMAL), parse(GOOD), {"extends": "x.yaml", "seed": 1}):
        assert not jsonschema_errors(recipe)
    own = {**MINIMAL["model"], "encoder": {"name": "mine:build", "width": 3}}
    assert not jsonschema_errors({**MINIMAL, "model": own})


@pytest.mark.parametrize(
    "change",
    [
        {"seed": -1},
        {"sed": 1},
        {"train": {"stepz": 3}},
        {"train": {"optimizer": {"name": "adam", "momentum": 1}}},
        {"data": {"name": "dsprites", "image_size": 65}},
        {"search": {"space": {"model.beta": {"flot": [1, 2]}}}},
    ],
    ids=str,
)
def test_the_schema_refuses(change):
    assert jsonschema_errors({**MINIMAL, **change})


def test_the_recipe_layer_imports_nothing_heavy():
    code = f"""
import sys
from pathlib import Path
from tfkit import recipe
recipe.validate({MINIMAL!r})
heavy = {{"tensorflow", "keras", "pandas", "matplotlib", "scipy", "sklearn", "numpy"}}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


RECIPES = sorted((Path(__file__).parents[2] / "recipes").rglob("*.yaml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_recipe_of_the_repository_is_valid_and_fits_the_schema(path):
    assert load(path).hash
    assert not jsonschema_errors(parse(path.read_text(encoding="utf-8")))
