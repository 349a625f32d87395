import numpy as np
import pytest

from tfkit.metrics import strong_generalization, unfairness
from tfkit.metrics.interventions import _intervened, total_variations

SMALL = {"num_train": 150, "num_eval": 80, "model": "logistic_regression"}


class World:
    """Images that are their factors, all of which vary in three values."""

    factor_sizes = [3, 3, 3]

    def observe(self, factors, random_state):
        return np.eye(3)[factors].reshape(len(factors), 3, 3, 1)


class Gone(World):
    """A set whose combinations are not all there."""

    factor_sizes, why_no_grid = None, "its photographs are 60"


def apart(images):
    """Each factor in codes of its own."""
    return images.reshape(len(images), -1)


def entangled(images):
    """Two classes of a factor trade places when the next factor has its value 0."""
    shown = images[..., 0]
    swapped = shown[:, :, [1, 0, 2]]
    return np.where(np.roll(shown, -1, axis=1)[:, :, :1] == 1, swapped, shown).reshape(-1, 9)


def test_factors_that_are_encoded_apart_generalise_and_are_fair():
    strong = strong_generalization(apart, World(), repeats=2, **SMALL)
    assert (strong["strong_generalization"], strong["accuracy"], strong["gap"]) == (1.0, 1.0, 0.0)
    assert strong["per_factor"].tolist() == [1.0, 1.0, 1.0]
    fair = unfairness(apart, World(), **SMALL)
    assert fair["maximum"].max() == pytest.approx(0.0, abs=1e-12)


def test_entangled_factors_do_neither():
    strong = strong_generalization(entangled, World(), repeats=3, **SMALL)
    assert strong["strong_generalization"] < strong["accuracy"]
    assert strong["gap"] == pytest.approx(1 - strong["strong_generalization"] / strong["accuracy"])
    unfair = unfairness(entangled, World(), **SMALL)
    assert unfair["unfairness"] > 0.01
    assert (unfair["maximum"] >= unfair["mean"]).all()
    assert unfair["mean"].diagonal().tolist() == [0.0] * 3
    assert unfair["unfairness"] == pytest.approx(unfair["mean"].sum() / 6)


@pytest.mark.parametrize("metric", [strong_generalization, unfairness])
def test_the_seed_decides(metric):
    def noisy(images):
        return apart(images) + np.random.RandomState(len(images)).normal(size=(len(images), 9))

    options = {"num_train": 60, "num_eval": 30, "model": "logistic_regression"}
    options |= {"repeats": 1} if metric is strong_generalization else {}
    scores = [metric(noisy, World(), seed=s, **options)[metric.__name__] for s in (0, 0, 1)]
    assert scores[0] == scores[1] != scores[2]


def test_an_intervention_shows_training_one_value_and_the_test_the_rest():
    state = np.random.RandomState(0)
    plain = state.randint(3, size=(50, 3))
    seen = set()
    for _ in range(20):
        train, test = _intervened(state, [3, 3, 3], 1, plain, plain)
        (factor,) = np.flatnonzero((train != plain).any(axis=0))
        (value,) = np.unique(train[:, factor])
        assert sorted({*np.unique(test[:, factor]), value}) == [0, 1, 2]
        assert value not in test[:, factor]
        seen.add(factor)
    assert seen == {0, 2}  # never the target
    assert len(set(map(tuple, plain))) > 1


def test_factors_of_one_value_are_never_set():
    state = np.random.RandomState(0)
    plain = np.zeros((5, 3), int)
    for _ in range(10):
        train, _ = _intervened(state, [4, 1, 2], 0, plain, plain)
        assert (train[:, 1] == 0).all()


def test_total_variation():
    answers = np.array([[0, 0], [1, 1], [0, 1], [0, 1]])
    np.testing.assert_allclose(total_variations(answers, 2), [0.5, 0.5, 0.0, 0.0])
    assert total_variations(np.array([[2, 2], [0, 1]]), 3).tolist() == [0.5, 0.5]


@pytest.mark.parametrize("metric", [strong_generalization, unfairness])
@pytest.mark.parametrize(
    ("dataset", "change", "message"),
    [
        (Gone(), {}, "its photographs are 60"),
        (World(), {"num_train": 0}, "num_train must be >= 1, got 0"),
        (World(), {"num_eval": 0}, "num_eval must be >= 1, got 0"),
        (World(), {"model": "svm"}, "got 'svm'"),
        (World(), {"workers": 0}, "workers must be >= 1 or None, got 0"),
        (type("One", (World,), {"factor_sizes": [3, 1]})(), {}, r"got factor_sizes \[3, 1\]"),
    ],
)
def test_bad_arguments(metric, dataset, change, message):
    with pytest.raises(ValueError, match=message):
        metric(apart, dataset, **{**SMALL, **change})


def test_codes_that_are_not_finite():
    with pytest.raises(ValueError, match="unfairness: codes must be finite"):
        unfairness(lambda images: apart(images) * np.nan, World(), **SMALL)
