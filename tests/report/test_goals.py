"""Which way is better, and who says so."""

import pytest

from tfkit.errors import UsageError
from tfkit.report.goals import parse_goals, parse_scales, reading

MODEL = {"model": {"name": "beta_vae"}}
SEARCHED = {**MODEL, "search": {"objective": "valid/reconstruction", "goal": "max"}}


@pytest.mark.parametrize(
    "metric, recipe, goals, scales, goal, told, scale",
    [
        ("mig", MODEL, {}, {}, "max", "its evaluator", (0, 1)),
        ("valid/mig", MODEL, {}, {}, "max", "its evaluator", (0, 1)),
        ("mig", MODEL, {"mig": "min"}, {}, "min", "--goal", (1, 0)),
        ("reconstruction", MODEL, {}, {}, "min", "its evaluator", None),
        ("reconstruction", SEARCHED, {}, {}, "max", "the recipe's search", None),
        ("reconstruction", SEARCHED, {"reconstruction": "min"}, {}, "min", "--goal", None),
        ("reconstruction", SEARCHED, {}, {"reconstruction": (9, 1)}, "min", "--scale", (9, 1)),
        ("kl", MODEL, {"kl": "max"}, {}, "max", "--goal", None),
        ("other", {"model": {"name": "my:Model"}, "search": None}, {}, {}, "max", "assumed", None),
    ],
)
def test_the_nearest_source_decides(metric, recipe, goals, scales, goal, told, scale):
    got = reading(metric, [recipe], goals, scales)
    assert (got.goal, got.told, got.scale) == (goal, told, scale)


def test_scores_run_from_worst_to_best():
    assert reading("nll", [], {}, {"nll": (2.0, 0.0)}).score(0.5) == 0.75
    assert reading("x", [], {"x": "min"}).score(3.0) == -3.0
    assert reading("x", []).score(3.0) == 3.0


def test_contradictions_are_refused():
    with pytest.raises(UsageError, match="the worst comes first"):
        reading("x", [], {"x": "max"}, {"x": (1.0, 0.0)})
    searches = [{"search": {"objective": "x", "goal": goal}} for goal in ("max", "min")]
    with pytest.raises(UsageError, match="say --goal x=max"):
        reading("x", searches)


def test_what_is_typed():
    assert parse_goals(["a=b=max"]) == {"a=b": "max"}
    assert parse_scales(["nll=2.3,0"]) == {"nll": (2.3, 0.0)}
    for text in ("mig=larger", "min", "=min"):  # one goal for all would turn what is documented
        with pytest.raises(UsageError, match="--goal takes"):
            parse_goals([text])
    for text in ("mig", "mig=1", "mig=1,1", "=0,1", "mig=0,x", "mig=0,inf", "mig=nan,1"):
        with pytest.raises(UsageError, match="--scale takes"):
            parse_scales([text])
