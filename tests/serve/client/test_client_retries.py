"""What the client tries again, how long it waits, and what its errors say."""

import json
import socket

import numpy as np
import pytest

from tests.serve.stand_in import ModelServer, stand_in
from tfkit.errors import TfkitError
from tfkit.serve import Client, ServerRefused, ServerUnreachable

PLAIN = {"serving_default": ({"x": ("float32", [None, 2])}, {"y": ("float32", [None])})}


@pytest.fixture
def waits(monkeypatch):
    """Seconds that the client would have slept."""
    slept = []
    monkeypatch.setattr("tfkit.serve.client.sending.time.sleep", slept.append)
    return slept


def refusing(*statuses, headers=None):
    """Answers these statuses, one after another, then as a model."""
    left, model = list(statuses), ModelServer(PLAIN, "[1]")

    def answer(method, path, request):
        if method == "POST" and left:
            status = left.pop(0)
            return (status, '{"error": "no room"}', headers or {}) if status else None
        return model(method, path, request)

    return answer


@pytest.mark.parametrize("status", [429, 503])
def test_tries_again_later_each_time_after_429_and_503(waits, status):
    with stand_in(refusing(status, status, status)) as server, Client(server.url) as client:
        assert client.predict("m", np.zeros((1, 2)))["y"].tolist() == [1]
        assert sum(request.method == "POST" for request in server.asked) == 4
    assert len(waits) == 3
    for tries, seconds in enumerate(waits):
        assert 0.05 * 2**tries <= seconds <= 0.15 * 2**tries


def test_waits_as_long_as_the_server_asks_but_no_longer_than_ten_seconds(waits):
    asked = [{"Retry-After": "3"}, {"Retry-After": "86400"}, {"Retry-After": "soon"}]
    for headers in asked:
        with stand_in(refusing(503, headers=headers)) as server, Client(server.url) as client:
            client.predict("m", np.zeros((1, 2)))
    assert waits[:2] == [3, 10] and waits[2] < 0.2


@pytest.mark.parametrize("status", [400, 401, 404, 409, 413, 500, 502, 504, None])
def test_does_not_ask_again_what_may_have_been_answered(waits, status):
    with stand_in(refusing(status)) as server, Client(server.url) as client:
        with pytest.raises((ServerRefused, ServerUnreachable)):
            client.predict("m", np.zeros((1, 2)))
        assert sum(request.method == "POST" for request in server.asked) == 1
    assert waits == []


def test_says_what_the_server_said_and_where(waits):
    with stand_in(refusing(503, 503, 503)) as server, Client(server.url, retries=2) as client:
        with pytest.raises(ServerRefused) as caught:
            client.predict("m", np.zeros((1, 2)), version=3)
    assert caught.value.status == 503 and caught.value.said == "no room"
    where = f"POST {server.url}/v1/models/m/versions/3:predict"
    assert str(caught.value) == (
        f"{where}: the server answered 503 Service Unavailable 3 times: no room"
    )


@pytest.mark.parametrize("body", ["<h1>Bad gateway</h1>\x1b[2J", "[" * 100_000, '{"error": 1}', ""])
def test_tells_what_is_no_json_without_drawing_it(body):
    for status in (200, 502):
        with stand_in(lambda *_, status=status: (status, body, {})) as server:
            with pytest.raises(ServerRefused if status == 502 else TfkitError) as caught:
                Client(server.url).status("m")
        message = str(caught.value)
        assert "\x1b" not in message and len(message) < 500


def test_a_refused_connection_is_tried_again_until_somebody_listens(waits, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    client = Client(f"http://127.0.0.1:{port}", retries=3)
    with pytest.raises(ServerUnreachable, match=r"refused \(4 times\); is a server running"):
        client.status("m")
    assert len(waits) == 3
    servers = []

    def start(_):
        servers.append(stand_in(ModelServer(PLAIN), port))
        servers[-1].__enter__()

    monkeypatch.setattr("tfkit.serve.client.sending.time.sleep", start)
    try:
        assert client.status("m") == [{"version": 1, "state": "AVAILABLE", "error": ""}]
    finally:
        for server in servers:
            server.__exit__(None, None, None)


def test_what_there_is_is_asked_for_only_where_something_is_not_there(waits):
    listed = {"name": "m", "labels": {"stable": 3}, "versions": [{"version": 3, "state": "END"}]}
    answers = [json.dumps({"models": [listed]}), "[]", '{"models": [3]}', '{"models": []}']
    offers = [
        "404 Not Found: gone. Of m there are: versions none; labels stable (3).",
        "404 Not Found: gone",
        "404 Not Found: gone",
        "404 Not Found: gone. The server has: no models.",
    ]
    for answer, offer in zip(answers, offers, strict=True):

        def gone(method, path, _, answer=answer):
            return (200, answer, {}) if path == "/tfkit/models" else (404, '{"error": "gone"}', {})

        with stand_in(gone) as server, pytest.raises(ServerRefused) as caught:
            Client(server.url).status("m")
        assert str(caught.value).endswith(offer)
    with stand_in(lambda *_: (500, '{"error": "no"}', {})) as server:
        with pytest.raises(ServerRefused, match="no$"):
            Client(server.url).status("m")
        assert len(server.asked) == 1


def test_silence_ends_after_the_timeout(waits):
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        client = Client(f"http://127.0.0.1:{deaf.getsockname()[1]}", timeout=0.1)
        with pytest.raises(ServerUnreachable, match="no answer within 0.1 s"):
            client.status("m")
    assert waits == []
