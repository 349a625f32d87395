"""`tfkit predict --url`: the same command as in process, answered by a server."""

import json
import subprocess
import sys

import numpy as np
import pytest

from tests.serve.stand_in import ModelServer, stand_in
from tfkit.cli import main

SIGNATURES = {
    "predict": (
        {"x": ("float32", [None, 2])},
        {"doubled": ("float32", [None, 2]), "label": ("string", [None])},
    ),
    "serving_default": ({"x": ("float32", [None, 2])}, {"y": ("float32", [None, 2])}),
    "mean": ({"x": ("float32", [None, 2])}, {"mean": ("float32", [])}),
}


def double(body):
    if body["signature_name"] == "mean":
        return "1.5"
    rows = body["inputs"]["x"]
    return json.dumps({"doubled": (2 * np.array(rows)).tolist(), "label": ["ö"] * len(rows)})


@pytest.fixture
def server():
    with stand_in(ModelServer(SIGNATURES, double, version=7)) as running:
        yield running


@pytest.fixture
def rows(tmp_path):
    values = np.arange(260, dtype=np.float64).reshape(130, 2)
    np.save(tmp_path / "in.npy", values)
    return tmp_path / "in.npy", values


def test_files_in_and_out_in_batches_of_one_version(server, rows, tmp_path, capsys):
    path, values = rows
    out = tmp_path / "out.npz"
    arguments = ["predict", "m", "--url", server.url, "-i", str(path), "-o", str(out), "--json"]
    assert main(arguments) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["server"] == f"{server.url}/v1/models/m/versions/7"
    assert (told["signature"], told["rows"], told["written"]) == ("predict", 130, [str(out)])
    shape = {"dtype": "float32", "shape": [130, 2], "values": None}
    assert told["outputs"]["doubled"] == shape
    with np.load(out) as stored:
        np.testing.assert_array_equal(stored["doubled"], 2 * values)
        assert stored["label"].tolist() == ["ö".encode()] * 130
    posts = [request for request in server.asked if request.method == "POST"]
    assert {request.path for request in posts} == {"/v1/models/m/versions/7:predict"}
    assert [len(json.loads(request.body)["inputs"]["x"]) for request in posts] == [64, 64, 2]


def test_rows_of_many_numbers_go_in_smaller_batches(server, rows, monkeypatch, capsys):
    monkeypatch.setattr("tfkit.serve.client.asking._NUMBERS", 40)
    assert main(["predict", "m", "--url", server.url, "-i", str(rows[0])]) == 0
    assert sum(request.method == "POST" for request in server.asked) == 7  # 20 rows each
    assert "float32 [130, 2]" in capsys.readouterr().out


def test_version_label_and_token_reach_the_server(server, rows, tmp_path):
    (tmp_path / "token").write_text("s3cret\n")
    base = ["predict", "m", "--url", server.url, "-i", str(rows[0])]
    assert main([*base, "--label", "stable", "--token-file", str(tmp_path / "token")]) == 0
    assert server.asked[0].path == "/v1/models/m/labels/stable/metadata"
    assert {r.headers.get("Authorization") for r in server.asked} == {"Bearer s3cret"}
    server.asked.clear()
    assert main([*base, "--version", "3"]) == 0
    assert server.asked[0].path == "/v1/models/m/versions/3/metadata"


def test_what_cannot_be_is_said(server, rows, tmp_path, capsys):
    (tmp_path / "empty").write_text("\n")
    np.save(tmp_path / "wide.npy", np.zeros((1, 3)))
    (tmp_path / "two").write_text("first second")
    names = ("wide.npy", "empty", "two", "out.csv")
    wide, empty, two, out = (str(tmp_path / name) for name in names)
    url, given = ["--url", server.url], ["-i", str(rows[0])]
    cases = [
        (["m", *given, "--version", "1"], 2, "--version is about a server; give its --url too"),
        (["m", *given, "--token-file", empty], 2, "--token-file is about a server"),
        (
            ["savedmodels/m", *url, *given],
            2,
            "no name of a model on a server, such as beta_vae; did you mean m?",
        ),
        (["m", *url, *given, "--version", "1", "--label", "a"], 2, "a version or a label"),
        (["m/2", *url, *given], 2, "did you mean m --version 2 (version=2 in Python)?"),
        (["savedmodels/m/2/", *url, *given], 2, "did you mean m --version 2"),
        (["m/", *url, *given], 2, "did you mean m?"),
        (["m", *url, *given, "--token-file", empty], 2, "empty: expected one token"),
        (["m", *url, *given, "--token-file", two], 2, "two: expected one token"),
        (["m", *url, *given, "--token-file", "/nowhere"], 3, "/nowhere: cannot be read"),
        (["m", *url, *given, "--ca-file", empty], 2, "--ca-file is about https"),
        (["m", *url, *given, "--cert-file", empty], 2, "--cert-file is about https"),
        (["m", "--url", "https://x", *given, "--ca-file", empty], 2, f"{empty}: expected cert"),
        (["m", *url, "-i", wide], 2, "x must have shape [batch, 2], got [1, 3]"),
        (["m", *url, "-i", "nowhere.npy"], 3, "nowhere.npy does not exist"),
        (["m", *url, *given, "--signature", "predicts"], 2, "did you mean predict?"),
        (["m", *url, *given, "--signature", "mean"], 1, "mean is one value, not one a row"),
        (["m", *url, *given, "-o", out], 2, "cannot write .csv"),
    ]
    for arguments, code, words in cases:
        assert main(["predict", *arguments]) == code, arguments
        assert words in capsys.readouterr().err


def test_what_the_server_says_is_the_commands_error(rows, capsys):
    with stand_in(lambda *_: (404, '{"error": "Servable not found for request: m"}', {})) as gone:
        assert main(["predict", "m", "--url", gone.url, "-i", str(rows[0])]) == 1
    said = capsys.readouterr().err
    assert "the server answered 404 Not Found: Servable not found for request: m" in said


def test_starts_without_tensorflow(server, rows):
    code = (
        "import sys; from tfkit.cli import main\n"
        f"assert main(['predict', 'm', '--url', {server.url!r}, '-i', {str(rows[0])!r}]) == 0\n"
        "print({'tensorflow', 'keras', 'pandas', 'scipy', 'matplotlib', 'grpc'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"
