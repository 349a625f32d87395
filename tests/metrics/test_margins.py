import numpy as np
import pytest
from sklearn.svm import LinearSVC

from tfkit.metrics.margins import _lines, _Sums, predicted_by_one_latent


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_is_the_solution_of_scikit_learn(classes):
    state = np.random.RandomState(classes)
    truth = np.sort(state.randint(classes, size=400)) * (state.rand(400) > 0.2)
    truth = np.unique(truth, return_inverse=True)[1]  # unbalanced
    codes = np.column_stack([truth + state.normal(size=400), state.normal(size=400)])
    codes[:50, 1] = 0.25  # ties
    answers = predicted_by_one_latent(codes, truth, codes[::-1])
    for latent in range(2):
        column = codes[:, [latent]]
        model = LinearSVC(C=0.01, class_weight="balanced", tol=1e-12, max_iter=10**6)
        model.fit(column, truth)
        slope, offset = _lines(column[:, 0], truth, np.bincount(truth))
        own = slice(1, None) if classes == 2 else slice(None)  # two classes have one line there
        np.testing.assert_allclose(slope[own], model.coef_.ravel(), atol=1e-7)
        np.testing.assert_allclose(offset[own], model.intercept_, atol=1e-7)
        assert (answers[:, latent] == model.predict(column[::-1])).all()


def test_a_row_on_the_margin_is_on_neither_side():
    sums = _Sums(np.array([0.0, 1.0, 1.0, 2.0]), np.zeros(4, int))
    below = sums.below(np.array([1.0, -1.0, 0.0]), np.array([-1.0, 1.0, -1.0]))
    assert below[0].tolist() == [1, 1, 4]  # z < 1; z > 1; -1 < 0, whatever z
    assert below[1].tolist() == [0, 2, 4]


def test_one_class_is_the_answer():
    assert predicted_by_one_latent(np.ones((4, 2)), np.zeros(4, int), np.ones((3, 2))).sum() == 0


def test_a_constant_latent_and_large_ones():
    codes = np.column_stack([np.zeros(40), np.linspace(-1e6, 1e6, 40)])
    answers = predicted_by_one_latent(codes, np.arange(40) // 20, codes)
    assert len(np.unique(answers[:, 0])) == 1
    assert (answers[:, 1] == np.arange(40) // 20).mean() > 0.9
