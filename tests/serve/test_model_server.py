import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tfkit.errors import UsageError
from tfkit.export.batching import Batching
from tfkit.serve import model_server
from tfkit.serve.configuration import read_models, write_models
from tfkit.serve.flat_text import Monitoring, Ssl, read_batching, read_monitoring, read_ssl
from tfkit.serve.folders import ModelConfig, Policy
from tfkit.serve.settings import Limits, Settings

PEM = "-----BEGIN X-----\n"
BINARY = """#!{python}
import json, os, sys
json.dump([os.getpid(), sys.argv], open({told!r}, "w"))
"""


@pytest.fixture
def home(tmp_path):
    """Two models, in a folder with a blank."""
    home = tmp_path / "saved models"
    for name in ("a/1", "b/3", "b/4"):
        (home / name).mkdir(parents=True)
        (home / name / "saved_model.pb").write_bytes(b"")
    return home


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A PATH with nothing on it."""
    monkeypatch.setenv("PATH", str(tmp_path))


def start(configs, folder, **options):
    """`start` with the models of a models.config."""
    file = folder / "given.config"
    file.write_text(write_models(configs))
    return model_server.start(Settings(config=file, **options), folder=folder)


def words(out):
    import shlex

    return shlex.split(out)


def test_without_the_binary_the_container_is_printed_and_its_files_are_written(home, bare, capsys):
    batching, monitoring = Batching(64, 2000, num_batch_threads=2), Monitoring(True)
    settings = Settings(
        path=home,
        batching=batching,
        metrics=monitoring,
        cors=True,
        limits=Limits(answer_seconds=2.5),
    )
    assert model_server.start(settings) == 0
    out, err = capsys.readouterr()
    assert words(out) == [
        *("docker", "run", "--rm", "-p", "127.0.0.1:8500:8500", "-p", "127.0.0.1:8501:8501"),
        *("-v", f"{home}/a:/models/a:ro", "-v", f"{home}/b:/models/b:ro"),
        *("-v", f"{home}/models.config:/models/models.config:ro"),
        *("-v", f"{home}/batching.config:/models/batching.config:ro"),
        *("-v", f"{home}/monitoring.config:/models/monitoring.config:ro"),
        "tensorflow/serving:2.20.0",
        "--model_config_file=/models/models.config",
        "--batching_parameters_file=/models/batching.config",
        "--monitoring_config_file=/models/monitoring.config",
        "--enable_batching=true",
        "--file_system_poll_wait_seconds=1",
        "--rest_api_timeout_in_ms=2500",
        "--rest_api_enable_cors_support=true",
    ]
    assert "not on PATH" in err
    inside = [ModelConfig(name, Path("/models") / name) for name in "ab"]
    assert read_models(home / "models.config") == inside
    read = read_batching(home / "batching.config")
    assert (read.max_batch_size, read.batch_timeout_micros, read.splits) == (64, 2000, False)
    assert read_monitoring(home / "monitoring.config") == monitoring


def test_the_binary_on_path_takes_over_the_process(home, tmp_path):
    told, folder, given = tmp_path / "told.json", tmp_path / "written", tmp_path / "given"
    given.write_text(write_models([ModelConfig("b", home / "b", Policy("all"), {"x": 3})]))
    binary = tmp_path / "bin" / "tensorflow_model_server"
    binary.parent.mkdir()
    binary.write_text(BINARY.format(python=sys.executable, told=str(told)))
    binary.chmod(0o755)
    code = (
        "from tfkit.serve import model_server as m; from tfkit.serve.settings import Settings; "
        "from tfkit.serve.flat_text import Ssl; from pathlib import Path; "
        f"m.start(Settings(config=Path({str(given)!r}), rest_port=0, grpc_port=7, "
        f"ssl=Ssl({PEM!r}, {PEM!r}), poll_seconds=0.2), folder={str(folder)!r}); "
        "raise SystemExit('returned')"
    )
    environment = {**os.environ, "PATH": f"{binary.parent}:{os.environ['PATH']}"}
    child = subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stderr=subprocess.PIPE, text=True
    )
    err = child.communicate(timeout=60)[1]
    assert child.returncode == 0
    pid, arguments = json.loads(told.read_text())
    assert pid == child.pid  # signals reach it
    assert arguments[1] == "--port=7"
    assert 1024 < int(arguments[2].removeprefix("--rest_api_port=")) < 2**16
    assert arguments[3:] == [
        f"--model_config_file={folder}/models.config",
        f"--monitoring_config_file={folder}/monitoring.config",
        f"--ssl_config_file={folder}/ssl.config",
        "--file_system_poll_wait_seconds=1",
        "--rest_api_timeout_in_ms=30000",
        "--allow_version_labels_for_unavailable_models=true",
    ]
    (model,) = read_models(folder / "models.config")
    assert (model.folder, model.policy, model.labels) == (home / "b", Policy("all"), {"x": 3})
    assert read_ssl(folder / "ssl.config") == Ssl(PEM, PEM)
    assert stat.S_IMODE((folder / "ssl.config").stat().st_mode) == 0o600
    assert "REST stays unencrypted" in err and "listens on every network" in err


def test_the_command_line(home, bare, capsys, tmp_path):
    from tfkit.cli import main

    engine = ["serve", str(home / "b"), "--engine", "tensorflow_model_server", "--json"]
    assert main([*engine, "--write", str(tmp_path / "w"), "--rest-port", "9"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert "127.0.0.1:9:8501" in told["command"]
    names = ("models.config", "batching.config", "monitoring.config")
    assert told["files"] == [f"{tmp_path}/w/{name}" for name in names]
    assert "--enable_batching=true" not in told["command"]
    assert main([*engine, "--max-rows", "7"]) == 2
    assert "has no rows" in capsys.readouterr().err
    assert main(["serve", str(home), "--write", str(tmp_path)]) == 2
    assert "--write is for --engine tensorflow_model_server" in capsys.readouterr().err


def test_files_of_others_are_not_overwritten_and_our_own_are(home, bare, capsys):
    configs = [ModelConfig("a", home / "a")]
    start(configs, home)
    start([ModelConfig("b", home / "b")], home)
    assert [model.name for model in read_models(home / "models.config")] == ["b"]
    (home / "models.config").write_text("# mine")
    with pytest.raises(UsageError, match="models.config is not tfkit's to overwrite"):
        start(configs, home)
    assert (home / "models.config").read_text() == "# mine"


def test_splitting_is_said_in_words_that_tensorflow_serving_understands(home, bare):
    configs = [ModelConfig("a", home / "a")]
    start(configs, home, batching=Batching(256, max_execution_batch_size=32))
    text = (home / "batching.config").read_text()
    assert "enable_large_batch_splitting { value: true }" in text
    assert "max_execution_batch_size { value: 32 }" in text
    with pytest.raises(UsageError, match="to end with max_batch_size"):
        start(configs, home, batching=Batching(256, allowed_batch_sizes=(1, 32)))


@pytest.mark.parametrize(
    "options, word",
    [
        ({"token": "x"}, "token"),
        ({"threads": 3}, "threads"),
        ({"request_log": "-"}, "request_log"),
        ({"limits": Limits(rows=7)}, "rows"),
        ({"limits": Limits(body_bytes=7)}, "body_bytes"),
    ],
)
def test_what_it_has_not_is_refused(home, bare, options, word):
    with pytest.raises(UsageError, match=f"has no {word};"):
        model_server.start(Settings(path=home, **options))
    assert not (home / "models.config").exists()


def test_names_and_paths_that_no_container_can_mount(tmp_path, bare):
    with pytest.raises(UsageError, match="cannot have a folder of that name"):
        start([ModelConfig("a/b", tmp_path / "x")], tmp_path)
    with pytest.raises(UsageError, match="a path with a colon"):
        start([ModelConfig("a", tmp_path / "x:y")], tmp_path)


@pytest.mark.parametrize(
    "host, published", [("localhost", ("127.0.0.1", "[::1]")), ("::1", ("[::1]",))]
)
def test_hosts_are_published_as_docker_takes_them(home, bare, capsys, host, published):
    model_server.start(Settings(path=home, host=host))
    given = [word for word in words(capsys.readouterr().out) if word.endswith(":8501:8501")]
    assert given[0].removesuffix(":8501:8501") in published
    with pytest.raises(UsageError, match="--host no.such.host.invalid"):
        model_server.start(Settings(path=home, host="no.such.host.invalid"))
