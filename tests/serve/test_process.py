"""`tfkit serve` as its users start it, and what keeps it from starting."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest

from tests.serve import exports
from tests.serve.talking import ask
from tfkit.cli import main


@pytest.fixture
def process(line, tmp_path):
    """Start `tfkit serve --json …`; gives the process and its first line, read."""
    running = []

    def begin(*arguments):
        command = [sys.executable, "-m", "tfkit", "serve", *map(str, arguments), "--json"]
        ports = ["--rest-port", "0", "--grpc-port", "0"]
        log = open(tmp_path / "stderr", "w")  # noqa: SIM115
        child = subprocess.Popen(command + ports, stdout=subprocess.PIPE, stderr=log, text=True)
        running.append(child)
        return child, json.loads(child.stdout.readline())

    yield begin
    for child in running:
        child.kill()
        child.wait()
        child.stdout.close()


def test_a_server_from_its_first_line_to_its_last_request(process, tmp_path):
    home = tmp_path / "savedmodels" / "line"
    home.mkdir(parents=True)
    exports.write(home / "1", 2.0)
    log = tmp_path / "requests.jsonl"
    child, ready = process(home.parent, "--request-log", log, "--poll", "0.1")
    assert ready["models"] == [{"name": "line", "version": 1}] and ready["grpc_port"] > 0
    server = SimpleNamespace(rest_port=ready["rest_port"])
    body = {"signature_name": "single", "instances": [[1, 0, 0, 0]]}

    def answer():
        return ask(server, "/v1/models/line:predict", body)[1]["predictions"][0][0]

    assert answer() == 2
    (home / "2").mkdir()
    (home / "2" / "saved_model.pb").write_bytes(b"broken")
    exports.write(home / "3", 7.0)
    until = time.monotonic() + 60
    while answer() != 7 and time.monotonic() < until:
        time.sleep(0.05)
    assert answer() == 7
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {line["signature"] for line in lines} == {"single"}
    assert lines[-1]["code"] == "OK" and lines[-1]["rows"] == 1 and lines[-1]["version"] == 3

    slow = {"signature_name": "slow", "instances": [[0, 0, 0, 0]]}
    answers = []

    def in_flight():
        answers.append(ask(server, "/v1/models/line:predict", slow))

    threads = [threading.Thread(target=in_flight) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    child.send_signal(signal.SIGTERM)
    for thread in threads:
        thread.join()
    assert [status for status, _ in answers] == [200] * 4
    assert child.wait(30) == 0
    assert "Traceback" not in (tmp_path / "stderr").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "give a folder of models, or --config"),
        (["nowhere"], 3, "nowhere is no folder"),
        (["--config", "nowhere.config"], 3, "nowhere.config: cannot be read"),
        (["EMPTY"], 3, "holds no numbered versions"),
        (["EMPTY", "--engine", "torchserve"], 2, "--engine"),
        (["EMPTY", "--rest-port", "70000"], 2, "rest_port must be 0 to 65535"),
        (["EMPTY", "--rest-port", "8500"], 2, "cannot share port 8500"),
        (["EMPTY", "--max-body", "4000"], 2, "largest protocol buffer"),
        (["EMPTY", "--receive-timeout", "0"], 2, "receive_seconds must be finite and above 0"),
        (["EMPTY", "--token-file", "nowhere"], 3, "nowhere: cannot be read"),
        (["EMPTY", "--batching-config", "WRONG"], 2, "max_batch_sise"),
        (["EMPTY", "--monitoring-config", "WRONG"], 2, "max_batch_sise"),
        (["EMPTY", "--ssl-config", "WRONG"], 2, "max_batch_sise"),
        (["EMPTY", "--tls-key", "WRONG"], 2, "--tls-key and --tls-cert, both"),
        (
            ["EMPTY", "--tls-key", "WRONG", "--tls-cert", "WRONG"],
            2,
            "batching.config: is no PEM file",
        ),
        (["EMPTY", "--request-log", "."], 2, "the request log cannot be written"),
        (["EMPTY", "--request-log", "no/such"], 2, "the request log cannot be written"),
        (["EMPTY", "--grace", "inf"], 2, "grace_seconds must be finite"),
        (["EMPTY", "--poll", "nan"], 2, "poll_seconds must be finite"),
        (["EMPTY", "--timeout", "inf"], 2, "answer_seconds must be finite"),
        (["EMPTY", "--threads", "100000"], 2, "threads must be 1 to 1000"),
        (["EMPTY", "--config", "WRONG"], 2, "--config models.config, not both"),
        (["EMPTY", "--tls-key", "nowhere", "--tls-cert", "WRONG"], 3, "nowhere: cannot be read"),
        (["EMPTY", "--ssl-config", "WRONG", "--tls-key", "WRONG"], 2, "leave out --tls-"),
        (["EMPTY", "--write", "somewhere"], 2, "--write is for"),
    ],
)
def test_mistakes_end_in_one_message(arguments, code, message, tmp_path, capsys, monkeypatch):
    wrong, empty = tmp_path / "batching.config", tmp_path / "models"
    wrong.write_text("max_batch_sise { value: 3 }")
    empty.mkdir()
    monkeypatch.chdir(tmp_path)
    given = {"WRONG": str(wrong), "EMPTY": str(empty)}
    assert main(["serve", *[given.get(a, a) for a in arguments]]) == code
    said = capsys.readouterr().err
    assert message in said and "Traceback" not in said and said.count("\n") <= 3


def test_every_option_reaches_the_server(tmp_path, monkeypatch):
    """One by one, and left out: the command's defaults are those of the settings."""
    from tfkit.serve import flat_text, running
    from tfkit.serve.settings import Limits, Settings

    def file(name, text):
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    pem = "-----BEGIN X-----"
    key = file("key.pem", f"{pem} key")
    cert, ca = file("cert.pem", f"{pem} cert"), file("ca.pem", f"{pem} ca")
    models, log = file("models.config", ""), str(tmp_path / "log")
    batching = file("batching.config", "max_batch_size { value: 7 }")
    metrics = file("metrics.config", 'prometheus_config { enable: true path: "/m" }')
    secrets = flat_text.Ssl(f"{pem} key", f"{pem} cert", f"{pem} ca", True)
    expected = {
        ("--rest-port", "1"): {"rest_port": 1},
        ("--grpc-port", "2"): {"grpc_port": 2},
        ("--host", "::1"): {"host": "::1"},
        ("--threads", "3"): {"threads": 3},
        ("--max-body", "4"): {"limits": Limits(body_bytes=4 * 2**20)},
        ("--max-buffered", "8"): {"limits": Limits(buffered_bytes=8 * 2**20)},
        ("--max-rows", "5"): {"limits": Limits(rows=5)},
        ("--max-concurrent", "6"): {"limits": Limits(concurrent=6)},
        ("--receive-timeout", "0.7"): {"limits": Limits(receive_seconds=0.7)},
        ("--timeout", "0.8"): {"limits": Limits(answer_seconds=0.8)},
        ("--poll", "0"): {"poll_seconds": 0},
        ("--grace", "9"): {"grace_seconds": 9},
        ("--cors",): {"cors": True},
        ("--request-log", log): {"request_log": log},
        ("--token-file", file("token", "secret\n")): {"token": "secret"},
        ("--batching-config", batching): {"batching": flat_text.read_batching(batching)},
        ("--monitoring-config", metrics): {"metrics": flat_text.Monitoring(True, "/m")},
        ("--ssl-config", file("ssl", flat_text.write_ssl(secrets))): {"ssl": secrets},
        ("--tls-key", key, "--tls-cert", cert, "--tls-client-ca", ca): {"ssl": secrets},
        (): {},
    }
    got = []
    monkeypatch.setattr(running, "run", lambda settings, **options: got.append((settings, options)))
    for arguments, options in expected.items():
        assert main(["serve", str(tmp_path), *arguments]) == 0
        assert got[-1][0] == Settings(path=tmp_path, **options), arguments
    assert got[-1][1] == {"as_json": False, "quiet": False}
    assert main(["serve", "--config", models, "--json", "--quiet"]) == 0
    assert got[-1] == (
        Settings(config=tmp_path / "models.config"),
        {"as_json": True, "quiet": True},
    )


def test_only_broken_models_end_in_one_message(tmp_path, capsys):
    (tmp_path / "m" / "1").mkdir(parents=True)
    (tmp_path / "m" / "1" / "saved_model.pb").write_bytes(b"broken")
    ports = ["--rest-port", "0", "--grpc-port", "0"]
    assert main(["serve", str(tmp_path), *ports]) == 1
    assert "no model could be loaded: m version 1:" in capsys.readouterr().err


def test_a_missing_package_is_named_with_its_cure(line, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(["serve", str(line)]) == 2
    assert "pip install 'tfkit[serving]'" in capsys.readouterr().err


def test_some_broken_models_keep_readiness_but_not_the_others(tmp_path, start):
    for name in ("good", "bad"):
        (tmp_path / name).mkdir()
    exports.write(tmp_path / "good" / "1")
    (tmp_path / "bad" / "1").mkdir()
    (tmp_path / "bad" / "1" / "saved_model.pb").write_bytes(b"broken")
    server = start(path=tmp_path)
    assert ask(server, "/healthz")[0] == 200
    status, answer = ask(server, "/readyz")
    assert status == 503 and answer["error"].startswith("bad version 1:")
    assert ask(server, "/v1/models/good:predict", {"instances": [[1, 2, 3, 4]]})[0] == 200
    assert ask(server, "/v1/models/bad:predict", {"instances": [[1, 2, 3, 4]]})[0] == 404
    state = ask(server, "/v1/models/bad")[1]["model_version_status"][0]
    assert state["state"] == "END" and state["status"]["error_message"]
    exports.write(tmp_path / "bad" / "2")  # mended, and a third model appears
    (tmp_path / "new").mkdir()
    exports.write(tmp_path / "new" / "1")
    until = time.monotonic() + 60
    body = {"instances": [[1, 2, 3, 4]]}
    while ask(server, "/v1/models/new:predict", body)[0] != 200 and time.monotonic() < until:
        time.sleep(0.1)
    assert ask(server, "/v1/models/new:predict", body)[0] == 200
    assert ask(server, "/v1/models/bad:predict", body)[0] == 200
    assert ask(server, "/readyz")[0] == 200
    (tmp_path / "late" / "1").mkdir(parents=True)  # and a broken one, which is nobody's fault
    (tmp_path / "late" / "1" / "saved_model.pb").write_bytes(b"broken")
    while ask(server, "/v1/models/late")[0] != 200 and time.monotonic() < until:
        time.sleep(0.1)
    assert ask(server, "/readyz")[0] == 200


def test_a_warm_up_that_fails_keeps_the_old_version(tmp_path, start):
    home = tmp_path / "line"
    home.mkdir()
    exports.write(home / "1", 2.0)
    server = start(path=home)
    partial = exports.write(tmp_path / "2", 9.0)
    file = partial / "assets.extra" / "tf_serving_warmup_requests"
    file.write_bytes(file.read_bytes()[:-5])
    os.rename(partial, home / "2")
    until = time.monotonic() + 60
    while server.models.find("line").version == 1 and time.monotonic() < until:
        if any(version.error for version in server.models.status("line")):
            break
        time.sleep(0.05)
    found = {version.number: version for version in server.models.status("line")}
    assert found[2].state == "END" and found[1].state == "AVAILABLE"
    body = {"signature_name": "single", "instances": [[1, 0, 0, 0]]}
    assert ask(server, "/v1/models/line:predict", body)[1] == {"predictions": [[2, 0, 0, 0]]}


def test_the_archives_are_a_hub(tmp_path, monkeypatch, start):
    hub = pytest.importorskip("tensorflow_hub")
    import numpy as np
    import tensorflow as tf

    from tfkit.export.versions import pack

    home = tmp_path / "savedmodels" / "a b"
    home.mkdir(parents=True)
    pack(exports.write(home / "1", 5.0), home / "1.tar.gz")
    server = start(path=home.parent)
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))
    loaded = hub.load(f"http://127.0.0.1:{server.rest_port}/a%20b/1.tar.gz")
    found = loaded.signatures["single"](x=tf.ones([1, 4]))["y"]
    np.testing.assert_array_equal(found, np.full((1, 4), 5.0))
    for path in ("/a%20b/2.tar.gz", "/a%20b/../1.tar.gz", "/a%20b/1", "/a%20b/%2e%2e/x"):
        assert ask(server, path)[0] == 404
