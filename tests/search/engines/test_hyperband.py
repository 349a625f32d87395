"""Hyperband: its brackets, what goes on, and what never does."""

import math
from collections import Counter

import keras_tuner
import pytest

from tests.search.engines.proposals import PLAIN, drive, make, objective
from tfkit.errors import UsageError
from tfkit.search.engines.hyperband import Hyperband
from tfkit.search.space import hyperparameters

WIDE = {"rate": {"float": [1e-4, 1e-1], "log": True}}
SMALL = {"units": {"choice": [1, 2, 3, 4]}}


def search(directory, space=WIDE, **changed):
    return make(directory, "hyperband", space, **{"trials": None, **changed})


def all_told(engine, value=objective, failing=(), width=1) -> list:
    """All trials; those whose number is in `failing` fail."""
    running, asked = [], []
    while not engine.done:
        trial = engine.ask() if len(running) < width else None
        if trial is not None:
            asked.append(trial)
            running.append(trial)
        elif running:
            ended = running.pop(0)
            if int(ended.id) in failing:
                engine.tell(ended.id, None, status="failed")
            else:
                engine.tell(ended.id, value(ended.values))
    return asked


def stock(space, goal="min", width=1, **options) -> list:
    """The proposals of Keras Tuner's own oracle, as (values, epochs, origin)."""
    oracle = keras_tuner.oracles.HyperbandOracle(
        objective=keras_tuner.Objective("objective", goal),
        seed=4,
        hyperparameters=hyperparameters(space),
        **options,
    )
    oracle.verbose = 0
    oracle.save = oracle._save_trial = lambda *_: None
    found, running = [], []
    while True:
        trial = oracle.create_trial(f"tuner{len(found)}") if len(running) < width else None
        if trial is not None and trial.status == "RUNNING":
            values = dict(trial.hyperparameters.values)
            own = {k: v for k, v in values.items() if not k.startswith("tuner/")}
            found.append((own, values["tuner/epochs"], values.get("tuner/trial_id")))
            running.append(trial)
            continue
        if not running:
            return found
        ended = running.pop(0)
        oracle.update_trial(ended.trial_id, {"objective": objective(ended.hyperparameters.values)})
        ended.status = "COMPLETED"
        oracle.end_trial(ended)


@pytest.mark.parametrize("width", [1, 4])
@pytest.mark.parametrize("goal", ["min", "max"])
@pytest.mark.parametrize(("maximum", "factor", "iterations"), [(9, 3, 1), (20, 4, 2), (8, 2, 1)])
def test_where_nothing_fails_it_proposes_what_keras_tuner_does(
    maximum, factor, iterations, goal, width, tmp_path
):
    options = {"factor": factor, "maximum": maximum, "iterations": iterations}
    asked = all_told(search(tmp_path, goal=goal, **options), width=width)
    expected = stock(
        WIDE, goal, width, factor=factor, max_epochs=maximum, hyperband_iterations=iterations
    )
    assert [(t.values, t.budget, t.origin) for t in asked] == expected


def test_budgets_are_a_ladder_down_to_the_minimum(tmp_path):
    asked = all_told(search(tmp_path, maximum=100, minimum=7))
    ladder = {math.ceil(100 / 3**k) for k in range(3)}
    assert {trial.budget for trial in asked} == ladder == {100, 34, 12}


def test_what_goes_on_has_the_values_and_the_id_of_what_it_was(tmp_path):
    engine = search(tmp_path)
    asked = all_told(engine)
    promoted = [trial for trial in asked if trial.origin is not None]
    assert promoted
    for trial in promoted:
        origin = engine.asked[trial.origin]
        assert trial.values == origin.values
        assert trial.budget == 3 * origin.budget
        assert not any(path.startswith("tuner/") for path in trial.values)
    assert max(Counter(trial.origin for trial in promoted).values()) == 1


def test_a_failed_trial_never_goes_on_even_beside_worse_ones(tmp_path):
    """What fails early has heard of a worst value that later ones undercut."""
    engine = search(tmp_path)
    asked = all_told(engine, failing={1, 3, 5})
    assert {trial.origin for trial in asked}.isdisjoint({"0001", "0003", "0005"})
    first_rung = [trial for trial in asked[:20] if trial.budget == 1]
    gone_on = [t for t in asked if t.origin in {trial.id for trial in first_rung}]
    assert len(gone_on) == math.ceil(len(first_rung) / 3)


@pytest.mark.parametrize("width", [1, 3])
def test_brackets_whose_every_trial_fails_end(width, tmp_path):
    asked = all_told(search(tmp_path), failing=range(1000), width=width)
    assert asked and all(trial.origin is None for trial in asked)


def test_nothing_to_ask_is_not_the_end_while_trials_run(tmp_path):
    engine = search(tmp_path)
    running = []
    while (trial := engine.ask()) is not None:
        running.append(trial)
    assert running and not engine.done
    for trial in running:
        engine.tell(trial.id, objective(trial.values))
    assert engine.ask().origin is not None


def test_a_space_that_is_used_up_is_halved_as_it_is(tmp_path):
    asked = all_told(search(tmp_path, SMALL), lambda values: values["units"])
    begun = [trial for trial in asked if trial.origin is None]
    assert sorted(trial.values["units"] for trial in begun) == [1, 2, 3, 4]
    assert [(t.values["units"], t.budget) for t in asked if t.origin] == [(1, 3), (2, 3), (1, 9)]


def test_the_number_of_trials_can_be_capped_and_raised(tmp_path):
    assert len(drive(search(tmp_path, trials=5))) == 5
    whole = drive(search(tmp_path / "whole", trials=9))
    assert whole[5:] == drive(search(tmp_path, trials=9))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"maximum": 8, "minimum": 3}, "maximum 8 leaves nothing to divide by factor 3"),
        ({"maximum": 3, "factor": 4, "minimum": 1}, "it must be at least 4"),
        ({"factor": 1}, "factor must be >= 2, got 1"),
        ({"minimum": 0}, "minimum must be >= 1, got 0"),
    ],
)
def test_a_ladder_of_one_rung_is_refused(options, message, tmp_path):
    with pytest.raises(UsageError, match=message):
        search(tmp_path, **options)
    assert not list(tmp_path.iterdir())


def test_a_changed_ladder_is_another_search(tmp_path):
    drive(search(tmp_path), most=3)
    with pytest.raises(UsageError, match="maximum: 9 → 27"):
        search(tmp_path, maximum=27)


def test_the_recipe_says_what_the_options_do_not():
    steps = {"steps": 900, "epochs": None, "save_every": 100}
    assert Hyperband.filled({"factor": 3}, steps) == {
        "factor": 3,
        "resource": "steps",
        "maximum": 900,
        "minimum": 100,
    }
    epochs = {"steps": None, "epochs": 12, "save_every": 100}
    assert Hyperband.filled({"minimum": 2, "maximum": None}, epochs) == {
        "resource": "epochs",
        "maximum": 12,
        "minimum": 2,
    }


def test_a_search_over_many_kinds_of_values(tmp_path):
    asked = all_told(search(tmp_path, PLAIN))
    assert {trial.budget for trial in asked} == {1, 3, 9}
