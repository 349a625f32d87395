"""Two runs side by side."""

import math

import pytest

from tests.report.many_runs import make_run
from tfkit.errors import UsageError
from tfkit.report.board_pages import comparison_page
from tfkit.report.comparison import compare, comparison_rows
from tfkit.report.tables import comparison_text
from tfkit.statistics import holm, paired_tests, probability_of_improvement

A = {"mig": [0.21, 0.25, 0.19, 0.28, 0.24, 0.22], "elbo": [-92.0, -90.5, -93.1, -91.0, -92.2, -91]}
B = {"mig": [0.12, 0.17, 0.15, 0.13, 0.11, 0.16], "elbo": [-92.5, -90.1, -93.0, -91.4, -92.0, -91]}


@pytest.fixture
def pair(tmp_path):
    return make_run(tmp_path, "tcvae", A, model="beta_tcvae"), make_run(tmp_path, "vae", B)


def test_pairs_the_seeds(pair):
    found = compare(*pair)
    mig, elbo = found["metrics"]
    expected = paired_tests(B["mig"], A["mig"])
    for key in ("difference", "low", "high", "least"):
        assert mig[key] == pytest.approx(expected[key])
    other = paired_tests(B["elbo"], A["elbo"])
    for test in ("t", "wilcoxon", "sign_flip"):
        adjusted = holm([expected[test], other[test]])
        assert mig["tests"][test] == pytest.approx({"p": expected[test], "holm": adjusted[0]})
    chance = probability_of_improvement([[v] for v in B["mig"]], [[v] for v in A["mig"]])
    assert mig["improvement"] == chance == 0 and mig["better"] == "a"
    assert elbo["better"] == "b" if sum(B["elbo"]) > sum(A["elbo"]) else "a"


def test_seeds_are_paired_by_number_not_by_place(tmp_path):
    a = make_run(tmp_path, "a", {"mig": [0.1, 0.2, 0.3, 0.9]}, seeds=[1, 2, 3, 9])
    b = make_run(tmp_path, "b", {"mig": [0.4, 0.3, 0.2]}, seeds=[3, 2, 1])
    (row,) = compare(a, b)["metrics"]
    assert row["seeds"] == [1, 2, 3]
    assert row["difference"] == pytest.approx(0.1) and row["high"] - row["low"] < 1e-9


def test_says_what_differs_in_the_recipes(pair):
    changes = {c["path"]: (c["old"], c["new"]) for c in compare(*pair)["changes"]}
    assert changes["model.name"] == ("beta_tcvae", "beta_vae") and "train.steps" not in changes
    assert "model.name  beta_tcvae -> beta_vae" in comparison_text(compare(*pair))


def test_words_say_no_more_than_the_seeds_can(tmp_path, pair):
    words = compare(*pair, metrics=["mig"])["metrics"][0]["words"]
    assert words.startswith(
        "mig: tcvae has the better mean, 0.232 against 0.140; vae - tcvae is -0."
    )
    assert (
        "over 6 common seeds" in words and "tcvae beats one of vae with probability 1.00" in words
    )
    assert words.endswith("More than chance would do at 5 %: p = 0.031, by sign flips.")
    both = compare(*pair)["metrics"][0]["words"]  # two metrics: 0.0625 at the least
    assert "If differences are normal, p" in both and "cannot give less than 0.062" in both


def test_no_difference_is_no_winner(tmp_path):
    values = {"mig": [0.1, 0.2, 0.3, 0.1, 0.2, 0.3]}
    a, b = make_run(tmp_path, "a", values), make_run(tmp_path, "b", values)
    (row,) = compare(a, b)["metrics"]
    assert row["better"] is None and row["words"] == "mig: equal means."
    assert row["tests"]["t"]["p"] == 1 and row["improvement"] == 0.5


def test_a_small_metric_is_turned(pair):
    rows = compare(*pair, goals={"mig": "min"})["metrics"]
    assert rows[0]["better"] == "b" and rows[0]["improvement"] == 1
    assert rows[0]["difference"] < 0 and "vae has the better mean, 0.140" in rows[0]["words"]


@pytest.mark.parametrize(
    "values, seeds, said",
    [
        ([0.1, 0.2], [1, 2], "n=2, so nothing is tested"),
        ([0.1, 0.2, 0.3], [7, 8, 9], "no seed is common, so nothing is paired"),
    ],
)
def test_few_common_seeds_are_not_tested(tmp_path, values, seeds, said):
    a = make_run(tmp_path, "a", {"mig": [0.3, 0.4, 0.5]})
    b = make_run(tmp_path, "b", {"mig": values}, seeds=seeds)
    found = compare(a, b)
    (row,) = found["metrics"]
    assert row["tests"] is None and row["low"] is None and said in row["words"]
    assert said[:4] in comparison_text(found)
    assert comparison_page(found)


def test_runs_of_one_seed_compare(tmp_path):
    a, b = (make_run(tmp_path, n, {"mig": v}) for n, v in (("a", 0.3), ("b", 0.1)))
    (row,) = compare(a, b)["metrics"]
    assert row["difference"] == pytest.approx(-0.2) and row["improvement"] is None


def test_what_is_not_finite_is_left_out_and_told(tmp_path):
    a = make_run(tmp_path, "a", {"mig": [0.3, 0.4, 0.5, math.nan]})
    b = make_run(tmp_path, "b", {"mig": [0.1, 0.2, 0.2, 0.3]})
    found = compare(a, b)
    assert found["metrics"][0]["seeds"] == [1, 2, 3] and found["metrics"][0]["better"] is None
    assert any("seed 4 is not finite" in note for note in found["notes"])


def test_other_data_and_other_measuring_are_told(tmp_path):
    a = make_run(tmp_path, "a", {"mig": [0.3, 0.4, 0.5]})
    b = make_run(tmp_path, "b", {"mig": [0.3, 0.4, 0.5]}, sha="ff", samples=10)
    notes = compare(a, b)["notes"]
    assert "different data" in notes[0] and "different evaluate.samples" in notes[1]


def test_refuses(tmp_path, pair):
    with pytest.raises(UsageError, match="is no run folder"):
        compare(pair[0], tmp_path)
    bad = make_run(tmp_path, "bad", status="diverged", error="NaN at step 7")
    with pytest.raises(
        UsageError, match=r"no metrics to compare: it is diverged \(NaN at step 7\)"
    ):
        compare(pair[0], bad)
    other = make_run(tmp_path, "other", {"accuracy": [0.9]})
    with pytest.raises(UsageError, match="no metric in common; .*has mig, elbo.*has accuracy"):
        compare(pair[0], other)
    with pytest.raises(UsageError, match="not measured in both runs: accuracy"):
        compare(pair[0], other, metrics=["accuracy"])


def test_rows_hold_every_value(pair):
    rows = comparison_rows(compare(*pair))
    assert len(rows) == 2 * 2 * 6
    assert rows[0] == {
        "metric": "mig", "goal": "max", "run": str(pair[0]), "seed": 1, "value": 0.21
    }  # fmt: skip


def test_the_page_says_it_all(pair):
    page = comparison_page(compare(*pair))
    assert "tcvae and vae" in page and "In words" in page and "p Wilcoxon" in page
    assert "<script" not in page and page.count('class="strip"') == 4
