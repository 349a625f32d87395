"""The report is one file that holds everything, for every state of a run."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

from tests.report.searches import make_search
from tfkit.errors import TfkitError, UsageError
from tfkit.figure import Figure
from tfkit.report import write


class Page(HTMLParser):
    """Tags with attributes, and the text of the page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def page_of(folder):
    return Page(write(folder).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def page(full_run):
    return page_of(full_run)


def test_contents_lead_to_every_section(page):
    targets = [a["href"][1:] for a in page.all("a")]
    assert targets == [s["id"] for s in page.all("section")]
    assert targets[:4] == ["summary", "search", "curves", "figures"]
    assert len(page.all("h1")) == 1 and len(page.all("h2")) == len(targets)


def test_nothing_comes_from_elsewhere(page):
    assert not page.all("script")
    for tag, attrs in page.tags:
        for name in ("src", "href", "xlink:href", "srcset", "action"):
            assert attrs.get(name, "#").startswith(("#", "data:")), (tag, attrs)
        assert not re.search(r"url\((?!#)", attrs.get("style", ""))
        assert not any(name.startswith("on") for name in attrs)


def test_every_picture_has_words(page):
    pictures = page.all("img") + [a for a in page.all("svg") if a.get("role") == "img"]
    assert len(page.all("img")) == 2 + 6
    assert len(pictures) == 8 + 4 + 4 + 4 + 1  # strips, other figures, cards, curves, search
    assert all(len(p.get("alt") or p.get("aria-label") or "") > 10 for p in pictures)


def test_summary_has_mean_interval_and_values(page):
    assert "mig 0.190 [0.140, 0.240] 0.170 0.210 0.190" in page.text
    assert "Mean over 3 training seeds" in page.text and "n=1" not in page.text


def test_one_seed_says_so(small_run):
    text = page_of(small_run).text
    assert "n=1" in text and "no interval" in text and "Mean over" not in text


def test_two_seeds_say_so(small_run):
    two = {"mean": 0.2, "low": -0.4, "high": 0.8, "values": [0.15, 0.25]}
    (small_run / "evaluation.json").write_text(
        json.dumps({"seeds": [1, 2], "split": "test", "metrics": {"mig": two}})
    )
    page = page_of(small_run)
    assert "Mean over 2 training seeds (n=2), too few for an interval." in page.text
    assert "mig 0.200 n=2 0.150 0.250" in page.text and "-0.4" not in page.text
    assert not [a for a in page.all("svg") if a.get("class") == "strip"]


def test_search_ranks_marks_and_measures_the_curse(page):
    text = page.text
    order = [text.index(row) for row in ("0003 best 8 0.23", "0001 5.4 0.21", "0000 1.62 0.08")]
    assert order == sorted(order) and order[-1] < text.index("0002 14.9 – diverged")
    assert "The objective uses labels (factors)" in text
    assert "winner in the search 0.23" in text and "on fresh seeds 0.185 [0.150, 0.220]" in text
    assert "winner’s curse 0.045" in text


def test_a_search_with_everything_in_it(small_run):
    found = make_search()
    (small_run / "search").mkdir()
    (small_run / "search" / "search.json").write_text(json.dumps(found))
    page = page_of(small_run)
    text = page.text
    assert "40 trials for the largest valid/mig , proposed by bayesian" in text
    assert "31 completed, 4 diverged, 3 failed, 1 pruned, 1 running" in text
    assert "not every fresh seed completed" in text and "over seeds 11, 12, 13, 14, 15" in text
    assert f"{found['confirm']['winner']} winner" in text
    assert "– last 0.031" in text and "OOM when allocating" in text
    assert re.search(r"learning_rate 9\d %", text) and "Best value against time" in text
    assert len([a for a in page.all("circle") if a.get("class") == "also"]) == 2
    names = [a["aria-label"] for a in page.all("svg") if a.get("role") == "img"]
    assert any(name.startswith("Parallel coordinates of 40 trials") for name in names)
    assert any(name.startswith("Best valid/mig against time") for name in names)


def test_trials_of_hyperband_show_budget_and_origin(small_run):
    (small_run / "search").mkdir()
    found = make_search(budgets=True, confirm=False)
    (small_run / "search" / "search.json").write_text(json.dumps(found))
    text = page_of(small_run).text
    assert f"{found['best']} best from" in text and "budget" in text and "on any budget" in text


def test_recipe_marks_what_differs(page):
    assert "beta 8.0 default 6.0" in page.text
    assert "epsilon 1e-08 default 1e-07" in page.text
    assert "kind conv decoder" in page.text  # a default is not marked


def test_tells_how_to_do_it_again(page, full_run):
    assert "git checkout 9caaea5d1c" in page.text
    assert f"tfkit run {full_run}/resolved.yaml" in page.text
    assert f"tfkit run {full_run}/search/best.yaml" in page.text
    assert "tfkit predict savedmodels/disentanglement-quick/1 --input FILE" in page.text
    assert "--set model.beta=8.0" in page.text  # argv, in the provenance
    assert "10 steps a second" in page.text


def test_diverged_and_interrupted_have_reports(small_run):
    (small_run / "evaluation.json").unlink()
    (small_run / "error.txt").write_text("loss is NaN at step 700")
    (small_run / "provenance.json").write_text(json.dumps({"status": "diverged"}))
    lines = (small_run / "metrics.jsonl").read_text().splitlines()
    lines.append('{"step": 1750, "loss": NaN}')
    (small_run / "metrics.jsonl").write_text("\n".join(lines) + '\n{"step": 2000, "lo')
    text = page_of(small_run).text
    assert "diverged" in text and "loss is NaN at step 700" in text
    assert "Nothing was evaluated yet" in text
    (small_run / "provenance.json").write_text(json.dumps({"status": "interrupted"}))
    assert f"tfkit run --resume {small_run}" in page_of(small_run).text


def test_uncommitted_changes_are_told(small_run):
    git = {"commit": "abc", "uncommitted_sha256": "ff"}
    (small_run / "provenance.json").write_text(json.dumps({"git": git}))
    assert "but for uncommitted changes git checkout abc" in page_of(small_run).text


def test_diverged_says_where(small_run):
    (small_run / "provenance.json").write_text(
        json.dumps({"status": "diverged", "diverged": {"step": 712, "tensor": "logvar"}})
    )
    assert "First seen at step 712 in logvar." in page_of(small_run).text


def test_stages_have_curves_of_their_own(small_run):
    rows = [{"step": s, "stage": n, "loss": 1.0 / s} for n in ("first", "second") for s in (1, 2)]
    (small_run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    timing = [row | {"seconds": 0.5, "steps_per_second": 2.0} for row in rows]
    (small_run / "timing.jsonl").write_text("".join(json.dumps(row) + "\n" for row in timing))
    text = page_of(small_run).text
    assert "first: loss" in text and "second: loss" in text
    assert "4 steps" in text and "2 steps a second (median), 2 seconds in all" in text


def test_figures_are_those_of_the_shown_seed(page):
    assert "Of seed 2, which is also the one to export." in page.text


def test_resolved_recipe_alone_is_enough(tmp_path):
    (tmp_path / "resolved.yaml").write_text("name: bare\n")
    assert "bare" in page_of(tmp_path).text


HOSTILE = "</title><script>alert(1)</script><img src=x onerror=alert(2)> $x_{ \" ' & -->"


def test_hostile_text_stays_text(small_run):
    quoted = json.dumps(HOSTILE)
    resolved = (small_run / "resolved.yaml").read_text()
    (small_run / "resolved.yaml").write_text(resolved.replace("name: small", f"name: {quoted}"))
    (small_run / "provenance.json").write_text(
        json.dumps(
            {"status": HOSTILE, "argv": [HOSTILE], HOSTILE: 1, "export": {"folder": HOSTILE}}
        )
    )
    (small_run / "evaluation.json").write_text(json.dumps({"metrics": {HOSTILE: 1.0}}))
    (small_run / "metrics.jsonl").write_text(json.dumps({"step": 1, HOSTILE: 2.0}) + "\n")
    (small_run / "error.txt").write_text(HOSTILE)
    (small_run / "figures").mkdir()
    labels = {"names": [HOSTILE], "y": HOSTILE, "series": [HOSTILE, HOSTILE]}
    Figure("bars", {"values": np.ones((2, 1))}, HOSTILE, HOSTILE, labels).save(
        small_run / "figures" / "bars.npz"
    )
    images = np.zeros((1, 2, 4, 4, 1))
    Figure("images", {"images": images}, HOSTILE, HOSTILE, {"rows": [HOSTILE]}).save(
        small_run / "figures" / "images.npz"
    )
    page = page_of(small_run)
    assert not page.all("script")
    assert all(a["src"].startswith("data:image/png") for a in page.all("img"))
    assert not any(name.startswith("on") for _, attrs in page.tags for name in attrs)
    assert page.text.count("<script>alert(1)</script>") >= 10


def test_same_files_same_bytes_and_nothing_left_over(small_run):
    first = write(small_run).read_bytes()
    assert write(small_run).read_bytes() == first
    assert not list(small_run.glob(".*"))


def test_unreadable_files_are_named(small_run, tmp_path):
    with pytest.raises(UsageError, match="no resolved.yaml"):
        write(tmp_path / "nowhere")
    (small_run / "evaluation.json").write_text("{")
    with pytest.raises(TfkitError, match="evaluation.json is not readable JSON"):
        write(small_run)
    (small_run / "evaluation.json").unlink()
    (small_run / "figures").mkdir()
    (small_run / "figures" / "x.npz").write_bytes(b"no zip")
    with pytest.raises(TfkitError, match="x.npz is not a readable figure"):
        write(small_run)


def test_needs_no_tensorflow(small_run):
    script = (
        "import sys; from tfkit.report import write; write(sys.argv[1]);"
        "print(sorted({'tensorflow', 'keras', 'pandas', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(small_run)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_every_metric_is_defined_as_its_evaluator_says(page):
    terms = [tag for tag, attrs in page.tags if tag == "dt"]
    assert terms and "mutual information gap" in page.text.lower()
