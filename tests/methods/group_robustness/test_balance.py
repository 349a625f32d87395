import numpy as np
import pytest

from tests.methods.group_robustness.toys import COUNTS, task
from tfkit.methods.group_robustness.balance import balanced_rows, upsampled_rows
from tfkit.methods.group_robustness.groups import checked_counts

GROUPS = task()[2]


def test_subsampling_takes_the_smallest_groups_size_of_each_without_repeating():
    rows = balanced_rows(GROUPS, "subsample", 0)
    np.testing.assert_array_equal(np.bincount(GROUPS[rows]), [6] * 4)
    assert len(set(rows)) == len(rows)


def test_oversampling_repeats_rows_as_evenly_as_it_can():
    rows = balanced_rows(GROUPS, "oversample", 0)
    np.testing.assert_array_equal(np.bincount(GROUPS[rows]), [26] * 4)
    times = np.bincount(rows, minlength=64)
    for group, size in enumerate(COUNTS):
        assert set(times[GROUPS == group]) <= {26 // size, -(-26 // size)}


def test_the_seed_draws():
    rows = [set(balanced_rows(GROUPS, "subsample", seed)) for seed in (0, 0, 1)]
    assert rows[0] == rows[1] != rows[2]


def test_a_group_without_examples_is_left_out():
    rows = balanced_rows(np.array([0, 0, 2, 2, 2]), "subsample", 0)
    np.testing.assert_array_equal(np.bincount([0, 0, 2, 2, 2], minlength=3)[[0, 2]], [2, 3])
    assert len(rows) == 4


def test_errors_are_there_so_many_times_in_all():
    rows = upsampled_rows([False, True, False], 4)
    np.testing.assert_array_equal(np.bincount(rows), [1, 4, 1])


@pytest.mark.parametrize("counts", [[5], [0, 0], [3, -1]])
def test_counts_of_less_than_two_groups_are_refused(counts):
    with pytest.raises(ValueError, match="group_counts must be"):
        checked_counts("GroupDRO", counts)
