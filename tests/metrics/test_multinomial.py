import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from tfkit.metrics import multinomial
from tfkit.metrics.multinomial import class_probabilities


@pytest.mark.parametrize("classes", [2, 3, 8])
@pytest.mark.parametrize(("dtype", "room"), [("float64", 1e-5), ("float32", 3e-3)])
def test_is_that_of_scikit_learn(classes, dtype, room, monkeypatch):
    monkeypatch.setattr(multinomial, "STEPS", 5000)  # where they stop early they differ a little
    monkeypatch.setattr(multinomial, "TOLERANCE", 1e-7)
    state = np.random.RandomState(classes)
    truth = state.randint(classes, size=300)
    codes = state.normal(size=(300, 4))
    codes[:, 0] += truth
    codes[:, 3] = 0  # a constant latent
    codes, fresh = codes.astype(dtype), state.normal(size=(20, 4)).astype(dtype)
    model = LogisticRegression(tol=1e-7, max_iter=5000).fit(codes, truth)
    found, again = class_probabilities(codes, truth, fresh, codes)
    np.testing.assert_allclose(found, model.predict_proba(fresh), atol=room)
    np.testing.assert_allclose(again.sum(axis=1), 1.0, rtol=1e-6)


def test_separable_classes_and_large_codes_stay_finite():
    codes = np.array([[-1e4], [-2e4], [1e4], [2e4]], "float32")
    (found,) = class_probabilities(codes, np.array([0, 0, 1, 1]), codes)
    assert np.isfinite(found).all()
    assert found.argmax(axis=1).tolist() == [0, 0, 1, 1]
