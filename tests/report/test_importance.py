"""Which settings mattered, and when nothing may be said."""

import sys

import numpy as np
import pytest

from tests.report.searches import SPACE, make_search
from tfkit.report.importance import importance

RNG = np.random.default_rng(0)


def done(found):
    return [t for t in found["trials"] if t["objective"] is not None]


def quadratic(count, **more):
    """The objective is x squared, y is noise, z a category that adds little."""
    trials = []
    for _ in range(count):
        values = {"x": float(RNG.uniform(-1, 1)), "y": float(RNG.uniform(0, 1))}
        values["z"] = bool(RNG.integers(2))
        objective = values["x"] ** 2 + 0.1 * values["z"]
        trials.append({"values": values, "objective": objective, "budget": None, **more})
    return trials


def test_finds_the_setting_that_matters():
    pytest.importorskip("optuna")
    (group,) = importance(quadratic(60), {}, "max")["groups"]
    shares = dict(group["shares"])
    assert shares["x"] > 0.8 and shares["y"] < 0.1 and sum(shares.values()) == pytest.approx(1)
    assert [s for _, s in group["shares"]] == sorted(shares.values(), reverse=True)
    assert group["trials"] == 60 and group["first"]


def test_same_trials_same_shares_and_optuna_keeps_its_voice(capsys):
    optuna = pytest.importorskip("optuna")
    level = optuna.logging.get_verbosity()
    trials = quadratic(20)
    assert importance(trials, {}, "max") == importance(trials, {}, "max")
    assert optuna.logging.get_verbosity() == level
    assert capsys.readouterr() == ("", "")


def test_conditional_settings_are_judged_among_those_that_have_them():
    pytest.importorskip("optuna")
    found = importance(done(make_search()), SPACE, "max")
    paths = [group["paths"] for group in found["groups"]]
    assert paths[1:] == [["model.beta"], ["model.lambda_od"]]
    assert set(paths[0]) == set(SPACE) - {"model.beta", "model.lambda_od"}
    assert found["groups"][0]["shares"][0][0] == "train.optimizer.learning_rate"
    assert sum(g["trials"] for g in found["groups"][1:]) == found["groups"][0]["trials"]
    assert found["why"] == []


def test_few_trials_of_a_conditional_setting_are_told():
    pytest.importorskip("optuna")
    found = importance(done(make_search(count=16)), SPACE, "max")
    assert len(found["groups"]) < 3
    assert any("too few to say more" in why for why in found["why"])


def test_a_budget_is_a_setting():
    pytest.importorskip("optuna")
    trials = [t | {"budget": 10} for t in quadratic(20)]
    trials += [t | {"budget": 90, "objective": t["objective"] + 5} for t in quadratic(20)]
    shares = dict(importance(trials, {}, "max")["groups"][0]["shares"])
    assert shares["budget"] > 0.8


def test_values_outside_the_space_are_no_error():
    pytest.importorskip("optuna")
    space = {"x": {"float": [0.0, 0.5]}, "y": {"float": [0.1, 1.0], "log": True}}
    assert importance(quadratic(20), space, "min")["groups"]


@pytest.mark.parametrize(
    "trials, said",
    [
        ([], "shown from 8 completed trials on; there are 0 completed trials."),
        (quadratic(1), "there is 1 completed trial."),
        (quadratic(7), "there are 7 completed trials."),
        ([t | {"objective": 1.0} for t in quadratic(9)], "no setting mattered"),
    ],
)
def test_says_why_nothing_is_shown(trials, said):
    found = importance(trials, {}, "max")
    assert found["groups"] == [] and said in found["why"][0]


def test_one_setting_alone_is_no_news_and_that_is_said():
    trials = [{**t, "values": {"x": t["values"]["x"]}} for t in quadratic(10)]
    found = importance(trials, {}, "max")
    assert found["groups"] == [] and found["why"][0].startswith("No shares for x: among the 10")


def test_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    found = importance(quadratic(20), {}, "max")
    assert found["groups"] == [] and "pip install 'tfkit[optuna]'" in found["why"][0]
