import numpy as np
import pytest

from tests.metrics.golden_codes import NAMES, NUMBERS, held_out, rows, uniform
from tfkit.metrics import downstream_accuracy, parallel, statistical_efficiency
from tfkit.metrics.prediction import fitted

MODELS = {"logistic_regression": ("lrcv", 0.01), "gradient_boosting": ("gbt", 0.04)}


def golden(name, model, count):
    """Our accuracies per factor beside the golden ones, of the first `count` rows."""
    codes, factors = rows(name)
    found = downstream_accuracy(codes[:count], factors[:count], **held_out(name), model=model)
    wanted = np.array(NUMBERS[name][f"{MODELS[model][0]}_{count}_test"])
    return found, wanted if wanted.ndim == 1 else wanted.mean(axis=0)


@pytest.mark.parametrize("name", ["mixed"])
@pytest.mark.parametrize("model", list(MODELS))
def test_golden_of_few_rows(name, model):
    found, wanted = golden(name, model, 100)
    np.testing.assert_allclose(found["per_factor"], wanted, atol=MODELS[model][1])
    assert found["downstream_accuracy"] == pytest.approx(found["per_factor"].mean())
    assert found["minimum"] == found["per_factor"].min()
    if model == "logistic_regression":
        np.testing.assert_allclose(
            found["train_per_factor"], NUMBERS[name]["lrcv_100_train"], atol=0.01
        )


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_golden(name):
    for model, count, room in (
        ("logistic_regression", 100, 0.01),
        ("logistic_regression", 1000, 0.01),
        ("gradient_boosting", 100, 0.04),
        ("gradient_boosting", 500, 0.02),
    ):
        found, wanted = golden(name, model, count)
        np.testing.assert_allclose(found["per_factor"], wanted, atol=room, err_msg=str(count))


@pytest.mark.parametrize("model", list(MODELS))
def test_the_number_of_processes_changes_nothing(model, monkeypatch):
    codes, factors = (part[:60] for part in rows("mixed"))
    wanted = downstream_accuracy(codes, factors[:, :2], model=model, workers=1)
    monkeypatch.setattr(parallel, "WORTH_PROCESSES", 0.0)
    found = downstream_accuracy(codes, factors[:, :2], model=model, workers=2)
    for name, value in wanted.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


@pytest.mark.parametrize("model", list(MODELS))
def test_one_class_is_the_answer(model):
    codes = np.random.RandomState(0).normal(size=(10, 2))
    test = {"codes_test": codes, "factors_test": np.repeat([[3], [4]], 5, axis=0)}
    found = downstream_accuracy(codes, np.full((10, 1), 3), **test, model=model)
    assert (found["downstream_accuracy"], found["train_accuracy"]) == (0.5, 1.0)


def test_rows_too_few_for_five_folds_and_folds_that_lack_a_class():
    codes = np.array([[0.0], [5.0], [0.1], [5.1]])
    truth = np.array([0, 1, 0, 1])
    assert fitted(codes, truth, "logistic_regression", 0).predict(codes).tolist() == [0, 1, 0, 1]
    codes, truth = np.arange(6.0)[:, None], np.array([1, 0, 0, 0, 0, 0])  # the first fold has the 1
    assert fitted(codes, truth, "logistic_regression", 0).predict(codes)[-1] == 0
    assert downstream_accuracy(codes[:3], truth[:3, None])["per_factor"].shape == (1,)


def test_classes_that_training_never_saw_are_wrong_answers():
    factors = uniform(50, 2, 1)
    test = {"codes_test": factors.astype(float), "factors_test": factors + 2}
    assert downstream_accuracy(factors.astype(float), factors, **test)["downstream_accuracy"] == 0.0


def test_the_seed_holds_rows_out():
    codes, factors = (part[:60] for part in rows("mixed"))
    scores = [downstream_accuracy(codes, factors[:, :2], seed=s) for s in (0, 0, 1)]
    first, again, other = (score["downstream_accuracy"] for score in scores)
    assert first == again != other


def test_statistical_efficiency_is_the_ratio_of_the_first_rows():
    codes, factors = (part[:400, :3] for part in rows("mixed"))
    test = {"codes_test": codes[200:], "factors_test": factors[200:]}
    found = statistical_efficiency(codes[:200], factors[:200], **test, few=20, many=150)
    few, many = (
        downstream_accuracy(codes[:n], factors[:n], **test)["downstream_accuracy"]
        for n in (20, 150)
    )
    assert (found["few_accuracy"], found["many_accuracy"]) == (few, many)
    assert found["statistical_efficiency"] == pytest.approx(few / many)
    assert few < many


@pytest.mark.parametrize(
    ("metric", "change", "message"),
    [
        (downstream_accuracy, {"model": "svm"}, "or gradient_boosting, got 'svm'"),
        (downstream_accuracy, {"workers": 0}, "workers must be >= 1 or None, got 0"),
        (downstream_accuracy, {"factors": np.full((9, 1), np.nan)}, "integers, got float64"),
        (downstream_accuracy, {"codes": np.full((9, 2), np.nan)}, "codes must be finite"),
        (downstream_accuracy, {"codes": np.zeros((8, 2))}, r"got \(8, 2\) and \(9, 1\)"),
        (statistical_efficiency, {"model": "svm"}, "or gradient_boosting, got 'svm'"),
        (statistical_efficiency, {"few": 0}, "few must be >= 1, got 0"),
        (statistical_efficiency, {}, "got 100, 10000 and 6; pass more rows or a smaller many"),
        (statistical_efficiency, {"few": 5, "many": 4}, "few <= many"),
    ],
)
def test_bad_arguments(metric, change, message):
    arguments = {"codes": np.zeros((9, 2)), "factors": uniform(9, 3, 1)} | change
    with pytest.raises(ValueError, match=message):
        metric(arguments.pop("codes"), arguments.pop("factors"), **arguments)
