"""Metrics under TF Serving's names, gRPC's health service, the request log."""

import json
import re
from types import SimpleNamespace

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.serve import exports
from tests.serve.talking import Stubs, ask, predict_rest, rows
from tests.serve.test_answers import example
from tfkit.serve.flat_text import Monitoring
from tfkit.serve.grpc_service import HEALTH_NAMES

PATH = "/v1/models/line:predict"


def metrics(server):
    """{name and labels: value} of the metrics page."""
    text = ask(server, "/monitoring/prometheus/metrics")[1].decode()
    lines = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in lines}


@pytest.fixture
def counted(line, start):
    return start(path=line)


def test_requests_are_counted_by_their_codes(counted):
    for _ in range(3):
        predict_rest(counted, "single", rows(1).tolist())
    ask(counted, PATH, {"signature_name": "single", "instances": [["no number"] * 4]})
    ask(counted, "/v1/models/made-up-by-a-stranger:predict", {"instances": [1]})
    with Stubs(counted) as stubs:
        stubs.predict({"x": rows(1)}, "single")
        with pytest.raises(grpc.RpcError):
            stubs.predict({"x": rows(1)}, "nobody")
    found = metrics(counted)
    tf = ":tensorflow:serving:"
    assert found[f'{tf}request_count{{model_name="line",status="OK"}}'] == 4
    assert found[f'{tf}request_count{{model_name="line",status="INVALID_ARGUMENT"}}'] == 1
    assert found[f'{tf}request_count{{model_name="line",status="FAILED_PRECONDITION"}}'] == 1
    assert found[f'{tf}request_count{{model_name="",status="NOT_FOUND"}}'] == 1
    assert not any("stranger" in name for name in found)  # no sender makes metrics
    of = 'model_name="line"}'
    assert found[f'{tf}request_latency_count{{API="predict",entrypoint="REST",{of}'] == 3
    assert found[f'{tf}request_latency_count{{API="Predict",entrypoint="GRPC",{of}'] == 1
    runtime = f'{tf}runtime_latency_sum{{API="Predict",model_name="line",runtime="TF1"}}'
    latency = f'{tf}request_latency_sum{{API="predict",entrypoint="REST",{of}'
    assert 4 * 50 < found[runtime] < 4e7  # microseconds
    assert 3 * 50 < found[latency] < 4e7
    seconds = [
        v for name, v in found.items() if name.startswith("tfkit_request_latency_seconds_sum")
    ]
    assert seconds and all(1e-5 < value < 40 for value in seconds)


def test_examples_and_warm_ups_are_counted(counted):
    body = {"signature_name": "score", "examples": [{"v": 1.0}] * 3}
    ask(counted, "/v1/models/line:regress", body)
    with Stubs(counted) as stubs:
        from tensorflow_serving.apis import regression_pb2

        message = regression_pb2.RegressionRequest()
        message.model_spec.name, message.model_spec.signature_name = "line", "score"
        message.input.example_list.examples.extend([example(1.0), example(2.0)])
        stubs.predictions.Regress(message)
    found = metrics(counted)
    tf = ":tensorflow:serving:"
    assert found[f'{tf}request_example_count_total{{model="line"}}'] == 5
    assert found[f'{tf}request_example_counts_count{{model="line"}}'] == 2
    read = [v for name, v in found.items() if name.startswith(f"{tf}model_warmup_records_read{{")]
    assert read == [4]  # two signatures at two sizes


def test_the_series_of_a_version_go_with_it(tmp_path, start):
    home = tmp_path / "line"
    home.mkdir()
    exports.write(home / "1")
    server = start(path=home, poll_seconds=0)
    counts = []
    for version in (2, 3):
        predict_rest(server, "single", rows(1).tolist())
        counts.append(len(metrics(server)))
        exports.write(home / str(version))
        server.models.poll()
    predict_rest(server, "single", rows(1).tolist())
    assert len(metrics(server)) == counts[0] == counts[1]
    assert not any('version="1"' in name or "line/1" in name for name in metrics(server))


def test_metrics_can_be_elsewhere_or_nowhere(line, start):
    elsewhere = start(path=line, metrics=Monitoring(True, "/m"))
    assert b"request_count" in ask(elsewhere, "/m")[1]
    nowhere = start(path=line, metrics=Monitoring(False))
    for server in (elsewhere, nowhere):
        assert ask(server, "/monitoring/prometheus/metrics")[0] == 404


def health(server, name):
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        return stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=20).status


def test_grpcs_health_service_follows_readiness(tmp_path, line, start):
    ready = start(path=line)
    (tmp_path / "good").mkdir()
    exports.write(tmp_path / "good" / "1")
    (tmp_path / "bad" / "1").mkdir(parents=True)
    (tmp_path / "bad" / "1" / "saved_model.pb").write_bytes(b"broken")
    half = start(path=tmp_path)
    import time

    time.sleep(0.5)
    serving, not_serving = (
        getattr(health_pb2.HealthCheckResponse, n) for n in ("SERVING", "NOT_SERVING")
    )
    for name in HEALTH_NAMES:
        assert health(ready, name) == serving
        assert health(half, name) == not_serving
    with pytest.raises(grpc.RpcError) as error:
        health(ready, "nobody")
    assert error.value.code() == grpc.StatusCode.NOT_FOUND


def test_the_request_log_survives_its_rotation(tmp_path, line, start):
    log = tmp_path / "requests.jsonl"
    server = start(path=line, request_log=str(log))
    predict_rest(server, "single", rows(2).tolist())
    log.rename(tmp_path / "old")
    ask(server, PATH, "{")
    (first,), (second,) = (
        [json.loads(line) for line in file.read_text().splitlines()]
        for file in (tmp_path / "old", log)
    )
    assert SimpleNamespace(**first).rows == 2 and first["code"] == "OK" and first["seconds"] > 0
    assert second["code"] == "INVALID_ARGUMENT" and re.search("JSON Parse error", second["error"])


def test_the_code_of_a_load_that_failed_is_tensorflows(tmp_path, start):
    home = tmp_path / "line"
    home.mkdir()
    exports.write(home / "1", 2.0)
    server = start(path=home, poll_seconds=0)
    broken = exports.write(home / "2")
    file = broken / "assets.extra" / "tf_serving_warmup_requests"
    file.write_bytes(file.read_bytes()[:-5])
    server.models.poll()
    found = {v["version"]: v for v in ask(server, "/v1/models/line")[1]["model_version_status"]}
    assert found["1"]["state"] == "AVAILABLE" and found["2"]["state"] == "END"
    assert found["2"]["status"]["error_code"] == "DATA_LOSS"


def test_a_request_log_that_cannot_be_reopened_fails_no_request(tmp_path, line, start, caplog):
    folder = tmp_path / "logs"
    folder.mkdir()
    server = start(path=line, request_log=str(folder / "requests.jsonl"))
    folder.rename(tmp_path / "away")
    assert predict_rest(server, "single", [[1, 0, 0, 0]]) == [[3, 0, 0, 0]]
    assert any("request log cannot be written" in r.getMessage() for r in caplog.records)
