import numpy as np
import pytest

from tests.metrics.golden_codes import ARRAYS, NAMES, NUMBERS, held_out, rows, uniform
from tfkit.metrics import sap


@pytest.mark.parametrize("name", NAMES)
def test_golden(name):
    found = sap(*rows(name), **held_out(name))
    assert found["sap"] == pytest.approx(NUMBERS[name]["sap_discrete"][0], abs=3e-3)
    np.testing.assert_allclose(found["scores"], ARRAYS[f"sap_discrete_{name}"][0], atol=3e-3)
    found = sap(*rows(name), continuous=True)
    assert found["sap"] == pytest.approx(NUMBERS[name]["sap_continuous"], abs=1e-6)
    np.testing.assert_allclose(found["scores"], ARRAYS[f"sap_continuous_{name}"], atol=1e-6)


def test_one_code_a_factor_is_all_correlation():
    factors = uniform(2000, 2, 3)
    found = sap(factors * [2.0, -1.0, 0.1], factors, continuous=True)
    np.testing.assert_allclose(found["scores"], np.eye(3), atol=1e-2)
    assert found["sap"] == pytest.approx(1.0, abs=1e-2)
    assert sap(factors.astype(float), factors)["sap"] == pytest.approx(0.5, abs=0.05)  # chance: .5


def test_duplicated_codes_separate_nothing():
    factors = uniform(300, 4, 2)
    codes = np.concatenate([factors, factors], axis=1).astype(float)
    assert sap(codes, factors)["sap"] == 0.0
    assert sap(codes, factors, continuous=True)["sap"] == pytest.approx(0.0, abs=1e-12)


def test_class_numbers_are_names():
    codes, factors = rows("mixed")
    wanted = sap(codes[:600], factors[:600].astype(int))["scores"]
    np.testing.assert_array_equal(sap(codes[:600], factors[:600] * 7.0 - 3)["scores"], wanted)


def test_constant_codes_and_factors():
    factors = uniform(300, 3, 2)
    codes = np.column_stack([factors[:, 0], np.full(300, 0.1)]).astype(float)
    with_constant = np.column_stack([factors, np.full(300, 5)])
    for continuous in (False, True):
        wanted = sap(codes, factors, continuous=continuous)["sap"]
        assert sap(codes, with_constant, continuous=continuous)["sap"] == pytest.approx(wanted)
    assert sap(codes, factors, continuous=True)["scores"][1].tolist() == [0.0, 0.0]


def test_values_of_continuous_factors_and_values_that_training_never_saw():
    values = np.random.RandomState(0).random((100, 2))
    assert sap(values, values, continuous=True)["sap"] > 0.9
    factors, unseen = uniform(100, 3, 1), np.full((50, 1), 7)
    found = sap(values, factors, codes_test=values[:50], factors_test=unseen)
    assert found["scores"].tolist() == [[0.0], [0.0]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"codes": np.zeros((9, 1))}, "at least 2 latents, got 1"),
        ({"factors": np.full((9, 2), 0.5)}, "sap: factors must be integers, got float64"),
        ({"factors": np.full((9, 2), np.nan), "continuous": True}, "factors must be finite"),
        ({"factors": np.zeros((9, 2), int)}, "every factor has one value only"),
        ({"factors": np.zeros((9, 2), int), "continuous": True}, "every factor has one value"),
        ({"codes": np.full((9, 2), np.nan)}, "codes must be finite"),
    ],
)
def test_bad_arguments(change, message):
    arguments = {"codes": np.zeros((9, 2)), "factors": uniform(9, 3, 2)} | change
    with pytest.raises(ValueError, match=message):
        sap(arguments.pop("codes"), arguments.pop("factors"), **arguments)
