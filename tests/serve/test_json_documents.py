"""What counts as JSON: rapidjson's reading of it, also of bytes that no encoder wrote."""

from types import SimpleNamespace

import numpy as np
import pytest

from tfkit.serve.rest import RequestError, parse_request

FLOAT = {"x": SimpleNamespace(dtype=np.dtype(np.float32))}
STRINGS = {"s": SimpleNamespace(dtype=np.dtype(object))}


def refused(body, specs=FLOAT):
    with pytest.raises(RequestError) as caught:
        parse_request(body, specs)
    return str(caught.value)


@pytest.mark.parametrize(
    "body, message",
    [
        ("", "JSON Parse error: The document is empty"),
        (" \n", "JSON Parse error: The document is empty. at offset: 2"),
        ('{"ä": tru}', "JSON Parse error: Invalid value. at offset: 7"),
        ("{a: 1}", "Missing a name for object member. at offset: 1"),
        ('{"a" 1}', "Missing a colon"),
        ('{"a": "', "Missing a closing quotation mark in string."),
        ('{"a": "\n"}', "Invalid encoding in string."),
        ('{"a": "\\x"}', "Invalid escape character in string."),
        ('{"a": "\\u12"}', "Incorrect hex digit"),
        ('{"a": "\\ud800"}', "The surrogate pair in string is invalid. at offset: 7"),
        ('{"a": "\\udc00"}', "The surrogate pair in string is invalid."),
        ('{"a": "\\ud800\\n\\udc00"}', "The surrogate pair in string is invalid."),
        ('"\\"' * 100000, "Is not object"),
        ("12 34", "JSON Value: 12 Is not object"),
        ('{"instances": 5}', "JSON Value: {\n    \"instances\": 5\n} Expecting 'instances'"),
    ],
)
def test_bodies_that_are_no_request(body, message):
    for form in (body, body.encode()):
        assert message in refused(form)


def test_what_rapidjson_reads_beyond_python():
    body = '\ufeff{"inputs": [Inf, -Inf, -NaN, Infinity], "other": "Inf -NaN"} {trailing'
    np.testing.assert_array_equal(
        parse_request(body.encode(), FLOAT).tensors["x"],
        np.float32([np.inf, -np.inf, np.nan, np.inf]),
    )
    # the first of equal keys counts
    assert parse_request('{"inputs": 1, "inputs": 2}', FLOAT).tensors["x"] == 1
    # text need not be UTF-8, and passes as it is
    raw = b'{"inputs": ["\xff"]}'
    assert parse_request(raw, STRINGS).tensors["s"].tolist() == [b"\xff"]
    pair = parse_request('{"inputs": ["\\ud83d\\ude00 \\\\ud800"]}', STRINGS).tensors["s"]
    assert pair[0].decode() == "\U0001f600 \\ud800"
    for text, expected in [("aGk", b"hi"), ("aG k=\\n", b"hi"), ("", b"")]:
        body = f'{{"inputs": {{"b64": "{text}"}}}}'
        assert parse_request(body, STRINGS).tensors["s"].item() == expected
    for text in ("a", "aG=", "a_-b", "ä"):
        body = f'{{"inputs": {{"b64": "{text}"}}}}'
        assert "Unable to base64 decode" in refused(body, STRINGS)
    for value in ('{"b64": 1}', '{"b64": "", "c": 1}', '{"b64": "", "b64": ""}'):
        message = refused(f'{{"inputs": [{value}]}}', STRINGS)
        assert "not formatted correctly for base64 data" in message


def test_long_values_are_cut_in_messages():
    message = refused('{"inputs": ["%s"]}' % ("a" * 10**6))
    assert len(message) < 400
    message = refused(b'{"inputs": ["\xff"]}')
    assert message.encode("utf-8")
