import numpy as np
import pytest

from tests.metrics.golden_codes import uniform
from tfkit.metrics import reduced_downstream_accuracy


def world():
    """Three binary factors; the first has two codes, the others one each."""
    factors = uniform(240, 2, 3)
    state = np.random.RandomState(1)
    codes = factors[:, [1, 0, 2, 0]] + 0.1 * state.normal(size=(240, 4))
    codes[:, 3] = factors[:, 0] + 0.4 * state.normal(size=240)  # the worse one
    return codes, factors


@pytest.mark.parametrize("method", ["exact", "fast"])
def test_what_is_left_without_the_most_important_latent(method):
    codes, factors = world()
    found = reduced_downstream_accuracy(codes, factors, model="logistic_regression", method=method)
    assert found["removed"].tolist() == [[1], [0], [2]]
    own = found["accuracy"].diagonal()
    assert own[0] > 0.75 > own[1:].max()  # its second code is left; the others guess
    assert found["reduced_downstream_accuracy"] == pytest.approx(own.mean())
    others = found["accuracy"][~np.eye(3, dtype=bool)]
    assert found["other_accuracy"] == pytest.approx(others.mean())
    assert others.mean() > 0.95
    assert found["method"] == method


def test_importances_are_found_anew_after_each_removal():
    codes, factors = world()
    found = reduced_downstream_accuracy(
        codes, factors, removed=2, model="logistic_regression", method="fast"
    )
    assert found["removed"][0].tolist() == [1, 3]
    assert found["accuracy"][0, 0] < 0.7


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"removed": 0}, "removed must be >= 1 and below the 2 latents, got 0"),
        ({"removed": 2}, "below the 2 latents, got 2"),
        ({"model": "svm"}, "got 'svm'"),
        ({"method": "quick"}, "got 'quick'"),
        ({"factors": uniform(9, 3, 1)}, "at least 2 factors, got 1"),
    ],
)
def test_bad_arguments(change, message):
    arguments = {"codes": np.zeros((9, 2)), "factors": uniform(9, 3, 2)} | change
    with pytest.raises(ValueError, match=message):
        reduced_downstream_accuracy(arguments.pop("codes"), arguments.pop("factors"), **arguments)
