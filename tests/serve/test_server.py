"""The life of a server in a process that goes on: started, stopped, stopped again."""

import threading
import time

import grpc
import pytest

from tests.serve.talking import Stubs, ask, rows
from tfkit.errors import TfkitError, UsageError
from tfkit.serve.server import Server
from tfkit.serve.settings import Settings


@pytest.fixture
def settings(line):
    return Settings(path=line, rest_port=0, grpc_port=0, poll_seconds=0)


def test_what_is_in_flight_over_grpc_is_answered_before_the_loop_ends(settings):
    answers = []
    with Server(settings) as server:
        with Stubs(server) as stubs:
            calls = [
                threading.Thread(
                    target=lambda: answers.append(stubs.predict({"x": rows(1)}, "slow"))
                )
                for _ in range(4)
            ]
            for call in calls:
                call.start()
            until = time.monotonic() + 30
            while server.work.pending < 4 and time.monotonic() < until:
                time.sleep(0.002)
            server.stop()
            for call in calls:
                call.join()
    assert len(answers) == 4


def test_stopping_twice_or_before_the_start_does_no_harm(settings):
    never = Server(settings)
    never.stop()
    server = Server(settings)
    server.start()
    ports = server.rest_port, server.grpc_port
    assert ask(server, "/healthz")[0] == 200
    server.stop()
    server.stop()
    with pytest.raises(OSError):
        ask(server, "/healthz")
    with Server(Settings(path=settings.path, rest_port=ports[0], grpc_port=ports[1])) as again:
        assert ask(again, "/readyz")[0] == 200  # the ports are free at once


def test_a_server_is_started_once(settings):
    with Server(settings) as server:
        with pytest.raises(TfkitError, match="started already"):
            server.start()
        assert ask(server, "/healthz")[0] == 200  # nothing happened to it


def test_open_to_the_network_without_a_token_is_warned_of(line, caplog):
    for options, warned in (({}, True), ({"token": "x"}, False)):
        caplog.clear()
        settings = Settings(path=line, host="0.0.0.0", rest_port=0, grpc_port=0, **options)
        with Server(settings):
            assert ("--token-file" in caplog.text) == warned
    with pytest.raises(UsageError, match="the token is empty"):
        Settings(path=line, token="")
    assert "s3cret" not in repr(Settings(path=line, token="s3cret"))


def test_grace_bounds_how_long_a_stop_takes(line):
    settings = Settings(path=line, rest_port=0, grpc_port=0, poll_seconds=0, grace_seconds=0.2)
    server = Server(settings)
    server.start()
    servable = server.models.find("line")
    servable.predict = lambda *given: time.sleep(3)
    with Stubs(server) as stubs:
        failed = []

        def call():
            try:
                stubs.predict({"x": rows(1)})
            except grpc.RpcError as error:
                failed.append(error.code())

        thread = threading.Thread(target=call)
        thread.start()
        until = time.monotonic() + 30
        while not server.work.pending and time.monotonic() < until:
            time.sleep(0.002)
        begin = time.monotonic()
        server.stop()
        assert time.monotonic() - begin < 2.5
        thread.join()
    assert failed


def test_threads_end_with_their_server(settings):
    before = {thread.name for thread in threading.enumerate()}
    with Server(settings) as server:
        ask(server, "/v1/models/line:predict", {"instances": rows(1).tolist()})
    until = time.monotonic() + 10
    while time.monotonic() < until:
        left = {t.name for t in threading.enumerate() if t.name.startswith(("answer", "network"))}
        if left <= before:
            break
        time.sleep(0.05)
    assert left <= before
