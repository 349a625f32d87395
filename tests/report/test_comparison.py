"""Two runs side by side."""

import math

import pytest

from tests.report.many_runs import make_run
from tfkit.errors import UsageError
from tfkit.report.board_pages import comparison_page
from tfkit.report.comparison import compare, comparison_rows
from tfkit.report.runs import Run, names_of
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
    b = make_run(tmp_path, "b", {"mig": [0.4, 0.3, 0.21]}, seeds=[3, 2, 1])
    (row,) = compare(a, b)["metrics"]
    assert row["seeds"] == [1, 2, 3]
    assert row["difference"] == pytest.approx(0.31 / 3) and row["high"] - row["low"] < 0.05


def test_seeds_that_only_one_run_has_turn_no_verdict(tmp_path):
    """Over the seven common seeds b is better every time; three more make a's mean the larger."""
    few = [0.10, 0.11, 0.12, 0.10, 0.11, 0.12, 0.13]
    a = make_run(tmp_path, "a", {"mig": [*few, 0.9, 0.9, 0.9]}, seeds=[*range(1, 8), 20, 21, 22])
    b = make_run(tmp_path, "b", {"mig": [0.20, 0.215, 0.22, 0.21, 0.205, 0.224, 0.236]})
    found = compare(a, b)
    (row,) = found["metrics"]
    assert row["better"] == "b" and row["improvement"] == 1 and row["difference"] > 0
    assert row["means"] == pytest.approx([sum(few) / 7, 0.2157142857])
    assert row["words"].startswith(
        "mig: b has the better mean, 0.216 against 0.113 (but 0.216 against 0.349 over all its "
        "seeds); b - a is 0.1"
    )
    assert "a run of b beats one of a with probability 1.00. More than chance" in row["words"]
    (note,) = found["notes"]
    assert "seed 20, 21, 22 is not in the other run" in note and note in comparison_text(found)


def test_nobody_says_which_way_is_better(tmp_path):
    one, other = [1.0, 1.1, 1.2, 1.3, 1.4, 1.5], [2.0, 2.3, 2.2, 2.5, 2.4, 2.6]
    a, b = make_run(tmp_path, "a", {"odd": one}), make_run(tmp_path, "b", {"odd": other})
    found = compare(a, b)
    words, text = found["metrics"][0]["words"], comparison_text(found)
    assert "b has the larger mean" in words and "better" not in words and "beats" not in words
    assert "larger is better (assumed)" in text and "--goal odd=min turns it" in text
    told = compare(a, b, goals={"odd": "min"})
    assert "a has the better mean" in told["metrics"][0]["words"] and told["notes"] == []
    assert "smaller is better (--goal)" in comparison_text(told)
    with pytest.raises(UsageError, match="--goal: no run has measured od; there is odd"):
        compare(a, b, goals={"od": "min"})


def test_equal_differences_leave_no_interval(tmp_path):
    values = [0.5, 0.75, 0.25, 0.5, 0.125, 0.0, 0.25]
    for n, said in ((3, "By sign flips so few seeds cannot give less than 0.25"), (7, "p = 0.016")):
        a = make_run(tmp_path / str(n), "a", {"mig": values[:n]})
        b = make_run(tmp_path / str(n), "b", {"mig": [v + 0.25 for v in values[:n]]})
        found = compare(a, b)
        (row,) = found["metrics"]
        assert row["low"] is None and row["tests"]["t"] == {"p": None, "holm": None}
        assert f"b - a is 0.25 over {n} common seeds" in row["words"] and said in row["words"]
        assert "no interval and no t test" in row["words"]
        assert f"0.25 (n={n})" in comparison_text(found) and comparison_page(found)


def test_only_what_is_tested_is_corrected_for(tmp_path):
    nan = [math.nan] * 6
    mig = [0.1, 0.2, 0.3, 0.15, 0.16, 0.17, 0.14]
    a = make_run(tmp_path, "a", {"mig": mig, "x": [*nan, 1.0]})
    b = make_run(tmp_path, "b", {"mig": [v + 0.1 + v**2 for v in mig], "x": [1.0] * 7})
    found = compare(a, b)
    assert "corrected" not in found["metrics"][0]["words"]
    assert "p = 0.016, by sign flips" in found["metrics"][0]["words"]
    assert "Holm’s" not in comparison_page(found)


def test_no_evidence_is_not_evidence_of_nothing(tmp_path):
    a = make_run(tmp_path, "a", {"mig": [0.1, 0.2, 0.3, 0.1, 0.2, 0.3]})
    b = make_run(tmp_path, "b", {"mig": [0.2, 0.1, 0.35, 0.05, 0.3, 0.2]})
    (row,) = compare(a, b)["metrics"]
    assert "Not told apart from chance at 5 %: p = " in row["words"]


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


def test_runs_are_called_by_what_tells_them_apart(tmp_path):
    def names(*folders, recipe="same"):
        runs = [Run(tmp_path / folder, {"name": recipe}, "finished") for folder in folders]
        return names_of(runs)

    assert names("a", "b") == ["a", "b"]
    assert names("sweep/f=0/seed_1", "sweep/f=1/seed_1") == ["f=0", "f=1"]
    assert names("s/f=0/g=1/seed_1", "s/f=1/g=2/seed_1") == ["f=0/g=1", "f=1/g=2"]
    one = [Run(tmp_path / "x", {"name": name}, "finished") for name in ("plain", "sieve")]
    assert names_of(one) == ["plain", "sieve"] and names_of(one[:1]) == ["plain"]
