"""A search from a recipe, as `tfkit search` runs it: what is kept, resumed, refused, confirmed."""

import json
import shutil
from pathlib import Path

import pytest

from tests.train import runs
from tfkit import experiment
from tfkit.errors import RecipeError, UsageError
from tfkit.recipe import load
from tfkit.search.work import perform
from tfkit.train.folder import RunFolder

SPACE = {"train.optimizer.learning_rate": {"float": [1e-3, 1e-1], "log": True}}
SEARCH = {"objective": "valid/loss", "goal": "min", "space": SPACE, "trials": 3}


def recipe(train=None, seeds=(1,), **search):
    """The toy recipe with a search."""
    given = {"steps": 6, "save_every": 3, **(train or {})}
    return {
        **runs.RECIPE,
        "train": {**runs.RECIPE["train"], **given},
        "search": {**SEARCH, **search},
        "evaluate": {"seeds": list(seeds)},
    }


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def found(result):
    """What `search.json` says, without the times."""
    content = json.loads((Path(result["run"]) / "search" / "search.json").read_text())
    for trial in content["trials"]:
        del trial["seconds"], trial["ended"]
    return content


def die_in_task(monkeypatch, number):
    """Let the process 'die' right after its number-th task, before anybody hears of it."""
    done = []

    def dying(*arguments):
        outcome = perform(*arguments)
        done.append(outcome)
        if len(done) == number:
            raise runs.Killed
        return outcome

    monkeypatch.setattr("tfkit.search.executors.inline.perform", dying)


HYPERBAND = recipe(
    {
        "steps": 9,
        "optimizer": {"name": "adam", "learning_rate": {"name": "cosine", "learning_rate": 0.05}},
    },
    engine={"name": "hyperband"},
    space={"model.width": {"int": [4, 16]}},
    trials=None,
    keep="all",
)


@pytest.fixture(scope="module")
def hyperband(tmp_path_factory):
    """One uninterrupted search by Hyperband, shared."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("hyperband"))
        result = experiment.search(HYPERBAND)
        return {**result, "run": str(Path(result["run"]).resolve())}


def test_a_promoted_trial_equals_one_that_was_trained_in_one_go(hyperband, tmp_path):
    """Weights, both optimizers and the schedule over the full budget: byte for byte."""
    trials = found(hyperband)["trials"]
    promoted = next(trial for trial in trials if "origin" in trial)
    assert promoted["budget"] == 9 and trials[int(promoted["origin"])]["budget"] == 3
    assert not any(path.startswith("tuner/") for trial in trials for path in trial["values"])
    folder = RunFolder(Path(hyperband["run"]) / promoted["folder"])
    assert folder.provenance()["resumed_from"] == []
    straight, _ = runs.run(tmp_path / "straight", load(folder.resolved))
    assert runs.bytes_of(straight) == runs.bytes_of(folder)
    assert len((folder / "metrics.jsonl").read_text().splitlines()) == 3


def test_hyperband_killed_in_a_rung_goes_on_to_the_same_end(hyperband, monkeypatch):
    with monkeypatch.context() as patch:
        die_in_task(patch, 4)
        with pytest.raises(runs.Killed):
            experiment.search(HYPERBAND)
    (folder,) = Path("runs/toy").iterdir()
    again = experiment.search(resume=folder)
    assert found(again) == found(hyperband)
    assert again["metrics"] == hyperband["metrics"]


def test_the_winner_is_the_best_on_fresh_seeds_and_a_kill_in_between_costs_nothing(monkeypatch):
    given = recipe(seeds=(1, 2), confirm={"top": 2}, trials=2)
    with monkeypatch.context() as patch:
        die_in_task(patch, 4)  # two trials, two replicates
        with pytest.raises(runs.Killed):
            experiment.search(given)
    (folder,) = Path("runs/toy").iterdir()
    result = experiment.search(resume=folder)
    confirm = found(result)["confirm"]
    means = {each["id"]: each["fresh"]["mean"] for each in confirm["candidates"]}
    winner = min(means, key=means.get)
    assert confirm["seeds"] == [1, 2] and confirm["winner"] == result["search"]["best"] == winner
    for each in confirm["candidates"]:
        assert each["gap"] == pytest.approx(each["fresh"]["mean"] - each["search"])
        assert set(each["metrics"]) == {"loss", "critic"}  # test metrics appear here for once
    trial = json.loads((folder / "search" / "trial_0000" / "evaluation.json").read_text())
    assert set(trial["metrics"]) == {"valid/loss"}
    best = (folder / "search" / "best.yaml").read_text()
    assert f"# Trial {winner}, the best of 2" in best and f"{means[winner]:.4g} from fresh" in best
    alone = experiment.run(folder / "search" / "best.yaml")
    assert alone["metrics"] == result["metrics"]  # the recipe reproduces what its header says


def test_more_trials_are_welcome_and_may_find_another_winner():
    given = recipe(trials=1, goal="max")
    few = experiment.search(given)
    shutil.rmtree(Path(few["run"]) / "figures")
    more = experiment.search(resume=few["run"], trials=4)
    assert len(found(more)["trials"]) == 4 and found(more)["trials"][0] == found(few)["trials"][0]
    assert more["search"]["best"] != few["search"]["best"]
    assert more["metrics"] != few["metrics"]
    whole = experiment.search({**given, "name": "whole"}, trials=4)
    assert found(whole) == found(more) and whole["metrics"] == more["metrics"]
    assert experiment.search(resume=more["run"])["metrics"] == more["metrics"]
    for sets, message in (
        (["search.goal=min"], "search.goal: max -> min"),
        (["search.objective=loss"], "search.objective: valid/loss -> loss"),
        (["search.space={model.width: {int: [4, 9]}}"], "search.space"),
        (["search.engine=grid"], "search.engine"),
    ):
        with pytest.raises(UsageError, match=message):
            experiment.search(resume=more["run"], sets=sets)


@pytest.mark.parametrize("keep, kept", [("metrics", 0), ("best", 1), ("all", 2)])
def test_what_stays_on_the_disk(keep, kept):
    result = experiment.search(recipe(keep=keep, trials=2))
    trials = sorted((Path(result["run"]) / "search").glob("trial_*"))
    whole = [t for t in trials if (t / "checkpoints").exists()]
    assert len(whole) == len([t for t in trials if (t / "final.weights.h5").exists()]) == kept
    assert all((t / "metrics.jsonl").exists() for t in trials)
    if keep == "best":
        assert whole[0].name == f"trial_{found(result)['best']}"


@pytest.mark.parametrize("select", ["best", {"mean_last": 2}])
def test_the_number_that_counts_is_the_one_asked_for(select):
    train = {"steps": 12, "optimizer": {"name": "adam", "learning_rate": 0.3}}
    space = {"model.width": {"choice": [4, 8]}}
    result = experiment.search(recipe(train, select=select, trials=1, keep="all", space=space))
    (trial,) = found(result)["trials"]
    values = [value for _, value in trial["curve"]]
    assert [step for step, _ in trial["curve"]] == [3, 6, 9, 12] and len(set(values)) == 4
    wanted = min(values) if select == "best" else sum(values[-2:]) / 2
    assert trial["objective"] == wanted
    folder = RunFolder(result["run"])
    fresh = json.loads(folder.evaluation.read_text())["objective"]
    lines = [
        json.loads(x)["valid/loss"] for x in (folder / "metrics.jsonl").read_text().split("\n")[:-1]
    ]
    assert fresh == (min(lines) if select == "best" else sum(lines[-2:]) / 2)


def test_a_budget_ends_the_search_with_room_to_confirm(monkeypatch, capsys):
    from tfkit.search.clock import Clock

    with monkeypatch.context() as patch:
        patch.setattr(Clock, "allows", lambda self, trials, whole: len(trials) < 2)
        result = experiment.search(recipe(trials=5, budget="1h"), quiet=False)
    assert [t["status"] for t in found(result)["trials"]] == ["completed"] * 2
    assert found(result)["confirm"]["winner"] and "no further trial fits" in capsys.readouterr().err
    assert len(found(experiment.search(resume=result["run"], budget="1h"))["trials"]) == 5


@pytest.mark.parametrize(
    "change, message",
    [
        ({"budget": "2 hours"}, "search.budget: must be a time > 0 like 2h"),
        ({"timeout": -3}, "search.timeout: must be a time > 0"),
        ({"select": {"mean_last": 0}}, "search.select: must be last, best, mean_last"),
        ({"select": "worst"}, "search.select: must be one of"),
        ({"confirm": {"tops": 2}}, "search.confirm.tops: unknown key of confirm; did you mean top"),
        ({"confirm": {"top": 0}}, "search.confirm.top: must be an integer >= 1"),
        ({"executor": "lokal"}, "there is no executor called lokal; did you mean local"),
        ({"executor": {"name": "local", "workers": 0}}, "workers: must be an integer >= 1"),
        ({"keep": "some"}, "search.keep: must be one of"),
        ({"trials": 0}, "search.trials: must be an integer >= 1"),
        ({"engine": {"name": "grid", "factor": 3}}, "factor: unknown option of grid"),
        (
            {"engine": "hyperband", "space": {"train.steps": {"int": [3, 9]}}},
            "hyperband itself decides how long",
        ),
    ],
)
def test_bad_sections_are_refused_with_the_key(change, message):
    with pytest.raises(RecipeError, match=message):
        load(recipe(**change))


def test_best_weights_by_two_measures_are_refused():
    stopping = {"name": "early_stopping", "monitor": "loss", "restore_best": True}
    with pytest.raises(RecipeError, match="search.select: best keeps the weights of the best"):
        load(recipe({"callbacks": [stopping]}, select="best"))


def test_what_the_engine_cannot_do_leaves_no_folder():
    with pytest.raises(UsageError, match="leaves nothing to divide"):
        experiment.search(recipe(engine="hyperband", trials=None))
    with pytest.raises(UsageError, match="train counts in steps"):
        experiment.search(recipe(engine={"name": "hyperband", "resource": "epochs"}))
    with pytest.raises(UsageError, match="no `search` section"):
        experiment.search({**recipe(), "search": None})
    assert not Path("runs").exists()


@pytest.mark.slow
def test_another_winner_leaves_nothing_of_the_first_one():
    """Also from a seed that the confirmation does not train."""
    few = experiment.search(recipe(trials=1, goal="max", seeds=(7,), confirm={"seeds": 1}))
    more = experiment.search(resume=few["run"], trials=4)
    assert more["search"]["best"] != few["search"]["best"]
    alone = experiment.run(Path(more["run"]) / "search" / "best.yaml")
    assert alone["metrics"] == more["metrics"] != few["metrics"]


@pytest.mark.slow
def test_hyperband_cut_by_its_budget_still_has_what_it_promotes(monkeypatch):
    from tfkit.search.clock import Clock

    given = {**HYPERBAND, "search": {**HYPERBAND["search"], "keep": "best"}}
    with monkeypatch.context() as patch:
        patch.setattr(Clock, "allows", lambda self, trials, whole: len(trials) < 3)
        cut = experiment.search(given)
    whole = experiment.search(resume=cut["run"], sets=["search.budget=1h"])
    promoted = next(t for t in found(whole)["trials"] if "origin" in t)
    lines = (Path(whole["run"]) / promoted["folder"] / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [3, 6, 9]
    assert promoted["id"] == "0003" and whole["status"] == "finished"


def test_a_folder_that_another_process_holds_is_asked_again(monkeypatch):
    from tfkit.search.work import Outcome

    answers = [Outcome("busy", None, 0.0, "held")]

    def perform_or_wait(*arguments):
        return answers.pop() if answers else perform(*arguments)

    monkeypatch.setattr("tfkit.search.executors.inline.perform", perform_or_wait)
    result = experiment.search(recipe(trials=2))
    assert [t["status"] for t in found(result)["trials"]] == ["completed"] * 2
