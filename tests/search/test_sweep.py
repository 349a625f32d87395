"""A sweep from recipe to table: shards, kills, failures, other machines, the bytes of a run."""

import contextlib
import csv
import io
import json
import multiprocessing
from pathlib import Path

import pytest

from tests.train import runs
from tfkit import cli, experiment
from tfkit.errors import Interrupted, RecipeError, UsageError
from tfkit.recipe import load
from tfkit.search.sweep import Sweep, identity, status
from tfkit.search.sweep_command import brief, exit_code, merged
from tfkit.search.work import perform
from tfkit.terminal import print_result
from tfkit.train.folder import RunFolder

GRID = {
    "train.optimizer.name": ["adam", "sgd"],
    "train.optimizer.beta_1": {"choice": [0.8], "when": {"train.optimizer.name": ["adam"]}},
}


def recipe(grid=None, seeds=2, train=None, **more):
    return {
        **runs.RECIPE,
        "train": {**runs.RECIPE["train"], "steps": 6, "save_every": 3, **(train or {})},
        "sweep": {"grid": grid or GRID, "seeds": seeds},
        **more,
    }


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def sweep_of(given) -> Sweep:
    return Sweep(load(given), "runs")


def table(found) -> list[dict]:
    with open(found["table"], encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def shown_of(found) -> str:
    """What the command prints."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        print_result({"metrics": brief(found)["metrics"]}, False)
    return out.getvalue()


def kill_at(monkeypatch, number, part="after"):
    """Let the process 'die' in or after its number-th task."""
    done = []

    def dying(task, *arguments):
        done.append(task)
        if len(done) == number and part == "within":
            runs.kill_after(monkeypatch, 4)
        outcome = perform(task, *arguments)
        if len(done) == number:
            raise runs.Killed
        return outcome

    monkeypatch.setattr("tfkit.search.executors.inline.perform", dying)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 7, 40])
def test_shards_part_the_trainings_exactly(count):
    sweep = sweep_of(recipe(seeds=4))
    assert len(sweep.runs) == 2 * 4
    parts = [sweep.shard(k, count) for k in range(1, count + 1)]
    assert sorted(run.name for part in parts for run in part) == sorted(
        run.name for run in sweep.runs
    )
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert parts[0][:2] == sweep.runs[: 2 * count : count]


def test_a_training_of_a_sweep_has_the_bytes_of_a_run():
    found = experiment.sweep(recipe(grid={"model.width": [4, 6]}, seeds=[2, 7]))
    own = {**recipe(), "sweep": None}
    alone = experiment.run(own, sets=["model.width=6"], seeds=[7])
    one, other = RunFolder(Path(found["sweep"]) / "width=6/seed_7"), RunFolder(alone["run"])
    assert runs.bytes_of(one) == runs.bytes_of(other)
    assert one.evaluation.read_bytes() == other.evaluation.read_bytes()
    assert one.resolved.read_bytes() == other.resolved.read_bytes()
    assert one.provenance()["seeds"] == other.provenance()["seeds"]


def test_the_table_is_tidy_and_the_summary_has_intervals():
    found = experiment.sweep(recipe())
    rows = table(found)
    paths = list(GRID)
    assert list(rows[0])[:4] == [*paths, "seed", "status"] and list(rows[0])[-1] == "folder"
    assert [(row[paths[0]], row[paths[1]], row["seed"]) for row in rows] == [
        ("adam", "0.8", "1"),
        ("adam", "0.8", "2"),
        ("sgd", "", "1"),
        ("sgd", "", "2"),
    ]
    assert {row["status"] for row in rows} == {"finished"} and float(rows[0]["loss"]) > 0
    sgd = found["points"][1]
    assert sgd["values"] == {paths[0]: "sgd"} and sgd["finished"] == sgd["seeds"] == 2
    loss = sgd["metrics"]["loss"]
    assert loss["low"] < loss["mean"] < loss["high"], "sweep.json keeps what is not shown"
    assert "(n=2)" in shown_of(found) and "[" not in shown_of(found)
    assert loss["values"] == [float(row["loss"]) for row in rows[2:]]


def test_the_second_shard_finds_the_first_ones_folder_and_lists_what_is_missing():
    first = experiment.sweep(recipe(), shard=(1, 2))
    assert first["finished"] == 2 and len(first["missing"]) == 2
    assert table(first)[1]["status"] == "missing" and table(first)[1]["loss"] == ""
    second = experiment.sweep(recipe(), shard=(2, 2))
    assert second["sweep"] == first["sweep"]
    assert second["finished"] == 4 and second["missing"] == []


def test_fewer_seeds_later_lose_no_row_of_the_shared_table():
    grid = {"model.width": [4, 5]}
    more = experiment.sweep(recipe(grid=grid, seeds=[2, 1]), shard=(1, 4))  # width=4/seed_2
    found = merged(load(recipe(grid=grid, seeds=[1])), [Path(more["sweep"])])
    rows = [(row["model.width"], row["seed"], row["status"]) for row in table(found)]
    assert rows == [("4", "1", "missing"), ("4", "2", "finished"), ("5", "1", "missing")]
    assert found["runs"] == 3 and found["points"][0]["finished"] == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--dry-run", "--merge", "."], "--dry-run and --merge do not go together"),
        (["--dry-run", "--csv", "x.csv"], "--dry-run and --csv do not go together"),
        (["--merge", ".", "--shard", "1/2"], "--merge and --shard do not go together"),
        (["--merge", ".", "--workers", "2"], "--merge and --workers do not go together"),
        (["--workers", "0"], "should be greater than or equal to 1"),
        (["--csv", "none/x.csv"], "x.csv cannot be written: there is no folder none"),
        (["--csv", "."], "cannot be written: it is a folder"),
        (["--shard", "1/0"], "there is at least one shard"),
    ],
)
def test_options_that_would_be_passed_over_are_refused_first(options, message, capsys):
    Path("x.yaml").write_text(json.dumps(recipe()), encoding="utf-8")
    assert cli.main(["sweep", "x.yaml", "--quiet", *options]) == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert not Path("runs").exists()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of a sweep that nobody interrupted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("whole"))
        return Path(experiment.sweep(recipe())["sweep"]).resolve()


@pytest.mark.parametrize("part", ["within", "after"])
def test_a_killed_sweep_goes_on_where_it_was(part, monkeypatch, whole):
    with monkeypatch.context() as patch:
        kill_at(patch, 2, part)
        with pytest.raises(runs.Killed):
            experiment.sweep(recipe())
    sweep = sweep_of(recipe())
    states = [status(sweep.folder(run)) for run in sweep.runs]
    done = ["finished"] * (1 if part == "within" else 2)
    assert states == [*done, *(["unfinished"] if part == "within" else []), *["missing"] * 2]
    before = {run.name: sweep.folder(run).weights for run in sweep.runs[:1]}
    times = {name: path.stat().st_mtime_ns for name, path in before.items()}
    found = experiment.sweep(recipe())
    assert {name: path.stat().st_mtime_ns for name, path in before.items()} == times
    for run in sweep.runs:
        other = RunFolder(whole / run.name)
        assert runs.bytes_of(sweep.folder(run)) == runs.bytes_of(other), run.name
    assert found["finished"] == 4 and found["ended"] == {"finished": 4}


def test_an_interruption_says_how_to_go_on_and_leaves_a_table(monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("tfkit.search.executors.inline.perform", interrupt)
    with pytest.raises(Interrupted, match="the same command goes on"):
        experiment.sweep(recipe())
    assert (sweep_of(recipe()).path / "sweep.csv").exists()


def test_what_diverges_or_fails_is_written_down_and_the_rest_goes_on(monkeypatch):
    def failing(task, *arguments):
        if "width=5" in task.folder and "seed_1" in task.folder:
            monkeypatch.setattr("tfkit.search.work.train", broken)
        outcome = perform(task, *arguments)
        monkeypatch.setattr("tfkit.search.work.train", train)
        return outcome

    def broken(*_, **__):
        raise RuntimeError("this one breaks")

    from tfkit.search.work import train

    monkeypatch.setattr("tfkit.search.executors.inline.perform", failing)
    grid = {"model.width": [4, 5], "data.poison": [-1, 3]}
    given = recipe(grid=grid, seeds=[1], model={"name": "toy_room.model:Toy"})
    found = experiment.sweep(given)
    assert found["ended"] == {"finished": 1, "diverged": 1, "failed": 2}
    assert found["diverged"] == ["width=4,poison=3/seed_1"] and exit_code(found) == 1
    first = experiment.sweep(given, shard=(1, 4))
    assert first["failed"] and exit_code(first) == 0, "what other shards met is theirs to say"
    assert "this one breaks" in (
        Path(found["sweep"]) / "width=5,poison=-1/seed_1" / "error.txt"
    ).read_text(encoding="utf-8")
    monkeypatch.undo()


def test_the_exit_code_says_what_went_wrong(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    grid = {"data.poison": [-1, 3]}
    given = recipe(grid=grid, seeds=[1])
    (tmp_path / "x.yaml").write_text(json.dumps(given), encoding="utf-8")
    assert cli.main(["sweep", "x.yaml", "--quiet", "--json", "--csv", "all.csv"]) == 4
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert answer["diverged"] == ["poison=3/seed_1"] and answer["finished"] == 1
    assert (tmp_path / "all.csv").read_text() == Path(answer["table"]).read_text()
    assert cli.main(["sweep", "x.yaml", "--dry-run"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert listed == ["finished    poison=-1/seed_1", "diverged    poison=3/seed_1"]


@pytest.mark.filterwarnings("ignore:TensorFlow is running already")
def test_folders_of_two_machines_become_one_table(tmp_path, monkeypatch):
    for machine, shard in (("here", (1, 2)), ("there", (2, 2))):
        (tmp_path / machine).mkdir()
        monkeypatch.chdir(tmp_path / machine)
        threads = 2 if machine == "here" else 1
        found = experiment.sweep(recipe(train={"threads": threads}), shard=shard)
        assert found["finished"] == 2
    monkeypatch.chdir(tmp_path / "here")
    there = tmp_path / "there" / found["sweep"]
    both = merged(load(recipe()), [there])
    assert both["finished"] == 4 and both["missing"] == []
    assert sum(str(there) in row["folder"] for row in table(both)) == 2
    assert all(point["finished"] == 2 for point in both["points"])


def test_another_sweep_is_not_merged(tmp_path):
    experiment.sweep(recipe(grid={"model.width": [4]}, seeds=1))
    other = sweep_of(recipe(grid={"model.width": [4]}, seeds=1)).path
    mine = recipe(seeds=9, export={}, train={"threads": 3}, evaluate={"seeds": [4]})
    with pytest.raises(
        UsageError, match="holds another sweep; it differs in\n  sweep.grid"
    ) as said:
        merged(load(mine), [other])
    assert not any(word in str(said.value) for word in ("seeds", "threads", "export")), said.value
    with pytest.raises(UsageError, match="not the folder of a sweep"):
        merged(load(recipe()), [tmp_path])


def test_the_folder_is_the_same_for_all_machines_and_for_more_seeds():
    same = load(recipe()).resolved
    for given in (
        recipe(train={"threads": 64}),
        recipe(seeds=50),
        recipe(evaluate={"seeds": [4]}),
        recipe(export={}),
    ):
        assert identity(load(given).resolved) == identity(same)
    for given in (recipe(train={"steps": 7}), recipe(grid={"model.width": [4]}), recipe(seed=6)):
        assert identity(load(given).resolved) != identity(same)


@pytest.mark.parametrize("moment", [pytest.param("before", marks=pytest.mark.slow), "same"])
def test_two_processes_never_work_on_one_training(moment, monkeypatch):
    """Also where both look for it at the same moment, and only one gets it."""
    if moment == "same":
        monkeypatch.setattr("tfkit.search.sweeping.held", lambda folder: False)
        monkeypatch.setattr("tfkit.search.work.LOCK_SECONDS", 0.2)
    given = recipe(grid={"model.width": [4]})
    sweep = sweep_of(given)
    run = sweep.runs[0]
    folder = sweep.folder(run)
    folder.path.mkdir(parents=True)
    folder.write_recipe(sweep.recipe_of(run))
    context = multiprocessing.get_context("spawn")
    ready, leave = context.Event(), context.Event()
    other = context.Process(target=hold, args=(folder.path, ready, leave))
    other.start()
    try:
        assert ready.wait(60)
        found = experiment.sweep(given)
    finally:
        leave.set()
        other.join()
    assert found["busy"] == [run.name] and found["finished"] == 1
    assert not (folder.path / "error.txt").exists()
    assert found["unfinished"] == [run.name] and exit_code(found) == 0


def hold(path, ready, leave):
    """Another process at work."""
    with RunFolder(path).lock():
        ready.set()
        leave.wait(60)


def test_seeds_are_a_number_or_a_list_or_those_of_evaluate():
    assert sweep_of(recipe(seeds=3)).seeds == [1, 2, 3]
    assert sweep_of(recipe(seeds=[5, 9])).seeds == [5, 9]
    assert sweep_of(recipe(seeds=None, evaluate={"seeds": [4]})).seeds == [4]


def test_run_refuses_a_recipe_with_a_sweep_and_sweep_one_without():
    with pytest.raises(UsageError, match="has a sweep, which `.*tfkit sweep` runs"):
        experiment.run(recipe())
    with pytest.raises(UsageError, match="has no `sweep` section"):
        experiment.sweep({**recipe(), "sweep": None})


def test_a_point_that_is_no_recipe_is_named_before_anything_runs():
    grid = {"train.optimizer.name": ["adam", "sgd"], "train.optimizer.beta_1": [0.8]}
    with pytest.raises(UsageError, match="the point optimizer=sgd,beta_1=0.8 is no recipe") as said:
        experiment.sweep(recipe(grid=grid))
    assert "Let `when` say" in str(said.value) and not Path("runs").exists()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"grid": {}}, "sweep.grid: is empty; a sweep needs at least one path"),
        ({"grid": {"train.stepz": [1]}}, "did you mean train.steps?"),
        ({"grid": {"train.steps": 4}}, "train.steps: must be a list of values"),
        ({"grid": {"train.steps": {"int": [1, 4]}}}, "must be a list of values"),
        ({"grid": {"train.steps": [0, 4]}}, "sweep.grid.train.steps.0: must be an integer >= 1"),
        ({"grid": {"train.steps": [4, 4]}}, "sweep.grid.train.steps: holds a value twice"),
        ({"grid": {"train.steps": []}}, "sweep.grid.train.steps: must be a list of values"),
        ({"grid": {"train.steps": [1, "x"]}}, "must be values of one type"),
        ({"grid": {"evaluate.metrics": [1]}}, "only data., model. and train. can be varied"),
        ({"grid": GRID, "seeds": 0}, "sweep.seeds: must be a number of seeds >= 1"),
        ({"grid": GRID, "seeds": [1, 1]}, "sweep.seeds.1: seed 1 is there twice"),
        ({"grid": GRID, "seeds": 2024}, "may ask for 1 to 1000; [2024] is the one seed 2024"),
        ({"grid": GRID, "seeds": 10**12}, "sweep.seeds: asks for 1000000000000 seeds"),
        ({"grid": GRID, "seed": 1}, "sweep.seed: unknown key of sweep; did you mean seeds?"),
        (
            {"grid": {"model.width": {"choice": [4], "when": {"model.depth": [1]}}}},
            "model.depth is not in the grid",
        ),
    ],
)
def test_bad_sweeps_are_refused(given, message):
    with pytest.raises(RecipeError) as caught:
        load({**recipe(), "sweep": given})
    assert message in str(caught.value)


def test_a_mistake_in_a_file_has_its_line(tmp_path):
    text = json.dumps({**recipe(), "sweep": None}).replace(', "sweep": null', "")
    lines = ["sweep:", "  grid:", "    model.width: [4,", "      0]", "  seeds: [1, 1]", ""]
    yaml = "\n".join([f"{key}: {json.dumps(value)}" for key, value in json.loads(text).items()])
    (tmp_path / "x.yaml").write_text(yaml + "\n" + "\n".join(lines), encoding="utf-8")
    before = yaml.count("\n") + 1
    with pytest.raises(RecipeError) as caught:
        load("x.yaml")
    assert [(p.path, p.line - before) for p in caught.value.problems] == [
        ("sweep.grid.model.width.1", 4),
        ("sweep.seeds.1", 5),
    ]


def test_search_and_sweep_are_not_both():
    search = {"objective": "loss", "goal": "min", "space": {"model.width": {"int": [4, 8]}}}
    with pytest.raises(RecipeError, match="sweep: stands beside search"):
        load({**recipe(), "search": search})


def test_numbers_may_be_mixed_and_set_from_the_command_line():
    known = load(recipe(), ["sweep.grid.train.optimizer.learning_rate=[1, 0.5]"])
    grid = known.resolved["sweep"]["grid"]
    assert grid["train.optimizer.learning_rate"] == {"choice": [1.0, 0.5]}
    assert grid["train.optimizer.name"] == {"choice": ["adam", "sgd"]}


@pytest.mark.slow
def test_two_workers_train_what_one_does():
    one = experiment.sweep({**recipe(), "name": "one"})
    two = experiment.sweep({**recipe(), "name": "two"}, workers=2)
    assert [point["metrics"] for point in one["points"]] == [
        point["metrics"] for point in two["points"]
    ]
