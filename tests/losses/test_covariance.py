import json
from pathlib import Path

import numpy as np
import pytest

from tfkit.losses import dip_regularizer

GOLDEN = Path(__file__).parents[1] / "golden"
ARRAYS = np.load(GOLDEN / "disentanglement_losses.npz")
NUMBERS = json.loads((GOLDEN / "disentanglement_losses.json").read_text())
RATIO = {"i": 10, "ii": 1}


def codes_of_covariance(matrix):
    """2 D rows with mean zero and exactly that biased covariance."""
    rows = np.concatenate([np.eye(len(matrix)), -np.eye(len(matrix))]) * np.sqrt(len(matrix))
    return rows @ np.linalg.cholesky(matrix + 1e-15 * np.eye(len(matrix))).T


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-10), (np.float32, 1e-5)])
@pytest.mark.parametrize("kind", ("i", "ii"))
@pytest.mark.parametrize("case", "abc")
def test_golden(case, kind, dtype, rtol):
    mean, logvar = (ARRAYS[f"{case}_{name}"].astype(dtype) for name in ("mu", "logvar"))
    for strength in (1, 2, 5, 10, 20, 50):
        expected = NUMBERS[case]["reg"][f"dip_vae_{kind}_{strength}"] - NUMBERS[case]["kl"]
        given = dip_regularizer(mean, logvar, strength, RATIO[kind] * strength, kind)
        implied = dip_regularizer(mean, logvar, strength, kind=kind)
        np.testing.assert_allclose([given, implied], expected, rtol=rtol)


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [(np.eye(10), 0.0), (2 * np.eye(10), 10 * 3.0), (np.ones((10, 10)), 90 * 2.0)],
)
def test_known_covariances(matrix, expected):
    found = dip_regularizer(codes_of_covariance(matrix), np.zeros((20, 10)), 2.0, 3.0, "i")
    assert float(found) == pytest.approx(expected, abs=1e-6)


def test_kind_ii_adds_the_noise_and_kind_i_does_not_know_it():
    mean, logvar = np.zeros((4, 3)), np.log(np.full((4, 3), 3.0))
    assert float(dip_regularizer(mean, logvar, 1.0, 1.0, "ii")) == pytest.approx(3 * 4.0)
    assert float(dip_regularizer(mean, logvar, 1.0, 1.0, "i")) == pytest.approx(3 * 1.0)


@pytest.mark.parametrize("kind", ("i", "ii"))
def test_order_of_examples_and_latents_does_not_matter(kind):
    generator = np.random.default_rng(0)
    arrays = generator.normal(size=(2, 12, 5))
    shuffled = arrays[:, generator.permutation(12)][:, :, generator.permutation(5)]
    one, other = (float(dip_regularizer(*pair, kind=kind)) for pair in (arrays, shuffled))
    assert one == pytest.approx(other, rel=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"logvar": np.ones((3, 1))}, r"one shape \[B, D\], got \(3, 4\) and \(3, 1\)"),
        ({"mean": np.ones(3), "logvar": np.ones(3)}, r"one shape \[B, D\]"),
        ({"kind": "iii"}, 'kind must be "i" or "ii", got \'iii\''),
        ({"lambda_od": -1.0}, "lambda_od must be finite and >= 0, got -1.0"),
        ({"lambda_d": -2.0}, "lambda_d must be finite and >= 0, got -2.0"),
    ],
)
def test_bad_arguments(change, message):
    with pytest.raises(ValueError, match=message):
        dip_regularizer(**{"mean": np.ones((3, 4)), "logvar": np.ones((3, 4)), **change})
