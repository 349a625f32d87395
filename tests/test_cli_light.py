"""The commands that need no TensorFlow: what they print, import and cost."""

import json
import os
import subprocess
import sys

import pytest

import tfkit
from tests.recipe.test_bad_recipes import GOOD
from tfkit import catalog
from tfkit.backend import require_tensorflow
from tfkit.cli import main
from tfkit.errors import DataMissing, Diverged, UsageError

COMMANDS = (
    "run search sweep evaluate explain report leaderboard compare export serve predict "
    "list describe init validate diff"
).split()
HEAVY = ("tensorflow", "keras", "pandas", "matplotlib", "scipy", "sklearn")
# what typer and pydantic load of themselves once they are used counts as theirs
LIBRARIES = """
import rich.console, rich.table, ruamel.yaml, typer
from pydantic import ConfigDict, TypeAdapter, create_model
TypeAdapter(int)
program = typer.Typer(add_completion=False)
program.command()(lambda: None)
program([], standalone_mode=False)
"""
LIMIT = 0.15  # seconds of CPU above the libraries


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.yaml").write_text(GOOD)
    return "x.yaml"


def answer(capsys, *arguments):
    code = main(list(arguments))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example(capsys, command):
    code, out, _ = answer(capsys, command, "--help")
    assert code == 0 and f"\n  tfkit {command} " in out


def test_help_lists_every_command(capsys):
    code, out, _ = answer(capsys, "--help")
    assert code == 0
    assert [line.split()[0] for line in out.split("Commands:\n")[1].splitlines()] == COMMANDS


def test_unknown_commands_and_options_are_usage_errors(capsys):
    code, _, err = answer(capsys, "validte")
    assert code == 2 and "did you mean 'validate'" in err
    code, _, err = answer(capsys, "list", "--jsn")
    assert code == 2 and "--json" in err
    code, _, err = answer(capsys, "predict", "x")
    assert code == 2 and "--input" in err
    code, _, err = answer(capsys, "run")
    assert code == 2 and "run needs a recipe file, or --resume" in err


def test_validate_says_valid(capsys, recipe):
    code, out, _ = answer(capsys, "validate", recipe)
    assert code == 0 and out.startswith("x.yaml: valid (")


def test_validate_collects_the_mistakes_of_all_files(capsys, recipe, tmp_path):
    (tmp_path / "y.yaml").write_text("nme: 1\n")
    code, out, err = answer(
        capsys, "validate", recipe, "y.yaml", "--set", "train.stepz=3", "--json"
    )
    assert code == 2
    assert '--set "train.stepz=3": train.stepz: unknown key of train; did you mean steps?' in err
    assert "y.yaml:1:1: nme: unknown key of a recipe; did you mean name?\n  nme: 1\n  ^" in err
    told = json.loads(out.splitlines()[-1])
    assert told["exit_code"] == 2 and told["problems"][0]["typed"] == "train.stepz=3"


def test_long_lines_are_not_broken(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "20")
    (tmp_path / "long.yaml").write_text(f"name: x\n{'y' * 300}: 1\n")
    _, _, err = answer(capsys, "validate", "long.yaml")
    assert "y" * 300 + ": unknown key of a recipe" in err


@pytest.mark.parametrize("path", ["none.yaml", ".", "empty.yaml", "latin.yaml"])
def test_files_that_hold_no_recipe_end_with_two(capsys, tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.yaml").write_text("")
    (tmp_path / "latin.yaml").write_bytes(b"\xe9")
    code, _, err = answer(capsys, "validate", path)
    assert code == 2 and err.startswith(path)


def test_a_bad_recipe_stops_run_before_anything_heavy(capsys, recipe):
    code, _, err = answer(capsys, "run", recipe, "--set", "train.stepz=3")
    assert code == 2 and "train.stepz" in err


def test_list_and_describe_know_every_entry(capsys):
    _, out, _ = answer(capsys, "list")
    assert len(out.splitlines()) == len(catalog.load().entries)
    _, out, _ = answer(capsys, "list", "models")
    assert {line.split()[1] for line in out.splitlines()} >= {"beta_vae", "beta_tcvae"}
    for entry in catalog.load().entries:
        code, out, _ = answer(capsys, "describe", entry.name)
        assert code == 0 and entry.summary.split()[0] in out


def test_describe_shows_equation_parameters_and_paper(capsys):
    _, out, _ = answer(capsys, "describe", "beta_vae")
    for phrase in (
        "loss = reconstruction + beta * kl",
        "beta: a number >= 0; default 4.0",
        "https://openreview.net",
        "Data sets that fit: cars3d, dsprites",
    ):
        assert phrase in out
    _, by_class, _ = answer(capsys, "describe", "BetaVAE")
    assert by_class == out
    code, _, err = answer(capsys, "describe", "beta_va")
    assert code == 2 and "did you mean beta_vae?" in err


def test_init_writes_a_valid_recipe_and_never_overwrites(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = answer(capsys, "init", "beta_vae", "-o", "new.yaml")
    assert code == 0 and "tfkit run new.yaml" in out
    assert answer(capsys, "validate", "new.yaml")[0] == 0
    before = (tmp_path / "new.yaml").read_text()
    code, _, err = answer(capsys, "init", "beta_tcvae", "-o", "new.yaml")
    assert code == 2 and "is there already" in err
    assert (tmp_path / "new.yaml").read_text() == before
    assert answer(capsys, "init", "beta_vae")[1] == before


def test_diff_names_what_differs(capsys, recipe, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "resolved.yaml").write_text(GOOD.replace("beta: 6.0", "beta: 7.0"))
    assert answer(capsys, "diff", recipe, "run")[1] == "model.beta: 6.0 -> 7.0\n"
    _, out, _ = answer(capsys, "diff", recipe, "run", "--json")
    assert json.loads(out)["changes"] == [{"path": "model.beta", "old": 6.0, "new": 7.0}]
    assert answer(capsys, "diff", recipe, recipe)[1] == "no difference\n"


def test_another_backend_is_refused_in_one_message(capsys, recipe, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    code, _, err = answer(capsys, "run", recipe)
    assert code == 2 and err.count("\n") == 1 and "set KERAS_BACKEND=tensorflow" in err
    code, _, err = answer(capsys, "run", recipe, "--json")
    assert code == 2


def test_tfkit_run_refuses_another_backend_too(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    with pytest.raises(UsageError, match="backend torch"):
        _ = tfkit.run


def test_keras_own_configuration_counts_too(tmp_path, monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    require_tensorflow()
    (tmp_path / "keras.json").write_text('{"backend": "jax"}')
    with pytest.raises(UsageError, match="keras.json"):
        require_tensorflow()


@pytest.mark.parametrize(
    "error, code",
    [
        (KeyboardInterrupt(), 130),
        (DataMissing("no data"), 3),
        (Diverged("nan", step=3, tensor="loss"), 4),
        (ZeroDivisionError("a defect"), 1),
    ],
    ids=str,
)
def test_every_end_has_its_exit_code_and_json(capsys, recipe, monkeypatch, error, code):
    def end(*_):
        raise error

    monkeypatch.setattr("tfkit.recipe.document.check", end)
    found, out, err = answer(capsys, "validate", recipe, "--json")
    assert found == code and err
    assert json.loads(out.splitlines()[-1])["exit_code"] == code


def test_a_set_beside_resume_is_checked_against_the_folders_recipe(capsys, recipe, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "resolved.yaml").write_text(GOOD)
    code, _, err = answer(capsys, "run", "--resume", "run", "--set", "train.stepz=3")
    assert code == 2 and "did you mean steps?" in err


SEARCHLESS = GOOD[: GOOD.index("search:")] + GOOD[GOOD.index("evaluate:") :]
SWEEP = SEARCHLESS + "sweep: {grid: {model.beta: [1, 2]}}\n"
REFUSED = [
    (["run", "bad.yaml"], "data: missing"),
    (["run", "--resume", "none"], "none: there is no such run folder"),
    (["run", "x.yaml", "--resume", "empty"], "empty: not a run folder"),
    (["run", "--resume", "none", "--set", "train.steps=3"], "none: there is no such run folder"),
    (["run", "sweep.yaml"], "the recipe has a sweep"),
    (["search", "bad.yaml"], "data: missing"),
    (["search", "--resume", "none"], "none: there is no such run folder"),
    (["search", "searchless.yaml", "--trials", "3"], "the recipe has no `search` section"),
    (["search", "--resume", "stored", "--trials", "3"], "the recipe has no `search` section"),
    (
        ["search", "x.yaml", "--budget", "soon"],
        '--set "search.budget=soon": search.budget: must be',
    ),
    (["search", "x.yaml", "--trials", "0"], "Invalid value for '--trials'"),
    (["search", "x.yaml", "--workers", "0"], "Invalid value for '--workers'"),
    (["sweep", "x.yaml", "--workers", "0"], "Invalid value for '--workers'"),
]


def test_what_cannot_run_is_refused_before_tensorflow_is_loaded(recipe, tmp_path):
    (tmp_path / "bad.yaml").write_text("name: bad\n")
    (tmp_path / "searchless.yaml").write_text(SEARCHLESS)
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    for folder in ("empty", "stored"):
        (tmp_path / folder).mkdir()
    (tmp_path / "stored" / "resolved.yaml").write_text(SEARCHLESS)
    code = (
        "import contextlib, io, json, sys; from tfkit.cli import main; said = []\n"
        f"for arguments in {[arguments for arguments, _ in REFUSED]!r}:\n"
        "    with contextlib.redirect_stderr(io.StringIO()) as err: code = main(arguments)\n"
        "    said.append([code, ' '.join(err.getvalue().split())])\n"
        f"print(json.dumps([said, sorted(set({HEAVY!r}) & set(sys.modules))]))"
    )
    said, loaded = json.loads(in_a_process(code))
    for (arguments, message), (code, err) in zip(REFUSED, said, strict=True):
        assert code == 2 and message in err, (arguments, code, err)
    assert loaded == []


def test_a_report_of_no_run_folder_is_a_usage_error(capsys, tmp_path):
    code, _, err = answer(capsys, "report", str(tmp_path))
    assert code == 2 and "is no run folder" in err and "`tfkit run` makes one" in err


def test_seeds_are_a_number_or_a_list(capsys, recipe):
    code, _, err = answer(capsys, "run", recipe, "--seeds", "some")
    assert code == 2 and '--seeds takes a number or "1,2,3", got some' in err
    code, _, err = answer(capsys, "run", recipe, "--seeds", "0")
    assert code == 2


def test_a_reader_that_goes_away_is_no_error(tmp_path):
    command = f"{sys.executable} -m tfkit describe train | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert done.stderr == ""


LIGHT = [
    ["--help"],
    ["run", "--help"],
    ["leaderboard", "--help"],
    ["list"],
    ["describe", "beta_vae"],
    ["validate", "x.yaml"],
    ["init", "beta_vae"],
    ["diff", "x.yaml", "x.yaml"],
]


def in_a_process(code, **environment):
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("arguments", LIGHT, ids=" ".join)
def test_light_commands_import_nothing_heavy(recipe, arguments):
    loaded = in_a_process(
        f"import sys; from tfkit.cli import main; assert main({arguments!r}) == 0;"
        "print(' '.join(sys.modules))"
    ).split()
    assert not set(HEAVY) & set(loaded)
    if "--help" in arguments:
        assert not {"ruamel.yaml", "pydantic"} & set(loaded)


@pytest.mark.parametrize("arguments", [["list"], ["validate", "x.yaml"]], ids=" ".join)
def test_light_commands_cost_little_above_their_libraries(recipe, arguments, tmp_path):
    # byte code as an installation has it; the best of five, since other tests share the processors
    environment = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(tmp_path / "cache")}
    code = (
        f"{LIBRARIES}\nimport time; start = time.process_time()\n"
        f"from tfkit.cli import main; assert main({arguments!r}) == 0\n"
        "print(time.process_time() - start)"
    )
    costs = [float(in_a_process(code, **environment)) for _ in range(6)]
    assert min(costs[1:]) <= LIMIT


@pytest.fixture
def runs(tmp_path):
    from tests.report.many_runs import make_house

    make_house(tmp_path / "runs")
    return str(tmp_path / "runs")


def test_leaderboard_and_compare_write_what_they_are_asked_for(capsys, runs, tmp_path):
    page, table = tmp_path / "board.html", tmp_path / "scores.csv"
    files = ["--html", str(page), "--csv", str(table)]
    code, out, err = answer(capsys, "leaderboard", runs, *files)
    assert code == 0 and "dsprites / mig" in out and f"wrote {page}" in err
    assert "Leaderboard" in page.read_text() and len(table.read_text().splitlines()) == 37
    code, out, _ = answer(capsys, "leaderboard", runs, "--json", "--goal", "elbo=min")
    assert code == 0 and json.loads(out)["tasks"][1]["goal"] == "min"
    pair = [f"{runs}/{name}/20260101-000000-aaaaaa" for name in ("tcvae", "vae")]
    code, out, _ = answer(capsys, "compare", *pair, *files)
    assert code == 0 and "in words" in out and "In words" in page.read_text()
    assert len(table.read_text().splitlines()) == 17
    code, _, err = answer(capsys, "compare", pair[0], f"{runs}/bad/20260101-000000-aaaaaa")
    assert code == 2 and "it is diverged" in err
    code, _, err = answer(capsys, "leaderboard", runs, "--html", str(tmp_path / "no" / "x.html"))
    assert code == 1 and "could not be written" in err


@pytest.mark.parametrize("command", ["leaderboard", "compare"])
def test_tables_of_runs_load_no_framework(runs, tmp_path, command):
    pair = [f"{runs}/{name}/20260101-000000-aaaaaa" for name in ("tcvae", "vae")]
    arguments = [command, *(pair if command == "compare" else [runs])]
    # the page of a study has drawings, its text has none
    arguments += ["--html", str(tmp_path / "x.html")] if command == "compare" else []
    loaded = in_a_process(
        f"import sys; from tfkit.cli import main; assert main({arguments!r}) == 0;"
        "print(' '.join(sys.modules))"
    ).split()
    unwanted = {"tensorflow", "keras", "pandas", "matplotlib", "sklearn", "optuna"}
    # the tests of a comparison are worth scipy.stats' second; a leaderboard makes none
    unwanted |= {"scipy.stats"} if command == "leaderboard" else set()
    assert not unwanted & set(loaded)


def test_importing_tfkit_imports_nothing_heavy():
    loaded = in_a_process("import sys, tfkit; tfkit.__version__; print(' '.join(sys.modules))")
    assert not {*HEAVY, "numpy", "typer", "pydantic", "ruamel.yaml"} & set(loaded.split())


def test_python_m_tfkit_is_the_same_program(tmp_path):
    environment = {**os.environ, "COLUMNS": "100"}
    command = [sys.executable, "-m", "tfkit", "validate", "none.yaml"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 2 and "there is no file none.yaml" in done.stderr
