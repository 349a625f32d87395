from pathlib import Path

import numpy as np
import pytest

from tfkit.metrics import infomec

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "disentanglement_metrics.npz")
ROWS = GOLDEN["idx_train"][:1500]
FACTORS = GOLDEN["states"][ROWS]


def score(name):
    return infomec(GOLDEN[f"codes_{name}"][ROWS], FACTORS)


def noisy(columns, rows=1500):
    """Classes with so little noise that each latent still tells its class."""
    generator = np.random.default_rng(0)
    classes = np.stack([generator.integers(0, size, rows) for size in (3, 4, 5)], axis=1)
    codes = classes[:, columns] + 0.01 * generator.normal(size=(rows, len(columns)))
    return codes, classes


def test_one_latent_a_factor_is_perfect_and_collapsed_latents_do_not_count():
    found = score("perfect")
    assert found["infom"] > 0.9 and found["infoc"] > 0.9 and found["infoe"] > 0.99
    assert found["active"].tolist() == [True] * 5 + [False] * 5
    assert np.isnan(found["normalized_information"][:, 5:]).all()
    assert found["infomec"] == pytest.approx(
        (found["infom"] + found["infoe"] + found["infoc"]) / 3, abs=1e-12
    )


def test_a_rotation_is_explicit_but_neither_modular_nor_compact():
    found = score("rotated")
    assert found["infom"] < 0.6 and found["infoc"] < 0.6 and found["infoe"] > 0.99


def test_two_latents_for_each_factor_are_modular_but_not_compact():
    found = infomec(*noisy([0, 0, 1, 1, 2, 2]))
    assert found["infom"] > 0.9
    assert found["infoc"] == pytest.approx((0.5 - 1 / 6) / (1 - 1 / 6), abs=0.05)


def test_normalized_information_of_a_copy_is_one():
    codes, factors = noisy([0, 1, 2])
    np.testing.assert_allclose(
        infomec(codes, factors)["normalized_information"], np.eye(3), atol=0.03
    )


def test_images_drawn_twice_change_little():
    codes, factors = noisy([0, 1, 2], 400)
    once, thrice = (
        infomec(codes, factors),
        infomec(np.tile(codes, (3, 1)), np.tile(factors, (3, 1))),
    )
    assert thrice["infom"] == pytest.approx(once["infom"], abs=1e-9)


def test_noise_tells_nothing():
    factors = noisy([0])[1]
    codes = np.random.default_rng(1).normal(size=(len(factors), 4))
    assert infomec(codes, factors)["infoe"] < 0.03


def test_one_factor_and_one_latent():
    codes, factors = noisy([0])
    found = infomec(codes, factors[:, :1])
    assert found["infom"] == found["infoc"] == 1.0


def test_constant_codes_and_constant_factors():
    codes, factors = noisy([0, 1])
    found = infomec(np.zeros_like(codes), factors)
    assert found["infom"] == found["infoc"] == 0.0 and found["infoe"] == pytest.approx(0, abs=1e-6)
    assert infomec(codes, np.c_[factors, 0 * factors[:, 0]])["infomec"] == pytest.approx(
        infomec(codes, factors)["infomec"]
    )


@pytest.mark.parametrize(
    ("codes", "factors", "message"),
    [
        (np.zeros((4, 2)), np.eye(4, 2, dtype=int), "at least 5 rows"),
        (np.zeros((9, 2)), np.zeros((9, 2), int), "one value only"),
        (np.full((9, 2), np.nan), np.eye(9, 2, dtype=int), "finite"),
        (np.zeros((9, 2)), np.eye(8, 2, dtype=int), r"\[N, D\] and \[N, K\]"),
    ],
)
def test_bad_input(codes, factors, message):
    with pytest.raises(ValueError, match=f"infomec: .*{message}"):
        infomec(codes, factors)


def test_latents_of_few_values():
    factors = np.random.default_rng(0).integers(0, 4, (2000, 3))
    found = infomec(factors[:, :2].astype("float32"), factors)
    np.testing.assert_allclose(found["normalized_information"], np.eye(3, 2), atol=0.01)
    one = infomec(np.c_[factors[:, 0], 0 * factors[:, 0]].astype("float32"), factors[:, :1])
    assert one["normalized_information"][0, 0] == pytest.approx(1)
