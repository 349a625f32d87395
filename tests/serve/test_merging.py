"""Batching in the server: what is merged, what is not, what a full queue and a bad neighbour do."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import func_graph

from tests.serve.pressure import at_once
from tests.serve.talking import ask, predict_rest, rows
from tests.serve.test_answers import PNG
from tfkit.export.batching import Batching
from tfkit.serve.server import Server
from tfkit.serve.settings import Settings

PATH = "/v1/models/line:predict"
TOGETHER = Batching(
    max_batch_size=32, batch_timeout_micros=100_000, num_batch_threads=2, max_enqueued_batches=100
)


@pytest.fixture(scope="module")
def merging(line):
    with Server(Settings(path=line, rest_port=0, grpc_port=0, batching=TOGETHER)) as running:
        yield running


def test_simultaneous_requests_are_computed_together_and_each_gets_its_own(merging):
    def one(x):
        return lambda: predict_rest(merging, "company", x.tolist())

    inputs = [rows(1, seed) for seed in range(12)]
    found = [None] * 12
    calls = iter(range(12))

    def ask_one():
        index = next(calls)
        found[index] = one(inputs[index])()

    at_once(12, ask_one)
    assert max(answer["rows"][0] for answer in found) > 1
    for x, answer in zip(inputs, found, strict=True):
        assert np.array_equal(np.array(answer["x"], np.float32), x)


@pytest.mark.parametrize("count", [1, 32, 33, 100])
def test_large_requests_are_cut(merging, count):
    x = rows(count)
    answer = predict_rest(merging, "company", x.tolist())
    assert np.array_equal(np.array(answer["x"], np.float32), x)
    assert max(answer["rows"]) <= 32
    found = predict_rest(merging, "predict", x.tolist())
    np.testing.assert_allclose(found["y"], 3 * x + 0.5, atol=1e-6)


def test_a_bad_neighbour_spoils_nobodys_answer(merging):
    images = [PNG, b"no image"] * 6
    calls = iter(images)

    def ask_one():
        from base64 import b64encode

        image = next(calls)
        body = {"signature_name": "decode", "instances": [{"b64": b64encode(image).decode()}]}
        return image, *ask(merging, PATH, body)

    for image, status, answer in at_once(12, ask_one):
        assert status == (200 if image is PNG else 400), answer
        if image is PNG:
            assert answer["predictions"][0]["size"] == [2, 6]


def test_signatures_without_batch_axis_or_of_open_length_are_answered_alone(merging):
    assert predict_rest(merging, "scalar", 4) == 8
    assert predict_rest(merging, "lengths", [[1, 2, 3]]) == {"total": [6.0], "count": [3]}
    servable = merging.models.find("line")
    merged = [name for name in servable.signatures if servable._signatures[name].together]
    assert sorted(set(servable.signatures) - set(merged)) == ["lengths", "scalar"]


def test_inputs_of_different_numbers_of_rows_are_neither_merged_nor_cut():
    from tfkit.serve.signatures import served

    spec = tf.TensorSpec([None], tf.float32)

    @tf.function(input_signature=[spec, spec])
    def counts(x, y):
        return {"x": x, "rows": tf.fill(tf.shape(x), tf.shape(y)[0])}

    function = counts.get_concrete_function()
    found = served("counts", function, {"x": spec, "y": spec}, Batching(max_batch_size=4))
    assert found.together is not None
    answer = found.run({"x": np.zeros(8, np.float32), "y": np.zeros(11, np.float32)})
    assert answer["rows"].tolist() == [11] * 8


def test_a_full_queue_is_503(line, start):
    tight = Batching(max_batch_size=1, num_batch_threads=1, max_enqueued_batches=1)
    server = start(path=line, batching=tight, threads=16)
    body = {"signature_name": "slow", "instances": rows(1).tolist()}
    answers = at_once(12, lambda: ask(server, PATH, body))
    assert {status for status, _ in answers} == {200, 503}
    assert ask(server, PATH, body)[0] == 200


@pytest.mark.parametrize("batching", [None, TOGETHER], ids=["alone", "together"])
def test_no_request_traces_anything(line, start, monkeypatch, batching):
    server = start(path=line, batching=batching)
    traced = []
    real = func_graph.FuncGraph.__init__
    monkeypatch.setattr(
        func_graph.FuncGraph, "__init__", lambda *a, **k: (traced.append(a), real(*a, **k))[1]
    )
    for count in (1, 2, 7, 40):
        predict_rest(server, "predict", rows(count).tolist())
        predict_rest(server, "lengths", rows(count).tolist())
    assert not traced
    tf.function(lambda x: x)(1.0)
    assert traced  # the counter counts
