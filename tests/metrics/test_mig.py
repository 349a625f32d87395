import json
from pathlib import Path

import numpy as np
import pytest

from tfkit.metrics import mutual_information_gap
from tfkit.metrics.histograms import discretized, factor_entropies, mutual_information

GOLDEN = Path(__file__).parents[1] / "golden"
ARRAYS = np.load(GOLDEN / "disentanglement_metrics.npz")
NUMBERS = json.loads((GOLDEN / "disentanglement_metrics.json").read_text())["representations"]
ROWS = ARRAYS["idx_train"]


@pytest.mark.parametrize("name", list(NUMBERS))
def test_golden(name):
    codes, factors = ARRAYS[f"codes_{name}"][ROWS], ARRAYS["states"][ROWS]
    np.testing.assert_allclose(
        mutual_information(codes, factors), ARRAYS[f"mi_{name}"], rtol=0, atol=1e-6
    )
    np.testing.assert_allclose(factor_entropies(factors), NUMBERS[name]["factor_entropy"])
    assert abs(mutual_information_gap(codes, factors) - NUMBERS[name]["mig"]) < 1e-6


def every_state(sizes=(4, 5, 6)):
    return np.stack([axis.ravel() for axis in np.indices(sizes)], axis=1)


def test_one_latent_per_factor_scores_one():
    factors = every_state()
    assert mutual_information_gap(factors.astype(float), factors) == pytest.approx(1.0)


def test_duplicated_latents_score_zero():
    factors = every_state()
    codes = np.concatenate([factors, factors], axis=1).astype(float)
    assert mutual_information_gap(codes, factors) == pytest.approx(0.0, abs=1e-12)


def test_collapsed_latents_tell_nothing():
    factors = every_state()
    assert mutual_information_gap(np.zeros((len(factors), 3)), factors) == 0.0


def test_scale_and_order_of_latents_and_class_numbers_do_not_matter():
    generator = np.random.default_rng(0)
    factors = generator.integers(0, 5, (500, 3))
    codes = factors[:, [0, 1, 2, 0]] + generator.normal(size=(500, 4))
    score = mutual_information_gap(codes, factors)
    assert mutual_information_gap(codes[:, [3, 1, 0, 2]] * 8 + 2, factors) == pytest.approx(score)
    assert mutual_information_gap(codes, factors * 1000 - 7) == pytest.approx(score)
    assert 0.01 < score < 0.9


def test_a_factor_that_never_changes_is_left_out():
    factors = every_state()
    constant = np.concatenate([factors, np.full((len(factors), 1), 3)], axis=1)
    assert mutual_information_gap(factors.astype(float), constant) == pytest.approx(1.0)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.uint8])
def test_class_numbers_may_be_of_any_type(dtype):
    factors = every_state()
    codes = np.random.default_rng(1).normal(size=(len(factors), 3)) + factors
    expected = mutual_information_gap(codes, factors)
    assert mutual_information_gap(codes, factors.astype(dtype)) == expected


def test_the_maximum_falls_into_the_last_bin():
    bins = discretized(np.array([[0.0], [0.049], [0.05], [0.999], [1.0]]), 20)
    assert bins.ravel().tolist() == [0, 0, 1, 19, 19]


@pytest.mark.parametrize(
    ("codes", "factors", "message"),
    [
        (np.zeros((4, 2)), np.zeros((3, 1), int), r"\[N, D\] and \[N, K\], got \(4, 2\)"),
        (np.zeros((4, 1)), np.arange(4)[:, None], "at least 2 latents"),
        (np.full((4, 2), np.nan), np.arange(4)[:, None], "finite"),
        (np.zeros((4, 2)), np.array([[0.0], [1.0], [2.5], [3.0]]), "integers, got float64"),
        (np.zeros((4, 2)), np.array([[0.0], [1.0], [np.nan], [3.0]]), "integers, got float64"),
        (np.zeros((4, 2)), np.array([[0.0], [1.0], [np.inf], [3.0]]), "integers, got float64"),
        (np.zeros((4, 2)), np.zeros((4, 1), int), "every factor has one value"),
    ],
)
def test_bad_arguments(codes, factors, message):
    with pytest.raises(ValueError, match=message):
        mutual_information_gap(codes, factors)


def test_too_few_bins():
    with pytest.raises(ValueError, match="bins must be >= 2, got 1"):
        mutual_information_gap(every_state().astype(float), every_state(), bins=1)
