from pathlib import Path

import numpy as np
import pytest

from tfkit.metrics import dci, dci_es
from tfkit.metrics.loss_capacity import DEPTHS, probe_explicitness

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "disentanglement_metrics.npz")


def world(rows=600, seed=0):
    """Three factors of three classes, as codes with a little noise."""
    generator = np.random.default_rng(seed)
    factors = generator.integers(0, 3, (rows, 3))
    return factors + 0.05 * generator.normal(size=factors.shape), factors


def test_what_a_small_probe_reads_is_explicit_and_a_rotation_is_less_so():
    rows, factors = GOLDEN["idx_train"][:800], GOLDEN["states"]
    plain, turned = (
        probe_explicitness(GOLDEN[f"codes_{name}"][rows], factors[rows], workers=1)
        for name in ("perfect", "rotated")
    )
    assert plain["explicitness"] > turned["explicitness"] + 0.1
    assert plain["losses"].shape == (5, len(DEPTHS)) and plain["losses"].max() < 0.5


def test_is_the_area_below_the_reported_curve_by_hand():
    codes, factors = world()
    losses = probe_explicitness(codes, factors, workers=1)["losses"]
    # the definition by hand, on the curve that was reported
    held = np.random.RandomState(0).permutation(len(codes))[: len(codes) // 3]
    kept = np.setdiff1d(np.arange(len(codes)), held)
    scores = []
    for curve, kept_k, held_k in zip(losses, factors[kept].T, factors[held].T, strict=True):
        baseline = np.mean(held_k != np.bincount(kept_k).argmax())
        above = curve - curve.min()
        scores.append(1 - np.sum((above[1:] + above[:-1]) / 2) / (5 * baseline / 2))
    assert probe_explicitness(codes, factors, workers=1)["explicitness"] == pytest.approx(
        np.mean(scores), abs=1e-12
    )


def test_noise_is_no_better_read_by_larger_probes():
    factors = world()[1]
    codes = np.random.default_rng(5).normal(size=(600, 3))
    found = probe_explicitness(codes, factors, workers=1)
    assert found["losses"].min() > 0.5


def test_has_the_parts_of_dci_and_the_size():
    codes, factors = world(300)
    wide = np.c_[codes, codes]
    found, known = dci_es(wide, factors, workers=1), dci(wide, factors, workers=1)
    assert found["disentanglement"] == known["disentanglement"]
    assert found["completeness"] == known["completeness"]
    assert found["informativeness"] == known["informativeness_test"]
    assert found["size"] == 0.5 and found["method"] == "exact"
    parts = ("disentanglement", "completeness", "informativeness", "explicitness")
    assert found["dci_es"] == pytest.approx(np.mean([found[part] for part in parts]), abs=1e-12)


def test_a_factor_of_one_class_is_left_out():
    codes, factors = world(200)
    known = probe_explicitness(codes, factors, workers=1)["explicitness"]
    more = np.c_[factors, np.zeros(200, int)]
    assert probe_explicitness(codes, more, workers=1)["explicitness"] == known


def test_bad_input():
    codes, factors = world(30)
    with pytest.raises(ValueError, match="workers must be >= 1"):
        dci_es(codes, factors, workers=0)
    with pytest.raises(ValueError, match="one value only"):
        dci_es(codes, 0 * factors)
    with pytest.raises(ValueError, match="method"):
        dci_es(codes, factors, method="quick")
