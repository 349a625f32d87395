"""What many models say together: by hand, on a terminal and on the page."""

import json

import numpy as np
import pytest

from tests.report.many_runs import make_run
from tfkit.report.board_pages import leaderboard_page
from tfkit.report.leaderboard import leaderboard
from tfkit.report.tables import leaderboard_text
from tfkit.statistics import variance_explained

SEEDS = [1, 2, 3]
FLOORS = {"ground truth": {"mig": 0.99}, "PCA": {"mig": 0.05}}


def mig(model, beta, seed):
    """The strength matters, the method does not, and seeds do a little."""
    return 0.1 + 0.05 * np.log2(beta) + 0.01 * ((seed * 7 + len(model)) % 3)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("study")
    generator = np.random.default_rng(0)
    shared = generator.normal(size=(60, 3))
    for model in ("beta_vae", "beta_tcvae"):
        for beta in (1.0, 16.0):
            for seed in SEEDS:
                value = float(mig(model, beta, seed))
                metrics = {
                    "mig": value,
                    "sap": value / 2,
                    "gaussian_tc": 3 - value,
                    "sampled_gaussian_tc": 1 / beta + 0.001 * seed,
                }
                name = f"{model}-{beta:g}"
                stamp = f"20260101-00000{seed}-aaaaaa"
                folder = make_run(root, name, metrics, model=model, beta=beta, stamp=stamp)
                evaluation = {"seed": seed, "split": "test", "metrics": metrics, "floors": FLOORS}
                (folder / "evaluation.json").write_text(json.dumps(evaluation))
                codes = shared if beta == 1 else generator.normal(size=(60, 3))
                np.savez(folder / "representation.npz", codes=codes, kl=np.ones(3))
    return root


@pytest.fixture(scope="module")
def board(root):
    return leaderboard([root])


def found(board):
    return board["study"]["data"]["dsprites"]


def row(rows, **wanted):
    return next(r for r in rows if all(r[key] == value for key, value in wanted.items()))


def test_words_make_methods_and_numbers_strengths(board):
    assert found(board)["models"] == 12
    assert sorted(found(board)["methods"]) == ["beta_tcvae", "beta_vae"]
    settings = [(s["method"], s["strength"], s["n"]) for s in found(board)["settings"]]
    assert settings == [
        ("beta_tcvae", "beta 1", 3),
        ("beta_tcvae", "beta 16", 3),
        ("beta_vae", "beta 1", 3),
        ("beta_vae", "beta 16", 3),
    ]


def test_distributions_are_over_strengths_and_seeds(board):
    own = row(found(board)["distributions"], metric="mig", method="beta_vae")
    values = [mig("beta_vae", beta, seed) for beta in (1, 16) for seed in SEEDS]
    assert own["n"] == 6 and own["median"] == pytest.approx(np.median(values))
    assert own["low"] == pytest.approx(np.percentile(values, 25))
    assert (own["min"], own["max"]) == pytest.approx((min(values), max(values)))


def test_variance_explained_and_correlation(board):
    own = row(found(board)["explained"], metric="mig")
    models = [(m, b, s) for m in ("beta_vae", "beta_tcvae") for b in (1, 16) for s in SEEDS]
    values = [mig(*model) for model in models]
    by_method = variance_explained(values, [model[0] for model in models])
    by_setting = variance_explained(values, [model[:2] for model in models])
    assert (own["method"], own["method_by_chance"]) == pytest.approx(by_method)
    assert (own["setting"], own["setting_by_chance"]) == pytest.approx(by_setting)
    assert own["setting"] > 0.9 > 0.1 > own["method"]
    names = found(board)["correlation"]["metrics"]
    matrix = np.array(found(board)["correlation"]["matrix"])
    assert matrix[names.index("mig"), names.index("sap")] == pytest.approx(1)
    assert matrix[names.index("mig"), names.index("gaussian_tc")] == pytest.approx(-1)


def test_models_that_agree_with_others_of_their_setting_have_a_high_udr(board):
    means = {s["strength"]: s["means"]["udr"] for s in found(board)["settings"]}
    assert means["beta 1"] > 0.85 > 0.6 > means["beta 16"]  # the lasso shrinks 1 to 0.9


def test_floors_and_transfer(board):
    floors = found(board)["floors"]
    assert {name: row["mig"] for name, row in floors.items()} == pytest.approx(
        {"ground truth": 0.99, "PCA": 0.05}
    )
    rows = {(r["metric"], r["data"]): r["value"] for r in board["study"]["transfer"]}
    assert rows["same", "same"] > 0.75  # a strong setting beats both weak ones, not always its twin


def test_text_and_page_show_them(board):
    text = leaderboard_text(board)
    for part in ("study of 12 models on dsprites", "(ground truth)", "variance explained", "udr"):
        assert part in text
    assert "choosing a setting by a score" in text and "gaussian_tc  sampled" in text
    page = leaderboard_page(board)
    assert page.count("<svg") >= 5 + 1 + 1 and "Variance explained" in page
    assert "Heat map of the rank correlations" in page


def test_a_broken_representation_costs_its_udr_only(root, board):
    path = next(root.glob("beta_vae-1/*/representation.npz"))
    kept = path.read_bytes()
    path.write_bytes(kept[:100])
    try:
        again = leaderboard([root])
    finally:
        path.write_bytes(kept)
    assert "udr" in again["study"]["data"]["dsprites"]["correlation"]["metrics"]
    own = row(found(again)["distributions"], metric="udr", method="beta_vae")
    assert own["n"] == 5 and found(again)["models"] == 12


def more_runs(
    tmp_path,
    change,
    values=(1, 2),
    metrics=lambda seed, value: {"mig": 0.1 * seed * value, "sap": 0.5},
):
    """Runs of one method that differ in one line of their recipe."""
    for value in values:
        for seed in (1, 2, 3, 4):
            stamp = f"2026010{value}-00000{seed}-aaaaaa"
            folder = make_run(tmp_path, "one", {}, stamp=stamp)
            text = (folder / "resolved.yaml").read_text()
            (folder / "resolved.yaml").write_text(change(text, value))
            known = {"seed": seed, "metrics": metrics(seed, value)}
            (folder / "evaluation.json").write_text(json.dumps(known))
    return leaderboard([tmp_path])


@pytest.mark.parametrize(
    ("change", "methods", "strengths"),
    [
        (lambda t, v: t.replace("batch_size: 64", f"batch_size: {32 * v}"), 1, 2),
        (lambda t, v: t.replace("beta: 4.0", f"beta: 4.0, hidden: [{v}]"), 2, 1),
        (lambda t, v: t.replace("beta: 4.0", f"beta: {'auto' if v == 1 else 0.1}"), 2, 1),
    ],
    ids=("batch size", "a list", "a word or a number"),
)
def test_whatever_differs_makes_another_setting(tmp_path, change, methods, strengths):
    known = found(more_runs(tmp_path, change))
    assert known["models"] == 8 and len(known["methods"]) == methods
    assert len({s["strength"] for s in known["settings"]}) == strengths


def test_what_only_one_method_has_is_not_said_twice(tmp_path):
    def change(text, value):
        given = "beta_vae, beta: 1" if value == 1 else "factor_vae, second_batch: false, gamma: 10"
        return text.replace("beta_vae, beta: 4.0", given)

    assert found(more_runs(tmp_path, change))["methods"] == ["beta_vae", "factor_vae"]


def test_one_metric_that_varies_and_one_model_without_another(tmp_path):
    def metrics(seed, value):
        return {"mig": 0.1 * seed * value, "sap": 0.5} | ({"kl": 1.0} if seed + value > 2 else {})

    board = more_runs(
        tmp_path, lambda t, v: t.replace("beta: 4.0", f"beta: {v}"), (1, 2, 3), metrics
    )
    assert found(board)["correlation"] == {"metrics": ["mig"], "matrix": [[pytest.approx(1)]]}
    assert row(found(board)["distributions"], metric="kl")["n"] == 11
    assert "study of 12 models" in leaderboard_text(board)
    leaderboard_page(board)


def test_few_runs_are_no_study(tmp_path):
    for seed in SEEDS:
        stamp = f"20260101-00000{seed}-aaaaaa"
        make_run(tmp_path, "one", {"mig": 0.1 * seed, "sap": 0.1}, stamp=stamp)
    assert leaderboard([tmp_path])["study"] is None
