"""The client against our own server: the same answers as in process, every kind of tensor."""

import json
import time

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from PIL import Image

from tests.serve import exports
from tests.serve.talking import rows
from tfkit.cli import main
from tfkit.errors import UsageError
from tfkit.export.predict import predict
from tfkit.serve import Client, ServerRefused, ServerUnreachable
from tfkit.serve.flat_text import Ssl


@pytest.fixture
def client(server):
    with Client(f"http://127.0.0.1:{server.rest_port}") as open_client:
        yield open_client


def asked_in_process(line, signature, **inputs):
    """The SavedModel's own answer."""
    function = tf.saved_model.load(str(line / "line" / "2")).signatures[signature]
    return {name: value.numpy() for name, value in function(**inputs).items()}


def png(tmp_path, height):
    path = tmp_path / f"{height}.png"
    Image.new("L", (3, height)).save(path)
    return path


def test_every_signature_answers_as_in_process(client, line, tmp_path):
    pictures = np.array([png(tmp_path, h).read_bytes() for h in (2, 5)], object)
    x = rows(3)
    x[0] = np.nan, np.inf, -np.inf, -0.0
    example = tf.train.Example()
    example.features.feature["v"].float_list.value.append(0.25)
    examples = np.array([example.SerializeToString()], object)
    questions = {
        "predict": {"x": x},
        "single": {"x": x},
        "lengths": {"x": rows(2)[:, :3]},
        "join": {"text": np.array(["ö".encode(), b""], object), "n": np.array([2**63 - 1, -5])},
        "scalar": {"n": np.int32(21)},
        "decode": {"image_bytes": pictures},
        "score": {"inputs": examples},
        "label": {"inputs": examples},
    }
    assert set(client.signatures("line")) >= set(questions)
    for signature, inputs in questions.items():
        found = client.predict("line", inputs, signature=signature)
        tensors = {name: tf.constant(value) for name, value in inputs.items()}
        expected = asked_in_process(line, signature, **tensors)
        assert set(found) == set(expected)
        for name, array in expected.items():
            assert found[name].dtype == array.dtype, (signature, name)
            np.testing.assert_array_equal(found[name], array)


def test_tables_files_and_one_array(client, tmp_path):
    x = rows(2)
    expected = client.predict("line", {"x": x})["y"]
    np.testing.assert_allclose(expected, 3 * x + 0.5, rtol=1e-6)
    np.save(tmp_path / "x.npy", x)
    frame = pd.DataFrame(x, columns=list("abcd"))
    for given in (x, x.tolist(), frame, tmp_path / "x.npy"):
        np.testing.assert_array_equal(client.predict("line", given)["y"], expected)
    sizes = client.predict("line", png(tmp_path, 7), signature="decode")["size"]
    assert sizes.tolist() == [[7, 3]]
    table = pd.DataFrame({"text": ["a", "b"], "n": [1, 2]})
    assert client.predict("line", table, signature="join")["joined"].tolist() == [b"a-1", b"b-2"]


def test_says_what_the_server_says(client, line):
    with pytest.raises(ServerRefused, match="404 Not Found: .*nothing") as caught:
        client.status("nothing")
    assert caught.value.status == 404
    with pytest.raises(ServerRefused, match="404"):
        client.predict("line", rows(1), version=99)
    with pytest.raises(UsageError, match="did you mean predict"):
        client.predict("line", rows(1), signature="predit")
    with pytest.raises(ServerRefused, match="400 Bad Request"):
        client.predict("line", np.array([b"no picture"], object), signature="decode")
    assert client.status("line") == [{"version": 2, "state": "AVAILABLE", "error": ""}]
    (listed,) = client.models()
    assert listed["name"] == "line" and listed["versions"][0]["version"] == 2


def test_a_token_opens_and_nothing_else_does(start, line):
    server = start(path=line, token="s3cret")
    url = f"http://127.0.0.1:{server.rest_port}"
    assert Client(url, token="s3cret").predict("line", rows(1))["y"].shape == (1, 4)
    for token, words in ((None, "wants a token"), ("other", "wants another token")):
        with pytest.raises(ServerRefused, match=rf"401 Unauthorized \(the server {words}") as no:
            Client(url, token=token).predict("line", rows(1))
        assert f"server {words}: send `Authorization: Bearer TOKEN`" in no.value.said


def test_https_is_trusted_only_where_it_was_told_to(start, line, certificate, tmp_path, capsys):
    key, cert = ((certificate / name).read_text() for name in ("key.pem", "cert.pem"))
    server = start(path=line, ssl=Ssl(key, cert, cert, True))
    url = f"https://127.0.0.1:{server.rest_port}"
    known = {"ca_file": certificate / "cert.pem", "cert_file": certificate / "both.pem"}
    assert Client(url, **known).predict("line", rows(1))["y"].shape == (1, 4)
    for left_out in known:
        with pytest.raises(ServerUnreachable):
            Client(url, **{**known, left_out: None}).status("line")
    np.save(tmp_path / "in.npy", rows(2))
    files = [f"--{name.replace('_', '-')}={path}" for name, path in known.items()]
    assert main(["predict", "line", "--url", url, "-i", str(tmp_path / "in.npy"), *files]) == 0
    assert "rows" in capsys.readouterr().out


def test_a_server_that_speaks_otherwise_is_told_apart(server):
    with pytest.raises(ServerUnreachable, match="does it speak http://?"):
        Client(f"https://127.0.0.1:{server.rest_port}").status("line")
    with pytest.raises(ServerUnreachable, match="looks like the gRPC port; REST is 8501"):
        Client(f"http://127.0.0.1:{server.grpc_port}").status("line")


def test_what_there_is_stands_behind_what_there_is_not(client, tmp_path, capsys):
    for ask in (client.status, client.metadata, client.signatures):
        with pytest.raises(
            ServerRefused, match=r"The server has: line; did you mean line\?"
        ) as caught:
            ask("lime")
        assert caught.value.status == 404 and "The server has" not in caught.value.said
    offer = "Of line there are: versions 2; labels none."
    for which in ({"version": 1}, {"label": "stable"}):
        with pytest.raises(ServerRefused, match=offer):
            client.predict("line", rows(1), **which)
    np.save(tmp_path / "in.npy", rows(2))
    given = ["predict", "line", "--url", client.url, "-i", str(tmp_path / "in.npy")]
    assert main([*given, "--version", "7"]) == 1
    assert offer in capsys.readouterr().err


def test_a_swap_of_versions_goes_unnoticed_and_an_end_does_not(start, tmp_path):
    (tmp_path / "line").mkdir()
    exports.write(tmp_path / "line" / "1", 2.0)
    server = start(path=tmp_path)
    client = Client(f"http://127.0.0.1:{server.rest_port}", retries=1)
    x = np.ones((1, 4), np.float32)
    seen = [client.predict("line", x)["y"][0, 0]]
    exports.write(tmp_path / "line" / "2", 3.0)
    end = time.monotonic() + 20
    while seen[-1] != 3.5 and time.monotonic() < end:
        seen.append(client.predict("line", x)["y"][0, 0])
    assert set(seen) == {2.5, 3.5} and seen == sorted(seen)
    server.stop()
    with pytest.raises(ServerUnreachable, match="refused"):
        client.predict("line", x)


def test_the_command_answers_as_in_process(server, line, tmp_path, capsys):
    np.save(tmp_path / "in.npy", rows(130))
    local = predict(line / "line", tmp_path / "in.npy", tmp_path / "local.npz")
    arguments = ["predict", "line", "--url", f"http://127.0.0.1:{server.rest_port}", "--json"]
    arguments += ["-i", str(tmp_path / "in.npy"), "-o", str(tmp_path / "remote.npz")]
    assert main(arguments) == 0
    remote = json.loads(capsys.readouterr().out)
    assert remote["server"].endswith("/v1/models/line/versions/2")
    for key in ("signature", "rows", "outputs"):
        assert remote[key] == local[key]
    with np.load(tmp_path / "local.npz") as a, np.load(tmp_path / "remote.npz") as b:
        assert set(a.files) == set(b.files)
        for name in a.files:
            np.testing.assert_array_equal(a[name], b[name])
