"""The comparison accepts what rounding explains and nothing else."""

import numpy as np
import pytest

from tfkit.errors import TfkitError
from tfkit.export.verify import _differences

ROW = np.array([1.0, -50.0, np.nan, np.inf], np.float32)


@pytest.mark.parametrize(
    "live, other",
    [
        (ROW, ROW.copy()),
        (ROW, ROW + np.array([0, 4e-4, 0, 0], np.float32)),  # 1e-5 of 50
        (np.array([3, 4]), np.array([3, 4])),
        (np.array([b"a", b"b"], object), np.array([b"a", b"b"], object)),
        (np.array([np.nan], np.float32), np.array([np.nan], np.float32)),
    ],
)
def test_accepts(live, other):
    assert _differences({"s|1|y": live}, {"s|1|y": other})["s"] <= 4.1e-4


@pytest.mark.parametrize(
    "live, other",
    [
        (ROW, ROW + np.array([0, 6e-4, 0, 0], np.float32)),
        (ROW, ROW + np.array([0, np.nan, 0, 0], np.float32)),
        (ROW, np.nan_to_num(ROW)),
        (np.float32([0.1]), np.float32([0.1 + 2e-5])),
        (np.float32([0.1]), np.float64([0.1])),
        (np.float32([0.1]), np.float32([[0.1]])),
        (np.array([3, 4]), np.array([3, 5])),
        (np.array([b"a"], object), np.array([b"b"], object)),
    ],
)
def test_refuses(live, other):
    with pytest.raises(TfkitError, match="signature 's', output 'y', differs .* at batch 7"):
        _differences({"s|7|y": live}, {"s|7|y": other})
