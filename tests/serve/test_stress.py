"""64 clients at once while versions come, break and go: no wrong answer, none lost."""

import http.client
import json
import threading
import time
from collections import Counter

import numpy as np
import pytest

from tests.serve import exports
from tests.serve.talking import Stubs, idle, request, rows
from tfkit.export.batching import Batching

CLIENTS = 64
SECONDS = 1.2  # between one change and the next
MOST = 90  # seconds, however slow the machine
SCALES = {1: 2.0, 2: 3.0, 4: 5.0}  # by version; version 3 is broken
MERGED = Batching(max_batch_size=32, batch_timeout_micros=2000, max_enqueued_batches=1000)


@pytest.mark.parametrize(
    "batching", [None, pytest.param(MERGED, marks=pytest.mark.slow)], ids=["alone", "merged"]
)
def test_versions_change_under_64_clients(tmp_path, start, batching):
    home = tmp_path / "line"
    home.mkdir()
    exports.write(home / "1", SCALES[1])
    ready = {n: exports.write(tmp_path / str(n), SCALES[n]) for n in (2, 4)}
    server = start(path=home, batching=batching, poll_seconds=0.05)
    answers, wrong = Counter(), []
    until, enough = time.monotonic() + MOST, threading.Event()

    def client(index):
        random = np.random.default_rng(index)
        call = (by_rest if index % 2 else by_grpc)(server)
        while not enough.is_set() and time.monotonic() < until:
            x = rows(int(random.integers(1, 5)), int(random.integers(1000)))
            try:
                y, version = call(x)
                scales = [SCALES[version]] if version else SCALES.values()
                fits = [np.allclose(y, scale * x + 0.5, atol=1e-5) for scale in scales]
                if any(fits):
                    answers[next(s for s, fit in zip(scales, fits, strict=True) if fit)] += 1
                else:
                    wrong.append((version, x, y))
            except Exception as error:  # whatever it is, an answer was lost
                wrong.append(error)

    threads = [threading.Thread(target=client, args=(index,)) for index in range(CLIENTS)]
    for thread in threads:
        thread.start()
    time.sleep(SECONDS)
    ready[2].rename(home / "2")
    wait_for(server, 2)
    (home / "3").mkdir()
    (home / "3" / "saved_model.pb").write_bytes(b"broken")
    time.sleep(SECONDS)
    ready[4].rename(home / "4")
    wait_for(server, 4)
    time.sleep(SECONDS)
    enough.set()
    for thread in threads:
        thread.join()
    assert not wrong, wrong[:3]
    assert set(answers) == set(SCALES.values()) and sum(answers.values()) > CLIENTS
    states = {version.number: version.state for version in server.models.status("line")}
    assert states == {1: "END", 2: "END", 3: "END", 4: "AVAILABLE"}
    assert idle(server, 5)


def wait_for(server, version):
    until = time.monotonic() + 60
    while server.models.find("line").version != version and time.monotonic() < until:
        time.sleep(0.01)
    assert server.models.find("line").version == version


def by_rest(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.rest_port, timeout=60)

    def call(x):
        body = json.dumps({"signature_name": "predict", "inputs": x.tolist()})
        connection.request("POST", "/v1/models/line:predict", body)
        answer = connection.getresponse()
        text = answer.read()
        assert answer.status == 200, text
        return np.array(json.loads(text)["outputs"]["y"], np.float32), None

    return call


def by_grpc(server):
    stubs = Stubs(server)

    def call(x):
        import tensorflow as tf

        response = stubs.predictions.Predict(request({"x": x}, "predict"), timeout=60)
        return tf.make_ndarray(response.outputs["y"]), response.model_spec.version.value

    return call
