"""The REST interface against the golden vectors of TF Serving's rules, and its corners."""

import base64
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tfkit.serve.rest import RequestError, parse_path, parse_request, render_response

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "toolkit_rest.json").read_text())
DTYPES = {
    "DT_FLOAT": np.float32,
    "DT_INT32": np.int32,
    "DT_INT64": np.int64,
    "DT_BOOL": np.bool_,
    "DT_STRING": object,
}


def spec(dtype):
    return SimpleNamespace(dtype=SimpleNamespace(as_numpy_dtype=np.dtype(dtype).type))


def array(tensor):
    values = np.empty(len(tensor["values"]), DTYPES[tensor["dtype"]])
    for index, value in enumerate(tensor["values"]):
        if isinstance(value, dict) and "bytes_b64" in value:
            value = base64.b64decode(value["bytes_b64"])
        elif isinstance(value, dict):
            value = float(value["special"])
        values[index] = value
    return values.reshape(tensor["shape"])


def refused(call, *arguments):
    with pytest.raises(RequestError) as caught:
        call(*arguments)
    return caught.value


@pytest.mark.parametrize("as_bytes", [False, True])
@pytest.mark.parametrize("case", GOLDEN["requests"], ids=lambda case: case["request"])
def test_golden_requests(case, as_bytes):
    specs = {name: spec(DTYPES[dtype]) for name, dtype in case["signature_inputs"].items()}
    body = case["request"].encode() if as_bytes else case["request"]
    if case["status"] != 200:
        error = refused(parse_request, body, specs)
        assert error.status == case["status"] and case["error_contains"] in str(error)
        return
    request = parse_request(body, specs)
    assert request.format == case["format"] and request.tensors.keys() == case["tensors"].keys()
    for name, tensor in case["tensors"].items():
        assert request.tensors[name].dtype == DTYPES[tensor["dtype"]]
        np.testing.assert_array_equal(request.tensors[name], array(tensor), strict=True)


@pytest.mark.parametrize("case", GOLDEN["responses"], ids=lambda case: str(case["tensors"]))
def test_golden_responses(case):
    tensors = {name: array(tensor) for name, tensor in case["tensors"].items()}
    if case["status"] != 200:
        error = refused(render_response, tensors, case["format"])
        assert error.status == case["status"] and case["error_contains"] in str(error)
        return
    answer = json.loads(
        render_response(tensors, case["format"]), parse_constant=lambda word: {"special": word}
    )
    assert answer == case["json"] and str(answer) == str(case["json"])


@pytest.mark.parametrize(
    "case", GOLDEN["paths"], ids=lambda case: f"{case['http_method']} {case['path']}"
)
def test_golden_paths(case):
    arguments = case["http_method"], case["path"]
    if case["parsed"] is None:
        error = refused(parse_path, *arguments)
        assert error.status == 400 and str(error) == "Malformed request: {} {}".format(*arguments)
        return
    expected = {key: value for key, value in case["parsed"].items() if key != "note"}
    assert parse_path(*arguments) == expected


def test_paths_beyond_the_golden_ones():
    assert parse_path("GET", "/v1/models") == {}
    assert parse_path("GET", "/v1/models/metadata") == {"name": "metadata"}
    assert parse_path("POST", "/v1/models/m/labels/a%2Fb:predict")["label"] == "a/b"
    assert parse_path("GET", f"/v1/models/m/versions/{2**63 - 1}")["version"] == 2**63 - 1
    for version in (str(2**63), "9" * 5000):
        error = refused(parse_path, "GET", f"/v1/models/m/versions/{version}")
        assert error.status == 400 and "to numeric" in str(error)
    for method, path in [("PUT", "/v1/models/m"), ("GET", "/v1/models/"), ("POST", "")]:
        assert "Malformed request" in str(refused(parse_path, method, path))
    assert refused(parse_path, "GET", "/v1/models/m/versions/٣").status == 400


FLOAT = {"x": spec(np.float32)}


def test_the_signature_is_asked_for_by_its_name():
    asked = []

    def inputs(name):
        asked.append(name)
        return {"embed": FLOAT, None: {"y": spec(np.int32)}}[name]

    assert parse_request('{"signature_name": "embed", "inputs": 1}', inputs).tensors["x"] == 1
    assert parse_request('{"inputs": 1}', inputs).tensors["y"].dtype == np.int32
    request = parse_request('{"signature_name": "", "inputs": 1}', inputs)
    assert request.signature_name is None and asked == ["embed", None, None]
    assert "null" in str(refused(parse_request, '{"signature_name": null, "inputs": 1}', inputs))
    error = refused(parse_request, '{"inputs": 1}', {})
    assert str(error) == "Failed to get input map for signature: DEFAULT"


def test_tensorflow_says_its_types_itself():
    import tensorflow as tf

    specs = {"x": tf.TensorSpec(None, tf.bfloat16), "s": tf.TensorSpec([None], tf.string)}
    tensors = parse_request('{"inputs": {"x": [[0.5]], "s": ["a"]}}', specs).tensors
    assert tensors["x"].dtype == tf.bfloat16.as_numpy_dtype and tensors["s"][0] == b"a"


@pytest.mark.parametrize(
    "dtype, values, expected",
    [
        (np.float32, "-0", 0.0),
        (np.float64, "12345678901234567890123", 12345678901234567890123.0),
        (np.float32, "1e2", 100),
        (np.float16, "0.1", np.float16(0.1)),
        (np.int8, "300", 44),
        (np.uint8, "-1", 255),
        (np.uint16, "65535", 65535),
        (np.uint32, "4294967295", 2**32 - 1),
        (np.uint64, "18446744073709551615", 2**64 - 1),
        (np.int64, "-9223372036854775808", -(2**63)),
    ],
)
@pytest.mark.parametrize("nested", ["{}", "[{}]", "[[{}]]"])
def test_numbers(dtype, values, expected, nested):
    body = f'{{"inputs": {nested.format(values)}}}'
    tensor = parse_request(body, {"x": spec(dtype)}).tensors["x"]
    assert tensor.dtype == dtype and tensor.ndim == nested.count("[")
    assert tensor.item() == expected and not np.signbit(tensor.astype(float)) == (expected >= 0)


@pytest.mark.parametrize(
    "dtype, value, named",
    [
        (np.int32, "1e2", "int32"),
        (np.int32, "true", "int32"),
        (np.int64, "9223372036854775808", "int64"),
        (np.uint32, "-1", "uint32"),
        (np.uint64, "18446744073709551616", "uint64"),
        (np.float32, "null", "float"),
        (np.float32, '{"b64": "aGk="}', "float"),
        (np.float32, "[{}]", "float"),
        (np.float64, '"NaN"', "double"),
        (np.bool_, "1", "bool"),
        (object, "1", "string"),
        (object, "null", "string"),
    ],
)
@pytest.mark.parametrize(
    "form", ['{"inputs": %s}', '{"inputs": {"x": [%s]}}', '{"instances": [%s]}']
)
def test_values_of_another_type(dtype, value, named, form):
    error = refused(parse_request, form % value, {"x": spec(dtype)})
    assert error.status == 400 and f"is not of expected type: {named}" in str(error)


@pytest.mark.parametrize(
    "inputs, message",
    [
        ("[[1], []]", "Encountered list at unexpected size: 0 at level: 1 expected size: 1"),
        ("[[], [1]]", "Encountered list at unexpected size: 1 at level: 1 expected size: 0"),
        ("[1, [2]]", "Encountered list at unexpected level: 1 expected < 1"),
        ("[[], 3]", "JSON Value: 3 found at incorrect level: 2 in the JSON DOM. Expected at"),
        ('[[], ""]', "found at incorrect level: 2"),
        ("[[], {}]", "found at incorrect level: 2"),
        ("[" * 32 + "1" + "]" * 32, "Lists are nested more than 31 deep"),
        ("[[1], " + "[" * 40 + "1" + "]" * 40 + "]", "unexpected level: 2 expected < 2"),
        ("[" * 100000 + "]" * 100000, "nested too deeply"),
        ("1e400", "Number too big to be stored in double"),
        ("[Infinity, -1e400]", "Number too big to be stored in double"),
        ("1" * 400, "Number too big to be stored in double"),
        ("[[" + "1" * 5000 + "]]", "Number too big to be stored in double"),
    ],
)
def test_lists_and_numbers_that_make_no_tensor(inputs, message):
    assert message in str(refused(parse_request, f'{{"inputs": {inputs}}}', FLOAT))


def test_empty_lists_are_tensors():
    for text, shape in [("[]", (0,)), ("[[], []]", (2, 0)), ("[[[]]]", (1, 1, 0))]:
        for dtype in (np.float32, np.int32, np.bool_, object):
            tensor = parse_request(f'{{"inputs": {text}}}', {"x": spec(dtype)}).tensors["x"]
            assert tensor.shape == shape and tensor.dtype == dtype
    assert parse_request('{"instances": [[], []]}', FLOAT).tensors["x"].shape == (2, 0)


def test_errors_of_instances_say_which():
    two = {"a": spec(np.float32), "b": spec(np.int32)}
    rows = '{"instances": [{"a": 1, "b": 2}, {"a": 1, "b": 2.5}]}'
    assert str(refused(parse_request, rows, two)) == (
        "Failed to process element: 1 key: b of 'instances' list. Error: INVALID_ARGUMENT: "
        "JSON Value: 2.5 Type: Number is not of expected type: int32"
    )
    assert str(refused(parse_request, '{"instances": [[1], ["a"]]}', FLOAT)) == (
        "Failed to process element: 1 of 'instances' list. Error: INVALID_ARGUMENT: "
        'JSON Value: "a" Type: String is not of expected type: float'
    )
    repeated = '{"instances": [{"a": 1, "b": 2, "a": 3}]}'
    assert "keys must be equal to: a,b" in str(refused(parse_request, repeated, two))
    # a base64 object is no object of inputs
    error = refused(parse_request, '{"instances": [{"b64": "aGk="}]}', two)
    assert "expecting list of objects" in str(error)


def test_rows_are_counted_before_they_are_read():
    for body in ('{"instances": [1, 2, "x"]}', '{"inputs": [1, 2, "x"]}'):
        with pytest.raises(RequestError, match="has 3 rows, but at most 2"):
            parse_request(body, FLOAT, max_rows=2)
        assert "String" in str(refused(parse_request, body, FLOAT))


def test_no_array_for_a_type_without_json():
    assert refused(parse_request, '{"inputs": 1}', {"x": spec(np.complex64)}).status == 501
