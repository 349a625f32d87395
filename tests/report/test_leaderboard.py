"""Who stands where: methods, tasks, intervals, and that no run is dropped in silence."""

import math
import os

import numpy as np
import pytest

from tests.report.many_runs import make_house, make_run
from tfkit.errors import UsageError
from tfkit.report.board_pages import leaderboard_page
from tfkit.report.leaderboard import leaderboard
from tfkit.report.tables import leaderboard_rows, leaderboard_text
from tfkit.statistics import aggregate, bootstrap_interval, mean_interval

MIG = {
    ("tcvae", "dsprites"): [0.21, 0.25, 0.19, 0.28],
    ("tcvae", "shapes"): [0.41, 0.45, 0.39, 0.44],
    ("vae", "dsprites"): [0.12, 0.17, 0.15, 0.13],
    ("vae", "shapes"): [0.40, 0.36, 0.42, 0.35],
}


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    make_house(root)
    return root


@pytest.fixture(scope="module")
def board(house):
    return leaderboard([house])


def task(board, data, metric):
    return next(t for t in board["tasks"] if (t["data"], t["metric"]) == (data, metric))


def test_ranks_every_method_on_every_task(board):
    titles = [(t["data"], t["metric"]) for t in board["tasks"]]
    assert titles == [(d, m) for d in ("dsprites", "shapes") for m in ("mig", "elbo")]
    rows = task(board, "dsprites", "mig")["rows"]
    assert [(r["rank"], r["method"]) for r in rows] == [(1, "tcvae"), (2, "vae-small"), (3, "vae")]
    expected = mean_interval(MIG["tcvae", "dsprites"])
    assert {k: rows[0][k] for k in expected} == pytest.approx(expected)
    assert rows[0]["seeds"] == [1, 2, 3, 4] and len(rows[0]["runs"]) == 1


def test_two_seeds_have_no_interval(board):
    row = task(board, "dsprites", "mig")["rows"][1]
    assert row["n"] == 2 and row["low"] is None and row["high"] is None
    assert "vae-small  0.17 (n=2)" in leaderboard_text(board)


def test_aggregates_are_those_of_the_scores(board):
    found = board["aggregates"]
    assert found["tasks"] == ["dsprites / mig", "shapes / mig"]  # elbo has no bounds
    assert [row["method"] for row in found["rows"]] == ["tcvae", "vae"]
    scores = np.transpose([MIG["tcvae", "dsprites"], MIG["tcvae", "shapes"]])
    for name, value in aggregate(scores).items():
        low, high = bootstrap_interval(scores, statistic=name)
        expected = {"value": value, "low": low, "high": high}
        assert found["rows"][0][name] == pytest.approx(expected)
    assert found["missing"] == {"vae-small": ["has no shapes / mig"]}


def test_scales_bring_metrics_into_the_aggregates_and_turn_them(house):
    up = leaderboard([house], metrics=["elbo"], scales={"elbo": (-100, -50)})["aggregates"]
    assert up["rows"][0]["method"] == "vae"
    assert up["rows"][0]["mean"]["value"] == pytest.approx((11.625 / 50 + 44.6 / 50) / 2)
    down = leaderboard([house], metrics=["elbo"], scales={"elbo": (-50, -100)})
    assert down["aggregates"]["rows"][0]["method"] == "tcvae"
    assert task(down, "dsprites", "elbo")["rows"][0]["method"] == "vae-small"


def test_probability_of_improvement(board):
    found = board["improvement"]
    assert found["methods"] == ["tcvae", "vae"] and found["matrix"][0][0] is None
    pairs = [np.subtract.outer(MIG["tcvae", d], MIG["vae", d]) for d in ("dsprites", "shapes")]
    expected = np.mean([np.mean((p > 0) + 0.5 * (p == 0)) for p in pairs])
    assert found["matrix"][0][1] == pytest.approx(expected)
    assert found["matrix"][1][0] == pytest.approx(1 - expected)


def test_improvement_of_few_seeds_is_not_told(tmp_path):
    make_run(tmp_path, "a", {"mig": [0.1, 0.2]})
    make_run(tmp_path, "b", {"mig": [0.1, 0.2, 0.3]})
    board = leaderboard([tmp_path])
    assert board["improvement"]["matrix"] == [[None, None], [None, None]]
    assert "few seeds" in leaderboard_text(board)


def test_runs_without_metrics_are_listed(board):
    found = [(run["status"], run["method"], run["why"]) for run in board["uncounted"]]
    assert found == [
        ("diverged", "bad", "the loss became NaN at step 70"),
        ("interrupted", "slow", "tfkit run --resume goes on with it"),
    ]
    text = leaderboard_text(board)
    assert "diverged" in text and "interrupted" in text


def test_trials_and_replicates_are_no_runs_of_their_own(board):
    assert board["runs"] == 5 and "trial" not in leaderboard_text(board)


def test_broken_folders_do_not_hide_the_others(tmp_path):
    make_run(tmp_path, "a", {"mig": [0.1, 0.2, 0.3]})
    for name, file, text in [
        ("b", "evaluation.json", "{"),
        ("c", "evaluation.json", "[1]"),
        ("d", "resolved.yaml", "a: [1"),
    ]:
        (make_run(tmp_path, name) / file).write_text(text)
    board = leaderboard([tmp_path])
    assert board["runs"] == 1 and len(board["uncounted"]) == 3
    assert all(run["status"] == "unreadable" and run["why"] for run in board["uncounted"])


def test_what_is_not_finite_is_shown_and_counts_for_nothing(tmp_path):
    make_run(tmp_path, "a", {"mig": [0.1, math.nan, 0.3]})
    make_run(tmp_path, "b", {"mig": [0.1, 0.2, 0.3]})
    board = leaderboard([tmp_path])
    first, last = task(board, "dsprites", "mig")["rows"]
    assert first["method"] == "b" and last["rank"] is None and math.isnan(last["mean"])
    assert board["aggregates"]["missing"] == {"a": ["dsprites / mig is not finite"]}
    assert "nan (n=3)" in leaderboard_text(board) and "nan" in leaderboard_page(board)


def test_runs_of_one_method_are_put_together_and_the_newer_counts(tmp_path):
    make_run(tmp_path, "a", {"mig": [0.5, 0.6]}, seeds=[1, 2])
    newer = {"stamp": "20260301-000000-bbbbbb"}
    make_run(tmp_path, "a", {"mig": [0.1, 0.2]}, seeds=[2, 3], **newer)
    board = leaderboard([tmp_path])
    row = task(board, "dsprites", "mig")["rows"][0]
    assert row["values"] == [0.5, 0.1, 0.2] and row["seeds"] == [1, 2, 3]
    assert any("seed 2 is counted from the newer" in note for note in board["notes"])


def test_by_pools_what_it_is_told_to_and_says_so(tmp_path):
    make_run(tmp_path, "a", {"mig": [0.5, 0.6, 0.5]}, beta=1.0)
    make_run(tmp_path, "a", {"mig": [0.1, 0.2]}, seeds=[4, 5], beta=8.0, stamp="20270101-000000-b")
    board = leaderboard([tmp_path], by=["name"])
    assert any("model.beta: 1.0 -> 8.0" in n and "--by model.beta" in n for n in board["notes"])
    apart = leaderboard([tmp_path], by=["model.name", "model.beta"])
    methods = [row["method"] for row in task(apart, "dsprites", "mig")["rows"]]
    assert methods == ["beta_vae, 1.0", "beta_vae, 8.0"]
    assert not any("--by" in note for note in apart["notes"])


def test_recipes_of_one_name_are_told_apart_by_what_differs(tmp_path):
    for seed in (1, 2, 3):  # as a sweep leaves them: a run for each point and seed
        for beta in (1.0, 8.0):
            for data, sha in (("dsprites", "ab"), ("shapes", "cd")):
                stamp = f"beta-{beta}-{data}-{seed}"
                own = {"beta": beta, "data": data, "sha": sha, "stamp": stamp, "seeds": seed}
                make_run(tmp_path, "sweep", {"mig": beta / 10 + seed / 100}, **own)
    board = leaderboard([tmp_path])
    assert board["notes"] == []
    for data in ("dsprites", "shapes"):
        rows = task(board, data, "mig")["rows"]
        assert [(r["method"], r["n"]) for r in rows] == [
            ("sweep beta=8.0", 3),
            ("sweep beta=1.0", 3),
        ]
        assert rows[0]["mean"] == pytest.approx(0.82) and rows[0]["low"] is not None


def test_other_data_of_the_same_name_are_another_task(tmp_path):
    make_run(tmp_path, "a", {"mig": 0.5})
    make_run(tmp_path, "b", {"mig": 0.5}, options=", image_size: 32")
    make_run(tmp_path, "c", {"mig": 0.5}, data="images", sha="11")
    make_run(tmp_path, "d", {"mig": 0.5}, data="images", sha="22")
    make_run(tmp_path, "e", {"mig": 0.5}, options=", path: /elsewhere")  # the same content
    names = [t["data"] for t in leaderboard([tmp_path])["tasks"]]
    assert names == [
        "dsprites image_size=32",
        "dsprites image_size=null",
        "images 11111111",
        "images 22222222",
    ]


def test_other_ways_to_measure_are_told(tmp_path):
    make_run(tmp_path, "a", {"mig": 0.5})
    make_run(tmp_path, "b", {"mig": 0.5}, samples=100)
    notes = leaderboard([tmp_path])["notes"]
    assert any("different evaluate.samples (100, 10000)" in note for note in notes)


def test_validation_metrics_are_shown_where_asked_for(tmp_path):
    make_run(tmp_path, "a", {"mig": [0.1, 0.2, 0.3]}, valid={"valid/mig": [0.4, 0.5, 0.6]})
    assert [t["metric"] for t in leaderboard([tmp_path])["tasks"]] == ["mig"]
    asked = leaderboard([tmp_path], metrics=["valid/mig"])
    assert [t["metric"] for t in asked["tasks"]] == ["valid/mig"]
    assert asked["tasks"][0]["rows"][0]["mean"] == pytest.approx(0.5)


def test_refuses_what_is_not_there(house, tmp_path):
    with pytest.raises(UsageError, match="there is no folder"):
        leaderboard([tmp_path / "none"])
    with pytest.raises(UsageError, match="there is no run below"):
        leaderboard([tmp_path])
    with pytest.raises(UsageError, match="no run has measured accuracy; there is elbo, mig"):
        leaderboard([house], metrics=["accuracy"])


def test_a_folder_named_twice_counts_once(house):
    assert leaderboard([house, house / "vae"])["runs"] == 5


def test_rows_hold_every_score(board):
    rows = leaderboard_rows(board)
    assert len(rows) == 2 * (4 + 4 + 2) + 2 * (4 + 4)
    first = {"method": "tcvae", "data": "dsprites", "metric": "mig", "goal": "max"}
    assert rows[0] == {**first, "seed": 1, "value": 0.21, "rank": 1}


def test_the_page_says_it_all(board):
    page = leaderboard_page(board)
    for words in ("Over all tasks", "Who beats whom", "vae-small", "n=2", "diverged", "optimality"):
        assert words in page
    assert "<script" not in page and "http" not in page.split("</style>")[1]
    assert page.count('class="strip"') == 3 + 3 + 2 + 2


def test_hostile_names_stay_text(tmp_path):
    make_run(tmp_path, "'<script>alert(1)</script>'".replace("/", "_"), {"<b>": [1.0, 2.0, 3.0]})
    page = leaderboard_page(leaderboard([tmp_path]))
    assert "<script>" not in page and "<b>" not in page.split("<main>")[1]


def test_many_tasks_are_counted_not_named(tmp_path):
    for number in range(7):
        make_run(tmp_path, f"{number}", {"mig": 0.5}, data=f"d{number}", model="beta_vae")
        make_run(tmp_path, f"x{number}", {"mig": 0.4}, data=f"d{number}", beta=1.0)
    board = leaderboard([tmp_path], by=["model.beta"])
    assert "over 7 tasks, scores" in leaderboard_text(board) and "1 (best)\n" in leaderboard_text(
        board
    )
    assert "to 1 (best) on 7 tasks." in leaderboard_page(board)


SHAPES = {"data": "shapes", "sha": "cd", "stamp": "20260102-000000-bbbbbb"}


def test_seeds_that_only_one_task_has_are_told_and_count_where_they_can(tmp_path):
    a = [0.1, 0.1, 0.1, 0.9, 0.9, 0.9, 0.9, 0.9]
    make_run(tmp_path, "a", {"mig": a})
    make_run(tmp_path, "b", {"mig": [0.4, 0.4, 0.4]})
    for name in "ab":
        make_run(tmp_path, name, {"mig": [0.1, 0.2, 0.3]}, **SHAPES)
    board = leaderboard([tmp_path])
    found = board["improvement"]
    assert found["methods"] == ["a", "b"]
    assert found["matrix"][0][1] == pytest.approx((5 / 8 + 1 / 2) / 2), "all runs, not the first"
    assert [row["n"] for row in board["aggregates"]["rows"]] == [3, 3]
    (note,) = board["notes"]
    assert note.startswith("a: seeds that not every task has are not in the aggregates")
    assert note.endswith("which count 3 a task: 5 of 8 on dsprites / mig")


def test_aggregates_take_the_common_seeds(tmp_path):
    make_run(tmp_path, "a", {"mig": [0.9, 0.1, 0.2, 0.3]}, seeds=[1, 2, 3, 4])
    make_run(tmp_path, "a", {"mig": [0.3, 0.2, 0.1]}, seeds=[4, 3, 2], **SHAPES)
    (row,) = leaderboard([tmp_path])["aggregates"]["rows"]
    assert row["n"] == 3 and row["mean"]["value"] == pytest.approx(0.2)


def test_a_metric_has_one_goal_on_all_data(tmp_path):
    own = {"search": "{objective: valid/odd, goal: min}"}
    for name, values in (("a", [1.0, 2.0, 3.0]), ("b", [2.0, 3.0, 4.0])):
        make_run(tmp_path, name, {"odd": values}, **(own if name == "a" else {}))
        make_run(tmp_path, name, {"odd": values}, **SHAPES)
    board = leaderboard([tmp_path], metrics=["odd"])
    assert [(t["goal"], t["told"]) for t in board["tasks"]] == [("min", "the recipe's search")] * 2
    assert [t["rows"][0]["method"] for t in board["tasks"]] == ["a", "a"]


def test_a_stray_run_empties_no_table(tmp_path):
    for name, value in (("a", 0.1), ("b", 0.2), ("c", 0.3)):
        make_run(tmp_path, name, {"mig": [value, value + 0.01, value + 0.03]})
    make_run(tmp_path, "odd", {"mig": [0.5, 0.4, 0.3]}, **SHAPES)
    board = leaderboard([tmp_path])
    assert [row["method"] for row in board["aggregates"]["rows"]] == ["c", "b", "a"]
    assert board["aggregates"]["missing"] == {} and len(board["improvement"]["methods"]) == 3
    assert board["notes"] == ["shapes / mig: only odd has it, so it is not in the aggregates"]


def test_where_no_method_has_all_tasks_that_is_said(tmp_path):
    for name, data in (("a", "x"), ("b", "x"), ("b", "y"), ("c", "y"), ("a", "z"), ("c", "z")):
        make_run(tmp_path, name, {"mig": 0.5}, data=data, sha=data * 2, stamp=f"s-{data}")
    board = leaderboard([tmp_path])
    text = leaderboard_text(board)
    assert board["aggregates"]["rows"] == [] and "optimality" not in text
    assert "no method has them all\n  a is not here: has no y / mig" in text
    assert "No method has them all." in leaderboard_page(board)


@pytest.mark.parametrize(
    "asked, said",
    [
        ({"goals": {"ellbo": "min"}}, "--goal: no run has measured ellbo; there is elbo, mig"),
        ({"scales": {"foo": (0, 1)}}, "--scale: no run has measured foo"),
        ({"by": ["model.nam"]}, "--by: no run's recipe has model.nam"),
        ({"metrics": ["mig", "foo"]}, "--metric: no run has measured foo"),
    ],
)
def test_a_typo_does_not_count_for_nothing(house, asked, said):
    with pytest.raises(UsageError, match=said):
        leaderboard([house], **asked)


def test_equal_means_share_a_rank(tmp_path):
    for name, values in (("a", [0.1, 0.2, 0.3]), ("b", [0.3, 0.2, 0.1]), ("c", [0.0, 0.1, 0.1])):
        make_run(tmp_path, name, {"mig": values})
    rows = task(leaderboard([tmp_path]), "dsprites", "mig")["rows"]
    assert [(row["method"], row["rank"]) for row in rows] == [("a", 1), ("b", 1), ("c", 3)]


def test_a_diverged_point_of_a_sweep_is_named(tmp_path):
    for beta in (1.0, 4.0):
        stamp = f"2026010{beta:.0f}-000000-aaaaaa"
        make_run(tmp_path, "strengths", {"mig": [0.1, 0.2, 0.3]}, beta=beta, stamp=stamp)
    bad = {"beta": 16.0, "stamp": "20260109-000000-aaaaaa", "status": "diverged", "error": "NaN"}
    make_run(tmp_path, "strengths", **bad)
    board = leaderboard([tmp_path])
    assert [run["method"] for run in board["uncounted"]] == ["strengths beta=16.0"]
    assert "diverged  strengths beta=16.0  " in leaderboard_text(board)


def test_links_are_followed_once(tmp_path):
    make_run(tmp_path / "disk", "a", {"mig": [0.1, 0.2, 0.3]})
    make_run(tmp_path / "disk", "b", {"mig": [0.1, 0.2, 0.3]})
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "a").symlink_to(tmp_path / "disk" / "a")
    (tmp_path / "runs" / "round").symlink_to(tmp_path / "runs")
    assert leaderboard([tmp_path / "runs"])["runs"] == 1
    assert leaderboard([tmp_path / "runs", tmp_path / "disk"])["runs"] == 2


def test_folders_that_cannot_be_read_are_listed(tmp_path, monkeypatch):
    make_run(tmp_path, "a", {"mig": [0.1, 0.2, 0.3]})
    closed, scandir = make_run(tmp_path, "b", {"mig": [0.1, 0.2, 0.3]}).parent, os.scandir

    def refusing(path):
        if os.fspath(path) == str(closed):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr("os.scandir", refusing)
    (found,) = leaderboard([tmp_path])["uncounted"]
    assert found["run"] == str(closed) and found["why"] == "Permission denied"


@pytest.mark.parametrize("seeds", [[[1], [2]], "12", {"a": 1}, ["1", "2"]])
def test_seeds_that_are_none_hide_no_other_run(tmp_path, seeds):
    make_run(tmp_path, "a", {"mig": [0.1, 0.2, 0.3]})
    make_run(tmp_path, "b", {"mig": [0.1, 0.2]}, seeds=seeds)
    board = leaderboard([tmp_path])
    assert board["runs"] == 1 and "no list of whole numbers" in board["uncounted"][0]["why"]


def test_what_must_be_known_of_a_method_stands_beside_its_numbers(tmp_path):
    labels, scores = "group labels used", {"worst_group": [0.5, 0.6, 0.7]}
    make_run(tmp_path, "dro", scores, facts={labels: "training"})
    make_run(tmp_path, "erm", scores, facts={labels: "none"})
    make_run(tmp_path, "erm", scores, facts={labels: "validation"}, stamp="20260102-000000-aaaaaa")
    make_run(tmp_path, "own", scores)
    board = leaderboard([tmp_path], by=["name"])
    known = {row["method"]: row["facts"].get(labels) for row in board["tasks"][0]["rows"]}
    assert known == {"dro": "training", "erm": "validation", "own": None}
    text, page = leaderboard_text(board), leaderboard_page(board)
    assert f"{labels}: training" in text and f"{labels}: –" in text
    assert f'<th scope="col">{labels}</th>' in page and "<td>training</td>" in page
    assert {row.get(labels) for row in leaderboard_rows(board)} == {"training", "validation", None}
