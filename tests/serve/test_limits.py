"""What one sender may not do: too much, too many, too slow."""

import gzip
import json
import socket
import time

import grpc
import numpy as np
import pytest

from tests.serve.talking import Stubs, ask, request, rows
from tfkit.errors import UsageError
from tfkit.serve.settings import Limits

PATH = "/v1/models/line:predict"
GOOD = {"instances": [[1, 2, 3, 4]]}
SMALL = Limits(body_bytes=20_000, rows=100, header_bytes=4096, receive_seconds=0.7, connections=20)


@pytest.fixture(scope="module")
def bounded(line):
    from tfkit.serve.server import Server
    from tfkit.serve.settings import Settings

    with Server(Settings(path=line, rest_port=0, grpc_port=0, limits=SMALL)) as running:
        yield running


def well(server):
    assert ask(server, PATH, GOOD)[1] == {
        "predictions": [{"largest": 3, "y": [3.5, 6.5, 9.5, 12.5]}]
    }


@pytest.mark.parametrize("size", [25_000, 60_000, 1_000_000])
def test_a_body_too_large_is_413_and_hears_it(bounded, size):
    status, answer = ask(bounded, PATH, b" " * size)
    assert status == 413 and "20000 bytes" in answer["error"]
    well(bounded)


def test_gzip_bodies_are_read_and_bombs_are_413(bounded):
    zipped = {"Content-Encoding": "gzip"}
    body = json.dumps(GOOD).encode()
    for packed in (gzip.compress(body), gzip.compress(body[:5]) + gzip.compress(body[5:])):
        assert ask(bounded, PATH, packed, zipped)[0] == 200
    bomb = gzip.compress(b" " * 10_000_000)
    assert len(bomb) < SMALL.body_bytes
    assert ask(bounded, PATH, bomb, zipped)[0] == 413
    for broken in (b"no gzip", gzip.compress(body)[:-9], gzip.compress(body) + b"more"):
        status, answer = ask(bounded, PATH, broken, zipped)
        assert status == 400 and "gzip" in answer["error"]
    assert ask(bounded, PATH, body, {"Content-Encoding": "br"})[0] == 415


def test_a_body_of_ever_so_many_gzip_members_is_refused_at_once(line, start):
    members = gzip.compress(b"") * 100_000
    server = start(path=line)
    begin = time.monotonic()
    status, answer = ask(server, PATH, members, {"Content-Encoding": "gzip"})
    assert status == 400 and "more than 1000 members" in answer["error"]
    assert time.monotonic() - begin < 5


def test_too_many_rows(bounded):
    status, answer = ask(bounded, PATH, {"instances": [[0, 0, 0, 0]] * 101})
    assert status == 400 and "101 rows, but at most 100" in answer["error"]
    with Stubs(bounded) as stubs, pytest.raises(grpc.RpcError, match="101 rows, but at most 100"):
        stubs.predict({"x": rows(101)})


def test_a_grpc_message_too_large(bounded):
    with Stubs(bounded) as stubs, pytest.raises(grpc.RpcError) as error:
        stubs.predict({"text": np.array([b"x" * 30_000]), "n": np.array([1])}, "join")
    assert error.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_head_too_large_is_refused(bounded):
    for count in (5, 200):
        with raw(bounded) as sock:
            head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\n" + "".join(
                f"H{i}: {'v' * 1000}\r\n" for i in range(count)
            )
            sock.sendall(head.encode())
            assert sock.recv(100).startswith(b"HTTP/1.1 431")
    well(bounded)


def raw(server):
    sock = socket.create_connection(("127.0.0.1", server.rest_port), timeout=20)
    sock.settimeout(20)
    return sock


@pytest.mark.parametrize(
    "start",
    [b"", b"POST ", f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 30\r\n\r\n{{".encode()],
    ids=["nothing", "half a line", "half a body"],
)
def test_a_sender_that_stalls_is_dropped(bounded, start):
    with raw(bounded) as sock:
        begin = time.monotonic()
        sock.sendall(start)
        ended = wait_for_the_end(sock)
        assert 0.5 < ended - begin < 10
    well(bounded)


@pytest.mark.parametrize("more", [b"\r\n", b"x" * 50], ids=["an empty line", "a late body"])
def test_a_connection_that_goes_on_after_its_answer_with_nothing_whole_is_dropped(bounded, more):
    with raw(bounded) as sock:
        sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert sock.recv(1000).startswith(b"HTTP/1.1 200")
        begin = time.monotonic()
        sock.sendall(more)
        assert wait_for_the_end(sock) - begin < 10


def test_a_sender_that_trickles_is_dropped_too(bounded):
    with raw(bounded) as sock:
        begin = time.monotonic()
        with pytest.raises(OSError):
            sock.sendall(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\n".encode())
            while time.monotonic() - begin < 10:
                sock.sendall(b" ")
                time.sleep(0.05)
        assert time.monotonic() - begin < 5


def test_a_reader_that_stalls_is_dropped(line, start):
    server = start(path=line, limits=Limits(receive_seconds=0.7))
    text = "x" * 30_000_000
    body = json.dumps({"signature_name": "join", "inputs": {"text": [text], "n": [1]}}).encode()
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(("127.0.0.1", server.rest_port))
        head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        sock.sendall(head.encode() + body)
        time.sleep(4)  # read nothing
        sock.settimeout(20)
        with pytest.raises(OSError):  # cut off, not served at leisure
            received = 0
            while received < len(text):
                part = sock.recv(1 << 20)
                received += len(part)
                if not part:
                    raise OSError("ended early")
    well(server)


def wait_for_the_end(sock):
    try:
        while sock.recv(1000):
            pass
    except ConnectionResetError:
        pass
    return time.monotonic()


def test_a_grpc_sender_that_stalls_holds_no_thread_and_is_dropped(bounded):
    with Stubs(bounded) as stubs:

        def never():
            time.sleep(5)
            yield request({"x": rows(1)})

        call = stubs.channel.stream_unary(
            "/tensorflow.serving.PredictionService/Predict",
            request_serializer=lambda message: message.SerializeToString(),
        )
        stalled = [call.future(never()) for _ in range(bounded.settings.workers + 3)]
        assert stubs.predict({"x": rows(1)})  # while they stall
        for future in stalled:
            assert future.exception(timeout=20).code() == grpc.StatusCode.DEADLINE_EXCEEDED


def test_too_many_connections_are_closed(bounded):
    idle = [raw(bounded) for _ in range(SMALL.connections)]
    try:
        with raw(bounded) as one_more:
            assert wait_for_the_end(one_more)
    finally:
        for sock in idle:
            sock.close()
    time.sleep(0.2)
    well(bounded)


@pytest.mark.parametrize(
    "options",
    [
        {"body_bytes": 0},
        {"rows": -1},
        {"receive_seconds": 0},
        {"body_bytes": 2**31},
        {"concurrent": float("nan")},
    ],
)
def test_limits_that_nothing_could_meet(options):
    with pytest.raises(UsageError, match=next(iter(options))):
        Limits(**options)
