"""What fits an input without loss, and what does not."""

import ml_dtypes
import numpy as np
import pytest

from tfkit.errors import UsageError
from tfkit.export.fitting import Spec, fit


def fitted(values, dtype, target):
    return fit("here", np.array(values, dtype), {"x": Spec(target, (None,))})["x"]


WRAPPED = [
    ([2**63], "uint64", "int64"),
    ([-1], "int64", "uint64"),
    ([-1], "int8", "uint8"),
    ([200], "uint8", "int8"),
    ([300], "int32", "uint8"),
    ([2.0**64], "float64", "uint64"),
    ([2.0**63], "float64", "int64"),
    ([2**64 - 1], "uint64", "float64"),
    ([2**63 - 1], "int64", "float32"),
    ([-(2**63)], "int64", "float16"),
    ([2**53 + 1], "int64", "float64"),
    ([2], "int8", "bool"),
    ([0.5], "float32", "int8"),
    ([np.nan], "float32", "int64"),
    ([1e39], "float64", "float32"),
]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("values, dtype, target", WRAPPED, ids=str)
def test_what_would_become_another_number_is_refused(values, dtype, target):
    with pytest.raises(UsageError, match=f"x must be {target}, got {dtype} with values that"):
        fitted(values, dtype, target)


KEPT = [
    ([2**63 - 1, 0], "uint64", "int64"),
    ([-128, 127], "int64", "int8"),
    ([2**64 - 1], "uint64", "uint64"),
    ([2.0**62, -(2.0**63)], "float64", "int64"),
    ([2**24, -3], "int64", "float32"),
    ([True, False], "bool", "int8"),
    ([0, 1], "int64", "bool"),
    ([1.5, np.inf, np.nan], "float64", "float16"),
    ([2, 256], "int64", "bfloat16"),
    ([], "float64", "uint8"),
]


@pytest.mark.parametrize("values, dtype, target", KEPT, ids=str)
def test_what_keeps_its_value_is_cast(values, dtype, target):
    found = fitted(values, dtype, target)
    assert found.dtype == getattr(ml_dtypes, target, target)
    np.testing.assert_array_equal(found.astype(dtype), np.array(values, dtype))
