import numpy as np
import pytest

from tests.metrics.golden_codes import rows
from tfkit.metrics.histogram_boosting import HistogramBoosting, class_edges


def test_edges_are_where_classes_change():
    code = np.array([3.0, 0.0, 1.0, 2.0, 5.0, 4.0])
    assert class_edges(code, np.array([1, 0, 0, 1, 1, 1])).tolist() == [1.5]
    # a value of two classes is apart from its neighbours
    assert class_edges(np.array([0.0, 1, 1, 2]), np.array([0, 0, 1, 1])).tolist() == [0.5, 1.5]
    assert class_edges(np.zeros(4), np.arange(4)).tolist() == []
    assert class_edges(np.arange(4.0), np.zeros(4, int)).tolist() == []


def test_too_many_edges_leave_about_as_many_rows_in_each_bin():
    code = np.random.RandomState(0).normal(size=5000)
    edges = class_edges(code, np.random.RandomState(1).randint(5, size=5000))
    sizes = np.bincount(np.searchsorted(edges, code))
    assert 245 < len(sizes) <= 255
    assert sizes.max() < 2 * 5000 / 255


def test_classes_may_have_any_names_and_the_seed_decides_nothing_else():
    codes, factors = (part[:200] for part in rows("mixed"))
    names = np.array([-5, 0, 7])[factors[:, 0]]
    model, again = (HistogramBoosting(0).fit(codes, names) for _ in range(2))
    np.testing.assert_array_equal(model.feature_importances_, again.feature_importances_)
    assert set(model.predict(codes)) == {-5, 0, 7}
    assert (model.predict(codes) == names).mean() > 0.95


def test_copies_share_their_importance():
    code = np.random.RandomState(0).normal(size=(300, 1))
    noise = np.random.RandomState(1).normal(size=(300, 1))
    codes = np.concatenate([code, noise, code], axis=1)
    gain = HistogramBoosting(0).fit(codes, (code[:, 0] > 0).astype(int)).feature_importances_
    assert gain[2] / gain.sum() == pytest.approx(0.5, abs=0.1)
    assert gain[1] / gain.sum() < 0.01
