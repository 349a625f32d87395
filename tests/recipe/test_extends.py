import pytest

from tfkit.errors import RecipeError
from tfkit.recipe import load

BASE = """\
name: base
data: {name: dsprites, batch_size: 32, image_size: 64}
model:
  name: beta_vae
  beta: 2.0
  encoder: {name: study_encoder, latent_dim: 5}
  decoder: study_decoder
train: {steps: 10, optimizer: {name: adam, epsilon: 1e-8}, validate: [mig, kl]}
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "base.yaml").write_text(BASE)

    def write(text, name="x.yaml"):
        (tmp_path / name).write_text(text)
        return name

    return write


def test_mappings_merge_and_lists_replace(write):
    recipe = load(write("extends: base/base.yaml\nname: x\ntrain: {steps: 20, validate: [mig]}\n"))
    assert recipe.given["name"] == "x"
    assert recipe.given["train"] == {
        "steps": 20,
        "optimizer": {"name": "adam", "epsilon": 1e-8},
        "validate": ["mig"],
    }
    assert "extends" not in recipe.given and "extends" not in recipe.resolved


@pytest.mark.parametrize("form", ["sgd", "{name: sgd}"])
def test_a_component_with_another_name_starts_anew(write, form):
    recipe = load(write(f"extends: base/base.yaml\ntrain: {{optimizer: {form}}}\n"))
    assert recipe.given["train"]["optimizer"] == {"name": "sgd"}


def test_the_same_name_keeps_the_options_of_the_base(write):
    recipe = load(write("extends: base/base.yaml\ntrain: {optimizer: adam}\n"))
    assert recipe.given["train"]["optimizer"] == {"name": "adam", "epsilon": 1e-8}


def test_another_data_set_keeps_the_batch_size_which_is_the_sections(write):
    text = "extends: base/base.yaml\ndata: {name: images, path: here}\n"
    text += "train: {validate: [kl]}\n"
    assert load(write(text)).given["data"] == {"batch_size": 32, "name": "images", "path": "here"}


def test_mistakes_are_named_where_they_stand(write):
    write(BASE.replace("beta: 2.0", "beta: -2.0"), "wrong.yaml")
    with pytest.raises(RecipeError) as caught:
        load(write("extends: wrong.yaml\ntrain:\n  stepz: 3\n"))
    places = [(p.file, p.line, p.column) for p in caught.value.problems]
    assert places == [("wrong.yaml", 5, 3), ("x.yaml", 3, 3)]


def test_a_base_may_have_a_base_and_paths_are_relative_to_the_file(write, tmp_path):
    (tmp_path / "base" / "middle.yaml").write_text("extends: base.yaml\nseed: 7\n")
    assert load(write("extends: base/middle.yaml\n")).resolved["seed"] == 7


@pytest.mark.parametrize(
    "text, phrase",
    [
        ("seed: 0\nextends: none.yaml\n", "there is no file none.yaml"),
        ("seed: 0\nextends: base\n", "base is a folder"),
        ("seed: 0\nextends: x.yaml\n", "in a circle: x.yaml -> x.yaml"),
        ("seed: 0\nextends: [a, b]\n", "must be the path of one recipe file"),
        ("seed: 0\nextends: list.yaml\n", "no recipe: not a mapping"),
    ],
)
def test_refuses(write, text, phrase):
    write("- 1\n", "list.yaml")
    with pytest.raises(RecipeError) as caught:
        load(write(text))
    assert phrase in str(caught.value)
    assert (caught.value.problems[0].file, caught.value.problems[0].line) == ("x.yaml", 2)


def test_a_circle_over_two_files_is_found(write):
    write("extends: x.yaml\n", "y.yaml")
    with pytest.raises(RecipeError, match="circle: x.yaml -> y.yaml -> x.yaml"):
        load(write("extends: y.yaml\n"))
