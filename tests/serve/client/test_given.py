"""What the client makes of a table or a file: an array per input, or a refusal by name."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.serve.stand_in import answer_to
from tfkit.errors import DataMissing, UsageError


def sent_of(frame, inputs):
    signatures = {"serving_default": (inputs, {"y": ("float32", [None])})}
    return answer_to(signatures, "[1]", frame)[1]["inputs"]


def test_columns_of_a_frame_are_inputs():
    frame = pd.DataFrame(
        {
            "age": pd.array([1, 2], dtype="Int64"),
            "name": ["a", "ö"],
            "cell": [np.array([1, 2]), np.array([3, 4])],
            "flag": pd.array([True, False], dtype="boolean"),
        }
    )
    inputs = {
        "age": ("int64", [None, 1]),
        "name": ("string", [None]),
        "cell": ("float32", [None, 2]),
        "flag": ("bool", [None]),
    }
    assert sent_of(frame, inputs) == {
        "age": [[1], [2]],
        "name": ["a", "ö"],
        "cell": [[1.0, 2.0], [3.0, 4.0]],
        "flag": [True, False],
    }


def test_all_columns_are_one_matrix_where_that_is_asked_for():
    frame = pd.DataFrame({"a": [1, 2], "b": [3.5, 4.0]})
    assert sent_of(frame, {"x": ("float32", [None, 2])}) == {"x": [[1.0, 3.5], [2.0, 4.0]]}
    with pytest.raises(UsageError, match=r"must have shape \[batch, 3\], got \[2, 2\]"):
        sent_of(frame, {"x": ("float32", [None, 3])})


def test_a_missing_number_is_nan_and_fits_only_floats():
    for dtype in ("Int64", object):
        frame = pd.DataFrame({"x": pd.array([1, None], dtype=dtype)})
        (one, missing) = sent_of(frame, {"x": ("float32", [None])})["x"]
        assert one == 1 and np.isnan(missing)
    with pytest.raises(UsageError, match="x must be int64"):
        sent_of(frame, {"x": ("int64", [None])})


TIME = pd.to_datetime(["2024-01-01", "2024-01-02"])
NO_NUMBERS = [
    TIME,
    TIME.tz_localize("UTC"),
    TIME.to_period("D"),
    TIME - TIME[0],
    ["1", "2"],
    pd.array(["1", "2"], dtype="string"),
    [1 + 0j, 2],
    ["a", None],
    pd.Series([2**60 + 1, 0.5], dtype=object),
]


@pytest.mark.parametrize("column", NO_NUMBERS, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_a_column_without_numbers_is_refused_by_its_name(column, dtype):
    frame = pd.DataFrame({"count": [1, 2], "odd": column})
    with pytest.raises(UsageError, match="DataFrame: the column odd must hold numbers"):
        sent_of(frame, {"x": (dtype, [None, 2])})
    with pytest.raises(UsageError, match="DataFrame: the column odd must hold numbers"):
        sent_of(frame, {"count": (dtype, [None]), "odd": (dtype, [None])})


def test_whole_numbers_in_a_frame_keep_their_last_digit():
    large = 2**60 + 1
    columns = {"a": pd.Series([large, 2], dtype=object), "b": [3.0, 4.0], "c": [True, False]}
    frame = pd.DataFrame(columns | {"d": pd.array([1, large], dtype="Int64")})
    assert sent_of(frame, {"x": ("int64", [None, 4])})["x"] == [[large, 3, 1, 1], [2, 4, 0, large]]
    with pytest.raises(UsageError, match="a must be float64, got int64 with values that"):
        sent_of(frame, {"x": ("float64", [None, 4])})
    missing = pd.DataFrame({"a": pd.array([large, None], dtype="Int64"), "b": [1, 2]})
    with pytest.raises(UsageError, match="a must be float64, got int64 with values that"):
        sent_of(missing, {"x": ("float64", [None, 2])})
    with pytest.raises(UsageError, match="a must be int64, but has missing values"):
        sent_of(missing, {"x": ("int64", [None, 2])})


@pytest.mark.parametrize("cells", [[[1], [2, 3]], [[1, 2], None], [None, [1, 2]], [[1, 2], 3]])
def test_cells_that_are_no_array_are_refused_by_their_column(cells):
    with pytest.raises(UsageError, match="cells of odd must all be lists of one length"):
        sent_of(pd.DataFrame({"odd": cells}), {"odd": ("float32", [None, 2])})
    with pytest.raises(UsageError, match="the column odd must hold numbers"):
        sent_of(pd.DataFrame({"odd": cells, "even": [0, 0]}), {"x": ("float32", [None, 2])})


def test_files_are_read_as_the_command_reads_them(tmp_path):
    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    pictures = {"x": ("float32", [None, 4, 4, 3])}
    sent = np.array(sent_of(tmp_path, pictures)["x"], "float32")
    np.testing.assert_array_equal(sent, pixels[None] / np.float32(255))
    encoded = sent_of(str(tmp_path / "a.png"), {"x": ("string", [None])})["x"]
    assert set(encoded[0]) == {"b64"}
    np.save(tmp_path / "x.npy", np.ones((2, 2)))
    assert sent_of(tmp_path / "x.npy", {"x": ("float32", [None, 2])}) == {"x": [[1, 1], [1, 1]]}
    with pytest.raises(DataMissing, match="nowhere.npy does not exist"):
        sent_of(tmp_path / "nowhere.npy", pictures)
