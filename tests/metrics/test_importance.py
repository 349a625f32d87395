import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.ensemble import GradientBoostingClassifier

from tests.metrics.golden_codes import ARRAYS, NAMES, NUMBERS, held_out, rows, uniform
from tfkit.errors import UsageError
from tfkit.metrics import dci, parallel
from tfkit.metrics.boosting import boosted_factor
from tfkit.metrics.importance import one_sidedness

PARTS = ("disentanglement", "completeness", "informativeness_train", "informativeness_test")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_golden(name):
    found = dci(*rows(name), **held_out(name))
    for part in PARTS:
        seeds = np.array(NUMBERS[name][f"dci_{part}"])
        room = 0.03 if name == "duplicated" else max(0.003, 3 * seeds.std())
        assert found[part] == pytest.approx(seeds.mean(), abs=room), part
    assert found["dci"] == (found["disentanglement"] + found["completeness"]) / 2
    if name != "duplicated":  # ties between copies fall by chance
        np.testing.assert_allclose(
            found["importance"], ARRAYS[f"dci_importance_{name}"].mean(axis=0), atol=3e-3
        )


def test_the_fast_kind_ranks_the_golden_representations_like_the_exact_one():
    fast = [dci(*rows(name), **held_out(name), method="fast") for name in NAMES]
    for part in PARTS:
        exact = [np.mean(NUMBERS[name][f"dci_{part}"]) for name in NAMES]
        assert spearmanr(exact, [found[part] for found in fast]).statistic >= 0.95, part


def test_golden_importance_of_one_factor():
    codes, factors = rows("mixed")
    found = boosted_factor(codes, factors[:, 0], codes[:1], "exact", 0)
    wanted = ARRAYS["dci_importance_mixed"][:, :, 0].mean(axis=0)
    np.testing.assert_allclose(found.importance, wanted, atol=3e-3)


@pytest.fixture(scope="module")
def small():
    """120 rows of the mixed representation, and 60 to test on."""
    codes, factors = rows("mixed")
    return codes[:180].astype("float64"), factors[:180, :3]


@pytest.fixture(scope="module")
def scored(small):
    return dci(*small, seed=3, workers=1)


def test_importances_equal_those_of_scikit_learn(small, scored):
    codes, factors = small
    order = np.random.RandomState(3).permutation(180)
    train, test = order[60:], order[:60]
    for k, column in enumerate(factors.T):
        model = GradientBoostingClassifier(random_state=3).fit(codes[train], column[train])
        np.testing.assert_array_equal(scored["importance"][:, k], model.feature_importances_)
    accuracy = model.score(codes[test], column[test])  # of the last factor
    found = dci(
        codes[train],
        np.column_stack([column[train]] * 2),
        seed=3,
        codes_test=codes[test],
        factors_test=np.column_stack([column[test]] * 2),
    )
    assert found["informativeness_test"] == accuracy


def test_the_number_of_processes_changes_nothing(small, scored, monkeypatch):
    monkeypatch.setattr(parallel, "WORTH_PROCESSES", 0.0)
    apart = dci(*small, seed=3, workers=2)
    for name, value in scored.items():
        np.testing.assert_array_equal(apart[name], value, err_msg=name)


@pytest.mark.parametrize("method", ["exact", "fast"])
def test_identities(method):
    factors = uniform(150, 2, 4)
    quiet = 1e-3 * np.random.RandomState(1).normal(size=(150, 4))
    options = {"codes_test": factors[:9], "factors_test": factors[:9], "method": method}
    perfect = dci(factors + quiet, factors, **options)
    assert [perfect[part] for part in PARTS] == pytest.approx([1.0] * 4, abs=1e-6)
    # one code for two factors: the entropy of two of four is half of the largest
    shared = dci(factors @ np.kron(np.eye(2), [[1.0], [2.0]]), factors, **options | TWO_CODES)
    assert shared["disentanglement"] == pytest.approx(0.5, abs=1e-6)
    assert shared["completeness"] == pytest.approx(1.0, abs=1e-6)
    nothing = dci(np.zeros((150, 3)), factors, **options | {"codes_test": np.zeros((9, 3))})
    assert [nothing[part] for part in ("dci", *PARTS[:2])] == [0.0] * 3
    assert nothing["method"] == method


TWO_CODES = {"codes_test": np.zeros((9, 2))}


def test_one_sidedness():
    rows = np.array([[1.0, 0, 0, 0], [1, 1, 0, 0], [3, 3, 3, 3], [0, 0, 0, 0]])
    np.testing.assert_allclose(one_sidedness(rows), [1, 0.5, 0, 0], atol=1e-9)
    copies = np.concatenate([np.eye(5), np.eye(5)])  # 5 factors in 10 codes
    assert one_sidedness(copies.T) == pytest.approx(1 - np.log(2) / np.log(10))


def test_the_fast_kind_shares_between_copies():
    factors = uniform(200, 3, 2)
    found = dci(np.column_stack([factors, factors]).astype(float), factors, method="fast")
    assert found["disentanglement"] == pytest.approx(1.0, abs=1e-6)
    assert found["completeness"] == pytest.approx(0.5, abs=0.01)


def test_a_factor_with_one_value_has_no_importances():
    factors = np.column_stack([uniform(90, 2, 2), np.full(90, 4)])
    found = dci(factors[:, :2].astype(float), factors)
    assert found["importance"][:, 2].tolist() == [0.0, 0.0]
    assert found["disentanglement"] == pytest.approx(1.0)
    assert found["informativeness_test"] == 1.0


def test_without_its_package_the_fast_kind_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "lightgbm", None)
    with pytest.raises(UsageError, match=r"pip install 'tfkit\[boosting\]'"):
        dci(np.eye(9), uniform(9, 2, 2), method="fast")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": "quick"}, "exact or fast, got 'quick'"),
        ({"workers": 0}, "workers must be >= 1 or None, got 0"),
        ({"codes": np.zeros((9, 1))}, "at least 2 latents, got 1"),
        ({"factors": uniform(9, 3, 1)}, "at least 2 factors, got 1"),
        ({"factors": uniform(9, 3, 2) + 0.5}, "integers, got float64"),
        ({"factors": np.zeros((9, 2), int)}, "every factor has one value only"),
        ({"codes": np.full((9, 2), np.nan)}, "codes must be finite"),
    ],
)
def test_bad_arguments(change, message):
    arguments = {"codes": np.zeros((9, 2)), "factors": uniform(9, 3, 2)} | change
    with pytest.raises(ValueError, match=message):
        dci(arguments.pop("codes"), arguments.pop("factors"), **arguments)
