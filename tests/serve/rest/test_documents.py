"""What counts as JSON: rapidjson's reading of it, also of bytes that no encoder wrote."""

import json
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

from tfkit.serve.rest import RequestError, documents, parse_request

FLOAT = {"x": SimpleNamespace(dtype=np.dtype(np.float32))}
DOUBLE = {"x": SimpleNamespace(dtype=np.dtype(np.float64))}
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


GROWTH = """
import re, sys
from tfkit.serve.rest.documents import RequestError, read_object

def peak():
    return int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1]) // 1024

text = "[?" + eval(sys.argv[1])
before = peak()
try:
    read_object(text)
except RequestError:
    print(peak() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="peak memory is told by /proc")
@pytest.mark.parametrize("text", ["'\"' + 'a' * 2**22", "r'\"\\a' * 2**21", "'\"\"' * 2**21"])
def test_a_malformed_body_takes_memory_as_a_good_one_does(text):
    command = [sys.executable, "-c", GROWTH, text]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(told.stdout) < 60  # MB, of 4 to 6 MB of text; a way back for each character is 400


def fastest(function, *arguments):
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        function(*arguments)
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def test_escaped_text_is_read_about_as_fast_as_python_reads_it():
    body = json.dumps({"inputs": "\ud558\uae00" * 100_000})
    assert fastest(documents.read_object, body) < 12 * fastest(json.loads, body)


def test_surrogates_among_many():
    pairs = "\\ud83d\\ude00\\n\\ud558\\uDBFF\\uDFFF\\\\" * 3
    read = documents.read_object(f'{{"a": "{pairs}"}} "\\ud800')["a"]
    assert read == "\U0001f600\n\ud558\U0010ffff\\" * 3
    for lone in ("\\ud83d", "\\uDE00", "\\ud83d\\ud83d\\ude00", "\\ud83d\\\\ude00"):
        message = refused(f'{{"a": "{pairs}{lone}"}}')
        assert message.endswith(
            f"The surrogate pair in string is invalid. at offset: {7 + len(pairs)}"
        )


def test_an_infinity_makes_no_second_reading_of_numbers_of_common_size(monkeypatch):
    monkeypatch.setattr(documents.json, "JSONDecoder", None)
    body = '{"inputs": [Infinity, 1e-300, 1.5E+99, %s]}' % ("9" * 209 + "e99")
    assert np.isinf(parse_request(body, DOUBLE).tensors["x"]).tolist() == [True] + 3 * [False]


@pytest.mark.parametrize(
    "number", ["1e400", "-1E+400", "1e0400", "9" * 210 + "e99", "1" * 310 + ".5"]
)
def test_an_infinity_hides_no_number_beyond_a_double(number):
    assert "Number too big" in refused(f'{{"inputs": [-Inf, {number}]}}', DOUBLE)
