"""Every mistake has its own line and a message that names the cure."""

import pytest

from tfkit.errors import RecipeError
from tfkit.recipe import load

GOOD = """\
name: bad
seed: 0
data: {name: dsprites, batch_size: 64, image_size: 64}
model:
  name: beta_tcvae
  beta: 6.0
  encoder: {name: study_encoder, latent_dim: 10}
  decoder: study_decoder
train:
  steps: 100
  optimizer: {name: adam, learning_rate: 1e-3}
  callbacks:
    - {name: early_stopping, monitor: loss}
  validate: [mig]
search:
  objective: valid/mig
  goal: max
  space:
    model.beta: {float: [1, 16], log: true}
    model.encoder.latent_dim: {int: [2, 20]}
evaluate:
  seeds: [1, 2]
  metrics: [mig]
export:
  signatures: [predict]
"""
BETA = "model.beta: {float: [1, 16], log: true}"
DIM = "model.encoder.latent_dim: {int: [2, 20]}"
ENCODER = "{name: study_encoder, latent_dim: 10}"
STOPPING = "{name: early_stopping, monitor: loss}"
ADAM = "{name: adam, learning_rate: 1e-3}"

# what is replaced, by what, the line that must be named, a phrase of the message
CASES = [
    # the YAML itself
    ("seed: 0", "seed: 0\nseed: 1", 3, 'duplicate key "seed"'),
    ("  beta: 6.0", "\tbeta: 6.0", 6, "a tab cannot indent YAML"),
    ("[1, 2]", "[1, 2", 23, "not YAML"),
    ("name: bad", "name: bad: worse", 1, "mapping values are not allowed here"),
    ("seed: 0", "seed: *nowhere", 2, "undefined alias"),
    ("seed: 0", "seed: !!python/name:os.system 0", 2, "could not determine a constructor"),
    ("seed: 0", "seed: &s [*s]", 2, "alias that contains itself"),
    # keys
    ("seed: 0", "sed: 0", 2, "unknown key of a recipe; did you mean seed?"),
    ("  steps: 100", "  stepz: 100", 10, "unknown key of train; did you mean steps?"),
    ("  steps: 100", "  batch_size: 8", 10, "did you mean data.batch_size?"),
    ("  beta: 6.0", "  bata: 6.0", 6, "unknown option of beta_tcvae; did you mean beta?"),
    ("batch_size: 64", "batchsize: 64", 3, "did you mean batch_size?"),
    ("latent_dim: 10", "latent: 10", 7, "unknown option of study_encoder; did you mean latent_dim"),
    ("learning_rate: 1e-3", "learning_rat: 1", 11, "adam; did you mean learning_rate?"),
    ("learning_rate: 1e-3", "zzz: 1", 11, "allowed: learning_rate, beta_1, beta_2"),
    ("monitor: loss", "monitr: loss", 13, "early_stopping; did you mean monitor?"),
    ("goal: max", "goals: max", 17, "unknown key of search; did you mean goal?"),
    ("seeds: [1, 2]", "seed: [1, 2]", 22, "unknown key of evaluate; did you mean seeds?"),
    ("signatures:", "signature:", 25, "unknown key of export; did you mean signatures?"),
    ("seed: 0", "1: 0", 2, "a key must be text"),
    # missing
    ("name: bad\n", "", 1, "name: missing"),
    ("  decoder: study_decoder\n", "", 4, "model.decoder: missing"),
    ("  name: beta_tcvae\n", "", 4, "model.name: missing: the name of a model"),
    ("data: {name: dsprites, batch_size: 64, image_size: 64}\n", "", 1, "data: missing"),
    ("  objective: valid/mig\n", "", 15, "search.objective: missing"),
    ("  goal: max\n", "", 15, "search.goal: missing: it must be one of max, min"),
    ("name: early_stopping, ", "", 13, "missing: the name of a callback"),
    # supplied by tfkit
    ("latent_dim: 10", "image_shape: [64, 64, 1]", 7, "is supplied by tfkit"),
    (ADAM, "{name: adam, learning_rate: {name: cosine, steps: 9}}", 11, "is supplied by tfkit"),
    # names
    ("name: bad", "name: my recipe", 1, "did you mean my-recipe?"),
    ("name: bad", "name: ../bad", 1, 'must be letters, digits, "-", "_" and "."'),
    ("name: bad", 'name: ""', 1, "must be letters"),
    ("name: beta_tcvae", "name: beta_tcva", 5, "no model called beta_tcva; did you mean beta_tcv"),
    ("name: dsprites", "name: dsprite", 3, "no data set called dsprite; did you mean dsprites?"),
    ("name: study_encoder", "name: adam", 7, "adam is an optimizer, but a network is needed"),
    ("name: adam", "name: cosine", 11, "cosine is a schedule, but an optimizer is needed here"),
    ("name: adam", "name: qqq", 11, "allowed: adam, adamw, rmsprop, sgd"),
    ("decoder: study_decoder", "decoder: 3", 8, "must be a component like {name: X}"),
    ("decoder: study_decoder", "decoder: null", 8, "must be a component like {name: X}"),
    ("    - " + STOPPING, "    early_stopping: {}", 12, "must be a list of components"),
    ("name: study_encoder", "name: 3", 7, "must be the name of a network"),
    (ENCODER, '{name: "nowhere_at_all:build"}', 7, "no module nowhere_at_all"),
    (ENCODER, '{name: "own_parts:buid"}', 7, "has no buid; did you mean build?"),
    (ENCODER, '{name: "own_parts:SIZE"}', 7, "is neither a function nor a class"),
    (ENCODER, '{name: "own_parts:build", widht: 3}', 7, "did you mean width?"),
    (ENCODER, '{name: "own_parts:build", width: x}', 7, "must be an integer, got x"),
    # types and ranges
    ("seed: 0", "seed: true", 2, "must be an integer >= 0, got true"),
    ("seed: 0", "seed: -1", 2, "must be an integer >= 0, got -1"),
    ("steps: 100", 'steps: "100"', 10, "write it without quotes"),
    ("steps: 100", "steps: 1e2", 10, "got 100.0; write 100"),
    ("steps: 100", "steps: 0", 10, "must be an integer >= 1, or null, got 0"),
    ("beta: 6.0", "beta: -0.5", 6, "must be a number >= 0, got -0.5"),
    ("beta: 6.0", "beta: .nan", 6, "must be a number >= 0, got nan"),
    ("beta: 6.0", "beta: .inf", 6, "must be a number >= 0, got inf"),
    ("beta: 6.0", "beta: true", 6, "must be a number >= 0, got true"),
    ("beta: 6.0", "beta: null", 6, "must be a number >= 0, got null"),
    ("beta: 6.0", "beta: [6]", 6, "must be a number >= 0, got [6]"),
    ("image_size: 64", "image_size: 65", 3, "must be one of 16, 32, 64, got 65"),
    ("learning_rate: 1e-3", "learning_rate: 0", 11, "must be a number > 0"),
    ("learning_rate: 1e-3", "beta_1: 1", 11, "must be a number >= 0 and < 1, got 1"),
    ("validate: [mig]", "validate: mig", 14, "must be a list of texts, got mig"),
    ("validate: [mig]", "jit: maybe", 14, "must be true or false, or auto, got maybe"),
    ("validate: [mig]", "threads: 0", 14, "must be an integer >= 1, or auto, got 0"),
    ("validate: [mig]", "precision: float8", 14, "one of float32, mixed_bfloat16"),
    ("validate: [mig]", "stages: {probe: {stepz: 3}}", 14, "did you mean steps?"),
    ("validate: [mig]", "stages: {probe: 3}", 14, "must be a mapping of keys of train"),
    ("goal: max", "goal: best", 17, "must be one of max, min, got best"),
    ("goal: max", "goal: max\n  trials: 0", 18, "must be an integer >= 1, or null, got 0"),
    ("seeds: [1, 2]", "seeds: [1, x]", 22, "in the list: must be a list of integers >= 0, got x"),
    ("name: bad", "name: 2001-01-01", 1, "must be text, got 2001-01-01"),
    ("evaluate:\n  seeds: [1, 2]\n  metrics: [mig]", "evaluate: 3", 21, "must be a mapping, or n"),
    # what cannot stand together
    ("steps: 100", "steps: 100\n  epochs: 2", 11, "stands beside steps; keep one of the two"),
    ("seeds: [1, 2]", "seeds: [1, 1]", 22, "seed 1 is there twice"),
    ("seeds: [1, 2]", "seeds: []", 22, "give at least one seed"),
    ("name: dsprites, batch_size: 64, image_size: 64", "name: images", 14, "mig needs factors"),
    ("metrics: [mig]", "metrics: [migg]", 23, "did you mean mig?"),
    ("metrics: [mig]", "metrics: [zzz]", 23, "there are: mig, beta_vae_score"),
    ("objective: valid/mig", "objective: test/mig", 16, "use valid/mig"),
    ("objective: valid/mig", "objective: mig", 16, "did you mean valid/mig?"),
    ("objective: valid/mig", "objective: valid/mgi", 16, "did you mean valid/mig?"),
    ("objective: valid/mig", "objective: zzz", 16, "there are: loss, reconstruction, kl"),
    ("monitor: loss", "monitor: lss", 13, "did you mean loss?"),
    ("monitor: loss", "monitor: valid/kl", 13, "add kl to train.validate"),
    ("[predict]", "[predit]", 25, "no signature predit (there are: predict"),
    ("[predict]", "[predict, predict]", 25, "predict is there twice"),
    ("[predict]", "[]", 25, "leave it out for all"),
    # the space of a search
    ("model.beta: {float", "model.bata: {float", 19, "did you mean model.beta?"),
    ("model.beta: {float", "evaluate.bins: {float", 19, "only data., model. and train."),
    ("[1, 16]", "[16, 1]", 19, "the lowest is above the highest"),
    ("[1, 16]", "[4, 4]", 19, "write {fixed: 4}"),
    ("[1, 16]", "[0, 16]", 19, "needs a lowest value > 0, got 0"),
    ("[1, 16], log: true", "[-1, 16]", 19, "beta must be a number >= 0, got -1"),
    ("[1, 16]", "[1, .inf]", 19, "must be two finite numbers"),
    ("[1, 16]", "[1, 2, 3]", 19, "must be two finite numbers [lowest, highest]"),
    ("log: true", "log: 1", 19, "must be true or false, got 1"),
    ("log: true", "lgo: true", 19, "unknown key of float (allowed: log, step, when)"),
    ("log: true", "step: 0", 19, "must be a number > 0"),
    ("log: true", "log: true, step: 1", 19, "must be a number > 1"),
    (BETA, "model.beta: 3", 19, "must be a distribution like {float:"),
    (BETA, "model.beta: {flot: [1, 2]}", 19, "must be one distribution like {float:"),
    (BETA, "model.beta: {choice: [1, a]}", 19, "must be values of one type"),
    (BETA, "model.beta: {choice: [a, b]}", 19, "must be a number >= 0, got a"),
    (BETA, "model.beta: {choice: [1, 1]}", 19, "holds a value twice"),
    (BETA, "model.beta: {choice: []}", 19, "must be a list of values"),
    (BETA, "model.beta: {choice: [4]}", 19, "choice: holds one value; write {fixed: 4}"),
    (BETA, "model.beta: {bool: true}", 19, "bool does not fit: beta must be a number"),
    (BETA, "model.beta: {fixed: -1}", 19, "must be a number >= 0, got -1"),
    (BETA, "model.encoder: {choice: [a]}", 19, "is a component; vary model.encoder.name"),
    (BETA, "model.encoder.name: {choice: [x]}", 19, "must be one of"),
    (BETA, "model.{beta,bata}: {int: [1, 4]}", 19, "did you mean model.beta?"),
    (BETA, "model.{beta,encoder.latent_dim}: {int: [1, 4]}", 19, "take different values"),
    (BETA, "model.{beta,beta}: {int: [1, 4]}", 19, "model.beta is varied twice"),
    (DIM, "model.{beta}: {int: [2, 20]}", 20, "model.beta is varied twice"),
    (BETA, "train.epochs: {int: [1, 4]}", 19, "the recipe counts in steps; vary train.steps, or"),
    (BETA, "train.callbacks.1.patience: {int: [1, 4]}", 19, "the recipe has no train.callbacks.1"),
    (BETA, "train.callbacks.².patience: {int: [1, 4]}", 19, "the recipe has no train.callbacks.²"),
    (DIM, "model.encoder.latent_dim: {float: [2, 20]}", 20, "use {int: [lo, hi]}"),
    (DIM, "model.encoder.latent_dim: {int: [0, 20]}", 20, "must be an integer >= 1, got 0"),
    ("[2, 20]", "[2, 20.5]", 20, "must be two integers"),
    ("{int: [2, 20]}", "{int: [2, 20], when: {model.bet: [1]}}", 20, "model.bet is not in the sp"),
    ("{int: [2, 20]}", "{int: [2, 20], when: 3}", 20, "must be {other.path: [values]}"),
    (
        "{int: [2, 20]}",
        "{int: [2, 20], when: {model.encoder.latent_dim: [3]}}",
        20,
        "depends on itself",
    ),
    ("  space:\n    " + BETA + "\n    " + DIM, "  space: {}", 18, "needs at least one path"),
    # export
    (
        "[predict]",
        "[predict]\n  batching: {mx: 3}",
        26,
        "unknown key of batching; did you mean max?",
    ),
    ("[predict]", "[predict]\n  batching: {max: 1}", 26, "must be an integer >= 2 and <= 100000"),
    ("[predict]", "[predict]\n  batching: {wait_ms: -1}", 26, "must be a number >= 0 and <= 60000"),
    ("[predict]", "[predict]\n  batching: {threads: 0}", 26, "must be an integer >= 1 and <= 1000"),
    ("[predict]", "[predict]\n  batching: 8", 26, "batching: must be"),
]


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own = "SIZE = 3\n\n\ndef build(image_shape, width: int = 4):\n    return width\n"
    (tmp_path / "own_parts.py").write_text(own)

    def write(text):
        (tmp_path / "bad.yaml").write_text(text)
        return "bad.yaml"

    return write


def test_the_recipe_is_good_before_it_is_spoilt(write):
    assert load(write(GOOD)).resolved["model"]["beta"] == 6.0


def test_there_are_enough_distinct_mistakes():
    assert len({(old, new) for old, new, *_ in CASES}) == len(CASES) >= 60


@pytest.mark.parametrize("old, new, line, phrase", CASES, ids=lambda value: str(value)[:40])
def test_names_the_line_and_the_cure(write, old, new, line, phrase):
    assert GOOD.count(old) >= 1
    with pytest.raises(RecipeError) as caught:
        load(write(GOOD.replace(old, new, 1)))
    told = [(problem.line, str(problem)) for problem in caught.value.problems]
    assert any(at == line and phrase in text for at, text in told), told
    assert all(text.startswith(f"bad.yaml:{at}:") for at, text in told)


def test_all_mistakes_come_at_once_in_the_order_of_lines(write):
    spoilt = (
        GOOD.replace("seed: 0", "seed: -1").replace("beta: 6.0", "bata: 6").replace("1e-3", "x")
    )
    with pytest.raises(RecipeError) as caught:
        load(write(spoilt))
    assert [problem.line for problem in caught.value.problems] == [2, 6, 11]


@pytest.mark.parametrize(
    "length, varied, phrase",
    [
        ("  epochs: 3\n", "steps", "the recipe counts in epochs; vary train.epochs, or"),
        ("", "epochs", "the recipe counts in steps, as it says neither; vary train.steps, or"),
    ],
)
def test_a_space_varies_the_length_that_the_recipe_counts_in(write, length, varied, phrase):
    recipe = GOOD.replace("  steps: 100\n", length)
    with pytest.raises(RecipeError, match=f"search.space.train.{varied}: {phrase}"):
        load(write(recipe.replace(BETA, f"train.{varied}: {{int: [1, 4]}}")))
    other = {"steps": "epochs", "epochs": "steps"}[varied]
    assert load(write(recipe.replace(BETA, f"train.{other}: {{int: [1, 4]}}")))


def test_options_of_a_component_that_the_space_fixes_can_vary(write):
    space = "train.optimizer.name: {fixed: sgd}\n    train.optimizer.momentum: {float: [0, 0.9]}"
    recipe = GOOD.replace(BETA, space)
    assert load(write(recipe)).resolved["search"]["space"]["train.optimizer.momentum"]
    with pytest.raises(RecipeError, match="the recipe has no train.optimizer.momentum"):
        load(write(recipe.replace("fixed: sgd", "fixed: adamw")))
