import numpy as np
import pytest

from tests.metrics.golden_codes import ARRAYS, NAMES, NUMBERS, rows, uniform
from tfkit.metrics import irs


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("quantile", "key"), [(0.99, "irs_q0.99"), (1.0, "irs_q1")])
def test_golden(name, quantile, key):
    found, wanted = irs(*rows(name), quantile=quantile), NUMBERS[name]
    assert found["irs"] == pytest.approx(wanted[key], abs=1e-6)
    np.testing.assert_allclose(found["per_code"], wanted[f"{key}_per_code"], atol=1e-6)
    np.testing.assert_allclose(found["matrix"], ARRAYS[f"{key}_matrix_{name}"], atol=1e-6)
    assert found["parents"].tolist() == wanted[f"{key}_parents"]


def test_codes_that_are_the_factors_are_robust():
    factors = uniform(500, 4, 3)
    found = irs(factors[:, [2, 0, 1]] * [1.0, -3.0, 0.5], factors)
    assert found["irs"] == 1.0
    assert found["parents"].tolist() == [2, 0, 1]


def test_constant_codes_are_dropped():
    factors = uniform(500, 4, 3)
    codes = np.concatenate([np.full((500, 1), 0.1), factors], axis=1)
    found = irs(codes, factors)
    assert found["irs"] == 1.0 and found["matrix"].shape == (3, 3)
    assert irs(codes[:, :1], factors)["irs"] == 0.0
    assert irs(codes[:, :1], factors)["matrix"].shape == (0, 3)


def test_codes_weigh_by_their_largest_deviation():
    factors = uniform(2000, 5, 2)
    noise = np.random.RandomState(1).normal(size=2000)
    scores = [irs(np.column_stack([factors[:, 0], s * noise]), factors)["irs"] for s in (1e-3, 1)]
    assert scores[0] > 0.99 > 0.7 > scores[1]


def test_the_study_merges_values_and_classes_does_not():
    factors = np.stack([axis.ravel() for axis in np.indices((40, 10))], axis=1)
    codes = factors[:, :1].astype(float)
    assert irs(codes, factors)["irs"] < 0.99
    assert irs(codes, factors, protocol="classes")["irs"] == 1.0
    # values of a continuous factor have no classes
    assert irs(codes, factors / 40, protocol="classes")["irs"] == irs(codes, factors / 40)["irs"]


def test_factors_may_be_values():
    values = np.random.RandomState(0).random((3000, 2))
    found = irs(values, values, bins=50)
    assert found["irs"] > 0.95 and found["parents"].tolist() == [0, 1]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "float32"])
def test_class_numbers_may_be_of_any_type(dtype):
    codes, factors = rows("mixed")
    assert irs(codes, factors.astype(dtype))["irs"] == irs(codes, factors.astype(int))["irs"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"quantile": 1.5}, r"quantile must be in \[0, 1\], got 1.5"),
        ({"bins": 1}, "bins must be >= 2, got 1"),
        ({"protocol": "paper"}, "study or classes, got 'paper'"),
        ({"factors": np.full((6, 1), np.nan)}, "factors must be finite"),
        ({"factors": np.full((6, 1), "a")}, "integers, got <U1"),
        ({"codes": np.full((6, 2), np.nan)}, "codes must be finite"),
    ],
)
def test_bad_arguments(change, message):
    arguments = {"codes": np.zeros((6, 2)), "factors": uniform(6, 3, 1)} | change
    with pytest.raises(ValueError, match=message):
        irs(arguments.pop("codes"), arguments.pop("factors"), **arguments)
