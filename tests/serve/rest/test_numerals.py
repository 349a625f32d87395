"""Numerals of answers, against a reading of TF Serving's rule one number at a time."""

import json

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tfkit.serve.rest import RequestError, numerals, render_response


def numeral(value):
    """json_tensor.cc, WriteDecimal."""
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    text = f"{value:g}"
    with np.errstate(over="ignore"):
        equal = type(value)(float(text)) == value
    if not equal:
        text = format(value, ".9g" if isinstance(value, np.float32) else ".17g")
    return text if "." in text or "e" in text else text + ".0"


def nested(values):
    if values.ndim == 0:
        return numeral(values[()])
    return "[" + ", ".join(map(nested, values)) + "]"


CORNERS = [0, -0.0, 0.1, 2, 9e6, 3e-5, 1e5, 999999, 1e6, 999999.5, 9999995, 1e9, 999999936, 1e17]
CORNERS += [1 / 3, 16777217, 123456.7, 1e22, 1e23, 1e-5, 0.0001, 9.9999995e-5, 1e-30, 1e-45]
CORNERS += [np.nan, np.inf, -np.inf, 4194304.5, 2**53 + 2, 5e-324, 1.7976931348623157e308]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_corners(dtype):
    with np.errstate(over="ignore"):
        values = np.array(CORNERS, dtype)
    for array in (values, -values):
        assert numerals.to_json(array) == nested(array)
        assert [numerals.to_json(value) for value in array] == list(map(numeral, array))
    assert numerals.to_json(np.float32([0.1, 2, 9e6, 3e-5])) == "[0.1, 2.0, 9e+06, 3e-05]"
    assert numerals.to_json(np.float32([1 / 3, 16777216])) == "[0.333333343, 16777216.0]"


@pytest.mark.parametrize("dtype, bits", [(np.float32, np.uint32), (np.float64, np.uint64)])
def test_any_bits_and_any_six_digits(dtype, bits):
    rng = np.random.default_rng(7)
    some = rng.integers(0, np.iinfo(bits).max, 20_000, dtype=bits).view(dtype)
    exponents = rng.integers(-50, 32, 20_000)
    six = [
        float(f"{m}e{e}") for m, e in zip(rng.integers(0, 10**6, 20_000), exponents, strict=True)
    ]
    six = np.array(six).astype(dtype)
    for values in (some, six, np.nextafter(six, dtype(np.inf)), np.trunc(six)):
        texts = numerals.to_json(values)[1:-1].split(", ")
        assert texts == list(map(numeral, values))


@given(
    arrays.arrays(
        st.sampled_from([np.float32, np.float64]),
        arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
    )
)
@settings(max_examples=150, deadline=None)
def test_lists_are_nested_as_the_axes_are(array):
    assert numerals.to_json(array) == nested(array)
    if array.ndim:
        assert numerals.rows(array) == list(map(nested, array))


def test_half_types_are_written_as_the_float32_of_equal_value():
    for dtype in (np.float16, ml_dtypes.bfloat16):
        array = np.array([0.1, 1, np.nan], dtype)
        assert numerals.to_json(array) == nested(array.astype(np.float32))


def test_integers_and_booleans():
    big = np.array([[2**63 - 1, -(2**63)]])
    expected = '{"predictions": [[9223372036854775807, -9223372036854775808]]}'
    assert render_response({"n": big}, "row") == expected
    array = np.array([2**64 - 1], np.uint64)
    assert render_response({"n": array}, "column") == '{"outputs": [18446744073709551615]}'
    both = {"n": np.int8([[1, -2]]), "ok": np.array([True])}
    assert render_response(both, "row") == '{"predictions": [{"n": [1, -2], "ok": true}]}'


def test_names_and_text_are_escaped():
    tensors = {'%s "ä': np.float32([[1], [2]]), "t": np.array([b'a"\n\x01', "ü".encode()], object)}
    rows = json.loads(render_response(tensors, "row"))["predictions"]
    assert rows == [{'%s "ä': [1.0], "t": 'a"\n\x01'}, {'%s "ä': [2.0], "t": "ü"}]
    assert json.loads(render_response(tensors, "column"))["outputs"]["t"] == ['a"\n\x01', "ü"]


def test_strings_of_any_bytes():
    # NumPy's own types for strings lose zeros at the end
    for text in (np.array([b"\xff\x00"], object), b"\xff\x00", np.array([[b"\xff\x00"]], object)):
        answer = json.loads(render_response({"png_bytes": text}, "column"))["outputs"]
        while isinstance(answer, list):
            (answer,) = answer
        assert answer == {"b64": "/wA="}
    with pytest.raises(RequestError, match="'label' has bytes that are not UTF-8") as caught:
        render_response({"label": np.array([b"\xff"], object)}, "row")
    assert caught.value.status == 400
    assert render_response({"s": ""}, "column") == '{"outputs": ""}'
    assert render_response({"s": b"a\0"}, "column") == '{"outputs": "a\\u0000"}'


def test_what_has_no_json():
    for tensors in ({}, {"z": np.zeros(2, np.complex64)}):
        with pytest.raises(RequestError) as caught:
            render_response(tensors, "column")
        assert caught.value.status == 400


def test_empty_answers():
    assert render_response({"y": np.zeros((0, 3), np.float32)}, "row") == '{"predictions": []}'
    assert render_response({"y": np.zeros((2, 0))}, "row") == '{"predictions": [[], []]}'
    pair = {"y": np.zeros((2, 0)), "s": np.array([b"", b""], object)}
    assert json.loads(render_response(pair, "row"))["predictions"] == [{"y": [], "s": ""}] * 2
