"""Any text for a body: a request or a RequestError, and what a slow reading of the rules gives."""

import json

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.serve.rest.slow_reading import Refused, reference
from tfkit.serve.rest import (
    RequestError,
    parse_examples,
    parse_path,
    parse_request,
    render_response,
)

DTYPES = (
    np.float32,
    np.float64,
    np.int32,
    np.int8,
    np.int64,
    np.uint32,
    np.uint64,
    np.bool_,
    object,
)


class Spec:
    def __init__(self, dtype):
        self.dtype = np.dtype(dtype)


def assert_same(got, expected):
    assert got.dtype == expected.dtype and got.shape == expected.shape
    if got.dtype == object:
        assert got.tolist() == expected.tolist()
    else:
        np.testing.assert_array_equal(got, expected)
        # -0.0 is another number than 0.0; a NaN's sign is not sent
        signs = [np.signbit(array * 1.0) & (array == array) for array in (got, expected)]
        np.testing.assert_array_equal(*signs)


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 300),
    st.integers(-(2**65), 2**65),
    st.floats(),
    st.sampled_from([2**31 - 1, 2**31, -(2**31), 2**32, 2**63, 2**64, -(2**63), 1e39, -0.0]),
    st.text(max_size=3),
    st.sampled_from([{"b64": "aGk="}, {"b64": "?"}, {"b64": 1}, {"b64": "", "c": ""}, {}]),
)
NUMBERS = st.one_of(st.integers(-9, 300), st.floats(), st.booleans())


@st.composite
def regular(draw, leaves):
    """Lists of lists of equal sizes, now and then with one value that is another."""
    shape = draw(st.lists(st.integers(0, 3), max_size=3))
    value = _lists(draw, shape, draw(st.sampled_from(leaves)))
    if draw(st.integers(0, 3)) == 0:
        _spoil(draw, value)
    return value


def _lists(draw, shape, leaves):
    return [_lists(draw, shape[1:], leaves) for _ in range(shape[0])] if shape else draw(leaves)


def _spoil(draw, value):
    while isinstance(value, list) and value:
        index = draw(st.integers(0, len(value) - 1))
        if draw(st.booleans()) or not isinstance(value[index], list):
            value[index] = draw(st.one_of(SCALARS, st.lists(SCALARS, max_size=2)))
            return
        value = value[index]


LEAVES = [SCALARS, NUMBERS, st.integers(0, 9), st.floats(), st.booleans(), st.text(max_size=2)]
VALUES = regular(LEAVES)


@st.composite
def requests(draw):
    dtypes = draw(st.lists(st.sampled_from(DTYPES), min_size=1, max_size=2))
    specs = {name: Spec(dtype) for name, dtype in zip("xy", dtypes, strict=False)}
    objects = st.fixed_dictionaries({name: VALUES for name in specs}, optional={"z": SCALARS})
    key = draw(st.sampled_from(["instances", "inputs"]))
    if key == "instances":
        same = st.fixed_dictionaries({name: draw(VALUES_ALIKE) for name in specs})
        content = st.one_of(VALUES, st.lists(objects, max_size=3), st.lists(same, max_size=3))
    else:
        content = st.one_of(VALUES, objects)
    document = {key: draw(content)}
    if draw(st.integers(0, 9)) == 0:
        document[draw(st.sampled_from(["inputs", "other"]))] = draw(SCALARS)
    return document, specs


VALUES_ALIKE = st.sampled_from(
    [st.integers(0, 9), st.floats(), st.lists(NUMBERS, min_size=2, max_size=2), st.text(max_size=2)]
)


@given(requests(), st.booleans(), st.booleans())
@settings(max_examples=600, deadline=None)
def test_agrees_with_a_slow_reading_of_the_rules(request, ascii_only, as_bytes):
    document, specs = request
    body = json.dumps(document, ensure_ascii=ascii_only)
    # a lone half of a surrogate pair cannot be sent
    body = body if ascii_only else body.encode("utf-8", "replace").decode()
    if not ascii_only:
        document = json.loads(body)
    try:
        expected = reference(document, specs)
    except (Refused, ValueError):
        expected = None
    try:
        got = parse_request(body.encode() if as_bytes else body, specs)
    except RequestError as error:
        assert expected is None, str(error)
        assert error.status == 400 and str(error).encode("utf-8")
        return
    assert expected is not None
    assert got.format == ("row" if "instances" in document else "column")
    assert got.tensors.keys() == specs.keys()
    for name in specs:
        assert_same(got.tensors[name], expected[name])


SPECS = {"x": Spec(np.float32)}
MIXED = {"x": Spec(np.float64), "s": Spec(object)}
SEEDS = [
    b'{"instances": [[0.5, 1], [2, -3.25e2]], "signature_name": "predict"} tail',
    b'{"inputs": {"x": [1, NaN, -Infinity], "s": ["a\\u00e4", {"b64": "aGk="}]}}',
    '{"instances": [{"x": [[1]], "s": "ä\\ud83d\\ude00"}]}'.encode(),
    b'{"examples": [{"x": [1.0, 2], "s": "a"}], "context": {"c": [true, {"b64": "aGk="}]}}',
]
SPLICES = [
    b"[",
    b"]",
    b"{",
    b"}",
    b'"',
    b",",
    b":",
    b"-",
    b"1e400",
    b"\\",
    b"\\ud800",
    b"\xff",
    b"\x00",
]
SPLICES += [
    b"null",
    b"Inf",
    b'"x": 1,',
    b"9" * 400,
    b"9" * 5000,
    b"[" * 2000,
    b"\xef\xbb\xbf",
    b" ",
]


@st.composite
def mutated(draw):
    body = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(body)))
        end = start + draw(st.integers(0, 6))
        body = body[:start] + draw(st.sampled_from([b"", *SPLICES])) + body[end:]
    return body


@given(st.one_of(mutated(), st.binary(max_size=40), st.text(max_size=40)))
@settings(max_examples=600, deadline=None)
def test_any_body_is_a_request_or_a_request_error(body):
    for read in (
        lambda: parse_request(body, SPECS),
        lambda: parse_request(body, MIXED),
        lambda: parse_examples(body),
    ):
        try:
            read()
        except RequestError as error:
            assert error.status == 400 and str(error).encode("utf-8")


@given(st.sampled_from(["GET", "POST", "PUT"]), st.text(max_size=30), st.booleans())
@settings(max_examples=300, deadline=None)
def test_any_path_is_parsed_or_refused(method, path, below):
    try:
        parsed = parse_path(method, "/v1/models/" + path if below else path)
    except RequestError as error:
        assert error.status == 400
    else:
        assert parsed.keys() <= {"name", "version", "label", "method", "sub"}


@given(st.lists(st.floats(width=32), min_size=1, max_size=8))
@settings(max_examples=200, deadline=None)
def test_what_is_answered_reads_back(values):
    array = np.float32(values)
    body = render_response({"y": array}, "row").replace("predictions", "instances")
    assert_same(parse_request(body, SPECS).tensors["x"], array)
