"""What the client sends, reads and refuses, against a server under our control."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from tests.serve.stand_in import ModelServer, answer_to, stand_in
from tfkit.errors import DataMissing, TfkitError, UsageError
from tfkit.serve import Client

PLAIN = {"serving_default": ({"x": ("float32", [None, 2])}, {"y": ("float32", [None])})}


ROUND_TRIPS = [
    ("float32", np.array([0.1, -0.0, 3e-45, 3.4e38], "float32")),
    ("float32", np.array([np.nan, np.inf, -np.inf], "float32")),
    ("float64", np.array([0.1, 1e308, 5e-324])),
    ("float16", np.array([0.1, 65504], "float16")),
    ("int64", np.array([2**63 - 1, -(2**63), 2**53 + 1])),
    ("uint64", np.array([2**64 - 1, 0], "uint64")),
    ("uint8", np.array([[0, 255]], "uint8")),
    ("bool", np.array([True, False])),
    ("float32", np.zeros((2, 0), "float32")),
    ("string", np.array([b"plain", 'größe\0"'.encode(), b"\xff\x00"], object)),
]


@pytest.mark.parametrize("dtype, array", ROUND_TRIPS, ids=str)
def test_every_dtype_goes_there_and_comes_back_to_the_bit(dtype, array):
    shape = [None, *array.shape[1:]]
    signatures = {"serving_default": ({"x": (dtype, shape)}, {"y": (dtype, shape)})}
    found, _ = answer_to(signatures, lambda body: json.dumps(body["inputs"]["x"]), array)
    assert found["y"].dtype == array.dtype and found["y"].shape == array.shape
    assert found["y"].tolist() == array.tolist() or np.isnan(array).any()
    if array.dtype != object:
        assert found["y"].tobytes() == array.tobytes()


def test_several_outputs_have_their_names_and_bytes_come_from_base64():
    outputs = {"png_bytes": ("string", [None]), "text": ("string", [None]), "n": ("int64", [])}
    signatures = {"serving_default": ({"x": ("float32", [None])}, outputs)}
    text = '{"png_bytes": [{"b64": "AP8="}], "text": ["\udcff"], "n": 9007199254740993}'
    found, _ = answer_to(signatures, text, [1])
    assert found["png_bytes"].tolist() == [b"\x00\xff"]
    assert found["text"].tolist() == [b"\xff"]  # no UTF-8, as a model may answer
    assert found["n"].shape == () and found["n"] == 2**53 + 1


def test_an_empty_answer_has_the_shape_of_its_metadata_and_an_empty_question_is_refused():
    shape = ("float32", [None, 3])
    signatures = {"serving_default": ({"x": shape}, {"y": shape})}
    found, _ = answer_to(signatures, "[]", np.ones((1, 3)))
    assert found["y"].shape == (0, 3) and found["y"].dtype == np.float32
    frame = pd.DataFrame({name: [] for name in "abc"})
    for nothing in (np.zeros((0, 3)), {"x": np.zeros((0, 3))}, frame):
        with pytest.raises(UsageError, match=r"x must have one row or more, got shape \[0, 3\]"):
            answer_to(signatures, "[]", nothing)


WRONG_ANSWERS = ['"a"', "[1, 2], [3]", "[[1, 2]]", "null", "{}", "[1, [2]]", "[1e400, {}]"]


@pytest.mark.parametrize("text", WRONG_ANSWERS)
def test_an_answer_that_does_not_fit_the_metadata_is_an_error(text):
    with pytest.raises(TfkitError):
        answer_to(PLAIN, text, np.zeros((1, 2)))


def test_the_signature_is_named_only_where_one_is_asked_for():
    signatures = PLAIN | {"embed": ({"z": ("int32", [None])}, {"y": ("float32", [None])})}
    assert answer_to(signatures, "[1]", np.zeros((1, 2)))[1] == {"inputs": {"x": [[0.0, 0.0]]}}
    found, sent = answer_to(signatures, "[1]", {"z": [7.0]}, signature="embed")
    assert sent == {"signature_name": "embed", "inputs": {"z": [7]}} and found["y"].tolist() == [1]
    with pytest.raises(UsageError, match="no signature 'embedd'; did you mean embed"):
        answer_to(signatures, "[1]", {"z": [7]}, signature="embedd")
    for wrong in (3, 0, b"embed"):
        with pytest.raises(UsageError, match="a signature has a name, got"):
            answer_to(signatures, "[1]", {"z": [7]}, signature=wrong)


@pytest.mark.parametrize(
    "inputs, words",
    [
        (np.zeros(2), r"x must have shape \[batch, 2\], got \[2\]; a single row needs"),
        ({"x1": np.zeros((1, 2))}, "'x' is missing; did you mean x where it says x1"),
        ({"x": [[1, 2], [3]]}, "x is no array"),
        ({"x": np.full((1, 2), "a")}, "must be float32"),
        ({"x": np.full((1, 2), 2**24 + 1)}, "cannot hold"),
        (pd.DataFrame({"x": [[1.0, 2.0]], "z": [1]}), "no input 'z'"),
    ],
    ids=str,
)
def test_inputs_that_do_not_fit_are_refused_before_they_are_sent(inputs, words):
    with stand_in(ModelServer(PLAIN, "[1]")) as server, Client(server.url) as client:
        with pytest.raises(UsageError, match=words):
            client.predict("m", inputs)
        assert {request.method for request in server.asked} == {"GET"}


def test_a_new_version_with_other_signatures_is_noticed():
    served = ModelServer(PLAIN, "[1.5]")
    with stand_in(served) as server, Client(server.url) as client:
        client.predict("m", np.zeros((1, 2)))
        client.predict("m", np.zeros((1, 2)))
        assert sum(request.path.endswith("metadata") for request in server.asked) == 1
        served.signatures = {
            "serving_default": ({"x": ("float32", [None, 3])}, {"y": ("float64", [None])})
        }
        assert client.predict("m", np.zeros((1, 3)))["y"].dtype == np.float64
        served.signatures["serving_default"][1].update(z=("int32", [None]))
        served.outputs = '{"y": [1], "z": [2]}'
        assert set(client.predict("m", np.zeros((1, 3)))) == {"y", "z"}


def test_metadata_are_asked_for_again_after_a_while(monkeypatch):
    with stand_in(ModelServer(PLAIN, "[1]")) as server, Client(server.url) as client:
        client.predict("m", np.zeros((1, 2)))
        monkeypatch.setattr("tfkit.serve.client.models._TRUSTED", 0.0)
        client.predict("m", np.zeros((1, 2)))
        assert sum(request.path.endswith("metadata") for request in server.asked) == 2


def test_versions_labels_and_names_are_in_the_path():
    with stand_in(ModelServer(PLAIN, "[1]")) as server, Client(server.url + "/") as client:
        client.predict("a b%", np.zeros((1, 2)), label="stäble/x")
        client.status("m", np.int64(7))
    path = "/v1/models/a%20b%25/labels/st%C3%A4ble%2Fx"
    assert [r.path for r in server.asked] == [
        f"{path}/metadata",
        f"{path}:predict",
        "/v1/models/m/versions/7",
    ]
    for wrong in (
        {"version": 1, "label": "x"},
        {"version": -1},
        {"version": True},
        {"version": "1"},
        {"version": 1.0},
    ):
        with pytest.raises(UsageError):
            client.predict("m", np.zeros((1, 2)), **wrong)
    for name in ("", "a/b", "m:predict", 3, None):
        with pytest.raises(UsageError, match="no name of a model"):
            client.status(name)


def test_the_token_goes_with_every_request():
    with stand_in(ModelServer(PLAIN, "[1]")) as server:
        Client(server.url, token="s3cret").predict("m", np.zeros((1, 2)))
        assert {r.headers["Authorization"] for r in server.asked} == {"Bearer s3cret"}
        Client(server.url).status("m")
        assert "Authorization" not in server.asked[-1].headers


WRONG_OPTIONS = [
    {"url": "ftp://example.org"},
    {"url": "http://"},
    {"url": "http://host:port"},
    {"url": "http://user:secret@host"},
    {"token": ""},
    {"token": "a\r\nX: y"},
    {"token": "ö"},
    {"token": "two words"},
    {"timeout": 0},
    {"timeout": None},
    {"timeout": "3"},
    {"timeout": float("inf")},
    {"retries": None},
    {"retries": 1.5},
    {"url": None},
    {"token": b"bytes"},
    {"timeout": float("nan")},
    {"retries": -1},
    {"ca_file": "/nowhere.pem"},
]


@pytest.mark.parametrize("options", WRONG_OPTIONS, ids=str)
def test_refuses_options_that_cannot_be(options):
    with pytest.raises((UsageError, DataMissing)):
        Client(**options)


def test_models_are_those_of_the_servers_own_list():
    listed = {"name": "m", "labels": {"stable": 1}, "versions": [], "archives": ["/m/1.tar.gz"]}
    with stand_in(lambda *_: (200, json.dumps({"models": [listed]}), {})) as server:
        assert Client(server.url).models() == [listed]
        assert server.asked[0].path == "/tfkit/models"


def test_signatures_are_told_without_those_of_tensorflow_itself():
    inner = {"__saved_model_init_op": ({}, {"op": ("invalid", None)})}
    with stand_in(ModelServer(PLAIN | inner)) as server:
        found = Client(server.url).signatures("m")
    assert list(found) == ["serving_default"]
    assert found["serving_default"].inputs["x"].shape == (None, 2)
    assert found["serving_default"].outputs["y"].dtype == "float32"


def test_needs_neither_tensorflow_nor_pandas():
    code = (
        "import sys, tfkit.serve; tfkit.serve.Client()\n"
        "print({'tensorflow', 'keras', 'pandas', 'PIL', 'typer', 'grpc'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
