"""Order of trials and the sign of the winner's curse."""

import math

import pytest

from tests.report.searches import make_search
from tfkit.report.ranking import search_block
from tfkit.statistics import mean_interval


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
    curves = [[{"step": 1, "loss": 9.0}, {"step": 2, "loss": last}] for last in (0.2, 0.3, 0.4)]
    block = search_block(settings, {"metrics": {"loss": 5.0}}, curves)
    assert block["where"] == "training" and block["gap"] == pytest.approx(0.2)
    assert block["fresh"]["low"] < 0.2 and block["interval"].startswith("[")
    two = search_block(settings, {}, curves[:2])
    assert two["fresh"]["low"] is None and two["interval"] == "n=2"


def test_two_fresh_seeds_show_no_interval():
    found = make_search()
    for each in found["confirm"]["candidates"][:2]:
        each["fresh"] = mean_interval(each["fresh"]["values"][:2])
        each["metrics"] = {"mig": each["fresh"]}
    block = search_block(found, {})
    row = block["confirm"]["rows"][0]
    shown = [block["interval"], row["fresh"]["interval"], row["metrics"]["mig"]["interval"]]
    assert shown == ["n=2"] * 3
    assert row["strip"]["span"] is None and len(row["strip"]["values"]) == 2


def test_trials_of_a_smaller_budget_come_after_those_of_the_full_one():
    block = search_block(make_search(budgets=True, confirm=False), {})
    budgets = [t["budget"] for t in block["trials"] if t["objective"] is not None]
    full = budgets.count(900)
    assert full > 1 and set(budgets[:full]) == {900}
    values = [t["objective"] for t in block["trials"]][:full]
    assert values == sorted(values, reverse=True) and block["trials"][0]["best"]
    assert block["several_budgets"] and block["trials"][0]["origin"]


def test_the_confirmed_winner_is_who_won_not_who_led_the_search():
    found = make_search()
    winner = found["confirm"]["candidates"][1]
    block = search_block(found, {"valid": {"mig": 9.0}})
    assert block["winner"]["id"] == winner["id"] != found["best"]
    assert block["fresh"]["mean"] == winner["fresh"]["mean"] and block["where"] == "validation"
    assert block["gap"] == pytest.approx(winner["gap"])
    rows = block["confirm"]["rows"]
    assert [row["won"] for row in rows] == [False, True, False]
    assert rows[2]["fresh"] is None and rows[0]["fresh"]["interval"].startswith("[")
    strip = rows[0]["strip"]
    # on one scale with the mean, so that the gap can be seen
    first = found["confirm"]["candidates"][0]
    a_unit = (strip["span"][1] - strip["span"][0]) / (
        first["fresh"]["high"] - first["fresh"]["low"]
    )
    assert (strip["also"] - strip["mean"]) / a_unit == pytest.approx(first["gap"])
    assert all(0 <= place <= 100 for place in [*strip["values"], *strip["span"], strip["mean"]])


def test_what_did_not_complete_has_its_last_value_for_show_only():
    trials = [
        {"id": "0", "values": {"x": 1}, "objective": 0.1, "status": "completed"},
        {"id": "1", "values": {"x": 2}, "objective": None, "status": "diverged", "last": 0.9},
        {"id": "2", "values": {"x": 3}, "objective": None, "status": "running"},
    ]
    found = {"objective": "o", "goal": "max", "trials": trials, "best": "0"}
    block = search_block(found, {})
    assert [t["id"] for t in block["trials"]] == ["0", "1", "2"]
    assert block["trials"][1]["last"] == 0.9 and block["trials"][1]["objective"] is None
    assert block["states"] == "1 completed, 1 diverged, 1 running"


def test_pictures_need_something_to_show():
    bare = search_block({"objective": "o", "trials": [], "best": None}, {})
    assert bare["coordinates"] is None and bare["progress"] is None
    assert bare["importance"] == {"groups": [], "why": []}
    old = search(goal="max")  # no paths, no times
    assert search_block(old, {})["coordinates"] is None
