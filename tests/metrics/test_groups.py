import numpy as np
import pytest

from tfkit.metrics import group_accuracy
from tfkit.metrics.groups import DEFINITIONS

TRUTH = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
ANSWER = np.array([0, 0, 0, 1, 1, 1, 0, 0, 0, 0])
GROUPS = np.array([0, 0, 0, 0, 2, 2, 2, 2, 2, 3])  # 3/4, none, 2/5, 0/1 right


def test_each_average_is_what_its_definition_says():
    found = group_accuracy(TRUTH, ANSWER, GROUPS, train_counts=[10, 5, 30, 60])
    assert found["average"] == pytest.approx(0.5)
    assert found["adjusted"] == found["group_accuracy"] == pytest.approx((0.75 + 0.4 + 0) / 3)
    assert found["worst_group"] == 0
    assert found["train_weighted"] == pytest.approx((10 * 0.75 + 30 * 0.4) / 100)
    np.testing.assert_array_equal(found["per_group"], [0.75, np.nan, 0.4, 0])
    np.testing.assert_array_equal(found["sizes"], [4, 0, 5, 1])
    assert all(name in found["definitions"] for name in DEFINITIONS)


def test_weighted_by_its_own_sizes_it_is_the_plain_average():
    found = group_accuracy(TRUTH, ANSWER, GROUPS, train_counts=[4, 0, 5, 1])
    assert found["train_weighted"] == pytest.approx(found["average"])
    assert np.isnan(group_accuracy(TRUTH, ANSWER, GROUPS)["train_weighted"])


def test_the_worst_group_need_not_be_the_smallest():
    found = group_accuracy([0] * 6, [0, 1, 0, 0, 0, 0], [0, 0, 0, 1, 1, 2])
    assert found["worst_group"] == pytest.approx(2 / 3)


def test_intervals_are_wilsons():
    found = group_accuracy([1] * 10, [1] * 8 + [0] * 2, [0] * 10)
    # from the literature's worked example of 8 of 10: 0.490 to 0.943
    np.testing.assert_allclose(found["intervals"], [[0.4901625, 0.9433178]], atol=1e-6)
    ends = group_accuracy([1] * 8, [1] * 4 + [0] * 4, [0] * 4 + [2] * 4)["intervals"]
    z = 1.959963985
    np.testing.assert_allclose(ends[0], [4 / (4 + z**2), 1], atol=1e-9)
    np.testing.assert_allclose(ends[2], [0, z**2 / (4 + z**2)], atol=1e-9)
    np.testing.assert_array_equal(ends[1], [0, 1])
    narrow = group_accuracy([1] * 10, [1] * 8 + [0] * 2, [0] * 10, confidence=0.5)["intervals"]
    assert 0.7 < narrow[0, 0] < 0.8 < narrow[0, 1] < 0.9


def test_groups_that_overlap_count_an_example_in_each():
    apart = GROUPS[:, None] == np.arange(4)
    one, other = (
        group_accuracy(TRUTH, ANSWER, g, train_counts=[1, 2, 3, 4]) for g in (GROUPS, apart)
    )
    assert one.keys() == other.keys()
    for name, value in one.items():
        np.testing.assert_array_equal(value, other[name], err_msg=name)
    both = np.ones((10, 3), bool)
    both[:4, 1] = False
    both[:, 2] = False
    found = group_accuracy(TRUTH, ANSWER, both)
    np.testing.assert_allclose(found["per_group"], [0.5, 1 / 3, np.nan])
    np.testing.assert_array_equal(found["sizes"], [10, 6, 0])
    assert found["average"] == 0.5


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"y_pred": np.zeros((10, 2))}, r"y_pred must be \[N\] numbers of classes, .*\(10, 2\)"),
        ({"y_true": TRUTH + 0.5}, "y_true must be whole"),
        ({"groups": GROUPS - 1}, "groups must be >= 0, got -1"),
        ({"groups": GROUPS[:5]}, "same N >= 1, got 10, 10 and 5"),
        ({"groups": np.full((10, 2), 2)}, r"groups must be \[N\] group numbers or"),
        ({"groups": np.zeros((10, 2), bool)}, "no example in any group"),
        ({"train_counts": [1, 2]}, "train_counts has 2 groups, groups 4"),
        ({"train_counts": [1, 2, 3, -1]}, "one number >= 0 a group"),
    ],
)  # fmt: skip
def test_what_cannot_be_counted_is_refused(changed, message):
    given = {"y_true": TRUTH, "y_pred": ANSWER, "groups": GROUPS} | changed
    with pytest.raises(ValueError, match=message):
        group_accuracy(**given)
