import numpy as np
import pytest

from tests.metrics.golden_codes import ARRAYS, NAMES, NUMBERS, held_out, rows, uniform
from tfkit.metrics import explicitness, modularity


@pytest.mark.parametrize("name", NAMES)
def test_golden_modularity(name):
    found = modularity(*rows(name))
    assert found["modularity"] == pytest.approx(NUMBERS[name]["modularity"], abs=1e-6)
    np.testing.assert_allclose(found["mutual_information"], ARRAYS[f"mi_{name}"], atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_golden_explicitness(name):
    found, wanted = explicitness(*rows(name), **held_out(name)), NUMBERS[name]
    assert found["explicitness"] == pytest.approx(wanted["explicitness_test"], abs=1e-3)
    assert found["explicitness_train"] == pytest.approx(wanted["explicitness_train"], abs=1e-3)
    np.testing.assert_allclose(
        found["per_factor"], wanted["explicitness_test_per_factor"], atol=1e-3
    )


def test_one_code_for_two_of_ten_factors_is_modular_but_for_a_ninth():
    bits = uniform(4000, 2, 10)
    codes = bits[:, 0::2] + 2.0 * bits[:, 1::2]  # both factors of a code tell one bit
    assert modularity(codes, bits)["modularity"] == pytest.approx(1 - 1 / 9, abs=1e-3)


def test_noise_moves_the_study_s_modularity_and_not_that_of_informative_codes():
    codes, factors = rows("perfect")  # five of its ten codes are noise
    found = modularity(codes, factors, protocol="informative")
    assert found["informative"].tolist() == [True] * 5 + [False] * 5
    assert found["modularity"] == pytest.approx(found["per_code"][:5].mean())
    assert found["modularity"] > 0.999 > modularity(codes, factors)["modularity"]


def test_codes_that_tell_nothing_score_zero():
    factors = uniform(60, 3, 2)
    for protocol in ("study", "informative"):
        assert modularity(np.zeros((60, 4)), factors, protocol=protocol)["modularity"] == 0.0


def test_modularity_heeds_neither_scale_nor_sign_nor_order():
    codes, factors = rows("mixed")
    wanted = modularity(codes, factors)["modularity"]
    moved = codes[:, ::-1] * 4.0 + 1  # exact in binary, so that bins stay
    assert modularity(moved, factors)["modularity"] == pytest.approx(wanted, rel=1e-6)
    assert modularity(-codes, factors)["modularity"] == pytest.approx(wanted, abs=5e-3)


def test_rotation_lowers_modularity_and_not_explicitness():
    factors = uniform(1500, 4, 3)
    codes = factors + 0.05 * np.random.RandomState(1).normal(size=factors.shape)
    turn = np.linalg.qr(np.random.RandomState(2).normal(size=(3, 3)))[0]
    scores = [(modularity(c, factors), explicitness(c, factors)) for c in (codes, codes @ turn)]
    assert scores[1][0]["modularity"] < scores[0][0]["modularity"] - 0.05
    gap = scores[1][1]["explicitness"] - scores[0][1]["explicitness"]
    assert gap == pytest.approx(0.0, abs=1e-3)


def test_the_area_is_that_of_scikit_learn_also_with_ties():
    from sklearn.metrics import roc_auc_score

    from tfkit.metrics.ridgeway import _mean_area

    scores = np.random.RandomState(0).randint(4, size=(50, 3)).astype(float)
    members = np.arange(3)[:, None] == uniform(50, 3, 1).ravel()
    areas = [roc_auc_score(m, s) for m, s in zip(members, scores.T, strict=True)]
    assert _mean_area(scores, members) == pytest.approx(np.mean(areas))


def test_codes_that_know_nothing_are_half_explicit():
    factors = uniform(300, 3, 2)
    assert explicitness(np.zeros((300, 2)), factors)["explicitness"] == 0.5


def test_a_constant_code_changes_no_explicitness():
    codes, factors = rows("mixed")
    codes, factors = codes[:600], factors[:600]
    wanted = explicitness(codes, factors)["explicitness"]
    with_constant = np.concatenate([codes, np.full((600, 1), 7.0, "float32")], axis=1)
    assert explicitness(with_constant, factors)["explicitness"] == pytest.approx(wanted, abs=1e-4)


def test_values_that_one_part_lacks_and_constant_factors_are_left_out():
    factors = uniform(200, 3, 2)
    codes, test = factors.astype(float), factors[:100].copy()
    test[test[:, 0] == 2, 0] = 9  # training never saw it
    constant = [
        np.concatenate([part, np.zeros((len(part), 1), int)], 1) for part in (factors, test)
    ]
    found = explicitness(codes, constant[0], codes_test=codes[:100], factors_test=constant[1])
    assert found["per_factor"][1:].tolist() == [1.0, 0.5]
    assert found["explicitness"] == pytest.approx(found["per_factor"][:2].mean())


def test_the_seed_holds_rows_out():
    codes, factors = rows("rotated")
    codes, factors = codes[:200] + 0.5 * np.random.RandomState(0).normal(size=(200, 10)), factors
    first, again, other = (explicitness(codes, factors[:200], seed=s) for s in (0, 0, 1))
    assert first["explicitness"] == again["explicitness"] != other["explicitness"]


@pytest.mark.parametrize(
    ("metric", "change", "message"),
    [
        (modularity, {"factors": np.zeros((9, 1), int)}, "at least 2 factors, got 1"),
        (modularity, {"factors": np.zeros((8, 2), int)}, r"got \(9, 3\) and \(8, 2\)"),
        (modularity, {"codes": np.full((9, 3), np.inf)}, "modularity: codes must be finite"),
        (modularity, {"bins": 1}, "bins must be >= 2, got 1"),
        (modularity, {"protocol": "best"}, "study or informative, got 'best'"),
        (explicitness, {"factors": np.zeros((9, 2), int)}, "every factor has one value only"),
        (explicitness, {"factors": np.full((9, 2), 0.5)}, "integers, got float64"),
        (explicitness, {"codes_test": np.zeros((4, 3))}, "pass both or neither"),
        (
            explicitness,
            {"codes_test": np.zeros((4, 2)), "factors_test": np.zeros((4, 2), int)},
            "must have 3 latents and 2 factors like the training set, got",
        ),
        (
            explicitness,
            {"codes_test": np.zeros((4, 3)), "factors_test": np.full((4, 2), 9)},
            "no value of a factor",
        ),
        (explicitness, {"codes": np.zeros((2, 3)), "factors": np.eye(2, dtype=int)}, "a third out"),
        (explicitness, {"codes": np.zeros(9)}, r"got \(9,\) and \(9, 2\)"),
    ],
)
def test_bad_arguments(metric, change, message):
    arguments = {"codes": np.zeros((9, 3)), "factors": uniform(9, 3, 2)} | change
    with pytest.raises(ValueError, match=message):
        metric(arguments.pop("codes"), arguments.pop("factors"), **arguments)
