"""Bodies of classify and regress: tf.Examples in, labels and numbers out."""

import json

import numpy as np
import pytest
from tensorflow.core.example import example_pb2

from tfkit.serve.rest import (
    RequestError,
    parse_examples,
    render_classifications,
    render_regressions,
)


def features(body):
    return [
        {
            name: list(getattr(feature, feature.WhichOneof("kind")).value)
            for name, feature in example_pb2.Example.FromString(data).features.feature.items()
            if feature.WhichOneof("kind")
        }
        for data in parse_examples(body).examples
    ]


def test_features_have_the_type_of_their_values():
    body = (
        '{"signature_name": "classify", "examples": [{"f": [1.0, 2e0, NaN, Infinity], "i": [1, -2, '
        'true], "one": 5, "s": ["ä", {"b64": "/wA="}], "empty": [], "big": 18446744073709551616}]}'
    )
    assert parse_examples(body).signature_name == "classify"
    (example,) = features(body)
    assert str(example.pop("f")) == "[1.0, 2.0, nan, inf]"
    assert example == {
        "i": [1, -2, 1],
        "one": [5],
        "s": ["ä".encode(), b"\xff\x00"],
        "big": [2.0**64],
    }


def test_the_context_is_in_every_example_which_may_override_it():
    body = '{"context": {"c": 1, "d": 2}, "examples": [{"x": 3.5}, {"c": 9}]}'
    assert features(body) == [{"c": [1], "d": [2], "x": [3.5]}, {"c": [9], "d": [2]}]
    # of equal keys in one example the last counts
    assert features('{"examples": [{"x": 1, "x": 2}]}') == [{"x": [2]}]


@pytest.mark.parametrize(
    "body, message",
    [
        ("{}", "key 'examples' is expected and was not found"),
        ('{"examples": 1}', "Expecting 'examples' value to be an list/array"),
        ('{"examples": []}', "'examples' value is an empty array"),
        ('{"examples": [1]}', "Example must be JSON object but got JSON Number"),
        ('{"examples": [{}], "context": []}', "Example must be JSON object but got JSON Array"),
        ('{"examples": [{"x": null}]}', "Feature: x has element with unexpected JSON type: Null"),
        ('{"examples": [{"x": [[1]]}]}', "Feature: x has element with unexpected JSON type: Array"),
        ('{"examples": [{"x": {"b": 1}}]}', "unexpected JSON type: Object"),
        (
            '{"examples": [{"x": [1, 2.0]}]}',
            "Unexpected element type in feature: x expecting type: int64",
        ),
        ('{"examples": [{"x": [1.0, 2]}]}', "feature: x expecting type: float"),
        ('{"examples": [{"x": ["a", true]}]}', "feature: x expecting type: bytes"),
        ('{"examples": [{"x": 9223372036854775808}]}', "x has uint64_t element"),
        ('{"examples": [{"x": {"b64": "?"}}]}', "Unable to base64 decode"),
        ('{"examples": [{"x": 1e400}]}', "Number too big"),
        ('{"examples": [{}], "signature_name": 1}', "'signature_name' key must be a string"),
        (b'{"examples": [{"\xff": 1}]}', "name that is not UTF-8"),
    ],
)
def test_refused(body, message):
    with pytest.raises(RequestError) as caught:
        parse_examples(body)
    assert caught.value.status == 400 and message in str(caught.value)


def test_answers():
    labels = np.array([[b"cat", b"dog"], ["ä".encode(), b""]], object)
    scores = np.array([[0.1, 2], [np.nan, 1 / 3]])
    assert render_classifications(labels, scores) == (
        '{"results": [[["cat", 0.1], ["dog", 2.0]], [["ä", NaN], ["", 0.333333343]]]}'
    )
    assert json.loads(render_classifications(None, scores[:1])) == {
        "results": [[["", 0.1], ["", 2.0]]]
    }
    assert json.loads(render_classifications(labels[:1], None))["results"][0][1] == ["dog", 0.0]
    assert render_classifications(None, np.zeros((2, 0))) == '{"results": [[], []]}'
    assert render_regressions(np.float32([[0.5], [1e10]])) == '{"results": [0.5, 1e+10]}'
    assert render_regressions(np.float64([0.1])) == '{"results": [0.1]}'


def test_answers_of_no_such_shape():
    for labels, scores in [(None, None), (None, np.zeros(3)), (np.zeros((1, 2)), np.zeros((1, 3)))]:
        with pytest.raises(RequestError, match=r"one \[batch, classes\] shape"):
            render_classifications(labels, scores)
    for call in (
        lambda: render_classifications(None, np.zeros((0, 2))),
        lambda: render_regressions(np.zeros(0)),
    ):
        with pytest.raises(RequestError, match="Cannot convert empty"):
            call()
    with pytest.raises(RequestError, match="must have the shape"):
        render_regressions(np.zeros((2, 2)))
