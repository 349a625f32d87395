"""Order of trials and the sign of the winner's curse."""

import math

import pytest

from tfkit.report.ranking import search_block


def search(goal):
    values = [0.3, math.nan, 0.1, None, 0.2]
    trials = [{"id": str(i), "values": {}, "objective": v} for i, v in enumerate(values)]
    best = "0" if goal == "max" else "2"
    return {"objective": "valid/mig", "goal": goal, "trials": trials, "best": best}


def test_orders_by_goal_with_the_valueless_last():
    assert [t["id"] for t in search_block(search("max"), {})["trials"]] == list("04213")
    assert [t["id"] for t in search_block(search("min"), {})["trials"]] == list("24013")


@pytest.mark.parametrize(
    "goal, fresh, gap", [("max", 0.25, 0.05), ("max", 0.4, -0.1), ("min", 0.15, 0.05)]
)
def test_gap_is_positive_where_the_win_did_not_last(goal, fresh, gap):
    block = search_block(search(goal), {"valid": {"mig": fresh}, "metrics": {"mig": 9.0}})
    assert block["gap"] == pytest.approx(gap) and block["where"] == "validation"


def test_falls_back_to_the_test_sample_and_says_so():
    block = search_block(search("max"), {"metrics": {"mig": {"mean": 0.2, "values": [0.1, 0.3]}}})
    assert block["where"] == "test" and block["gap"] == pytest.approx(0.1)
    assert block["fresh"]["low"] is None
    assert search_block(search("max"), {})["gap"] is None
    assert search_block({}, {}) is None


def test_an_objective_of_training_is_read_from_its_last_lines():
    settings = search("min") | {"objective": "loss"}
    curves = [[{"step": 1, "loss": 9.0}, {"step": 2, "loss": last}] for last in (0.2, 0.4)]
    block = search_block(settings, {"metrics": {"loss": 5.0}}, curves)
    assert block["where"] == "training" and block["gap"] == pytest.approx(0.2)
    assert block["fresh"]["low"] < 0.2
