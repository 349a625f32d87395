"""Whatever comes over HTTP is answered with 4xx or cut off, and the next request as ever."""

import logging
import socket
import struct
import threading
import time

import pytest

from tests.serve import malformed
from tests.serve.malformed import GOOD, exchange, http, statuses
from tests.serve.malformed_bodies import BODIES, EXAMPLES, PATHS
from tests.serve.talking import idle
from tfkit.serve.http_protocol import BoundedProtocol
from tfkit.serve.server import Server
from tfkit.serve.settings import Limits, Settings

LIMITS = Limits(
    body_bytes=700_000, header_bytes=16_384, rows=1000, receive_seconds=1.5, connections=200
)
ANSWER = b'{"predictions": [{"largest": 3, "y": [3.5, 8.0, -899.5, 12.5]}]}'


@pytest.fixture(scope="module")
def tough(line):
    with Server(Settings(path=line, rest_port=0, grpc_port=0, limits=LIMITS)) as running:
        yield running


@pytest.fixture(autouse=True)
def unharmed(tough, caplog, capfd):
    """After each test the good request has its answer, and the log shows no failure of ours."""
    yield
    received = exchange(tough.rest_port, http())
    assert statuses(received) == [200] and received.endswith(ANSWER)
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR] == []
    assert "Traceback" not in "".join(capfd.readouterr())
    assert idle(tough, 5)


def refused(server, data, status):
    received = exchange(server.rest_port, data)
    assert statuses(received) == [status]
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"content-type: application/json" in head
    assert body.startswith(b'{"error": "') and len(body) > 15


def named(cases):
    """Cases with short names: their numbers, and how they begin."""
    return [pytest.param(case, id=f"{n}-{repr(case)[:40]}") for n, case in enumerate(cases)]


def test_there_are_hundreds():
    cases = [
        *BODIES,
        *EXAMPLES,
        *PATHS,
        *map(str, malformed.RAW),
    ]
    assert len(set(cases)) == len(cases) > 400


@pytest.mark.parametrize("body", named(BODIES))
def test_bodies(tough, body):
    refused(tough, http(body), 400)


@pytest.mark.parametrize("case", named(EXAMPLES))
def test_examples(tough, case):
    method, body = case
    refused(tough, http(body, path=f"/v1/models/line:{method}"), 400)


@pytest.mark.parametrize("case", named(PATHS))
def test_paths(tough, case):
    status, path = case
    refused(tough, http(path=path), status)


@pytest.mark.parametrize("case", named(malformed.RAW))
def test_http_itself(tough, case):
    expected, data = case
    received = exchange(tough.rest_port, data)
    assert statuses(received) == expected
    wrong = [status for status in expected if status >= 400]
    assert received.count(b'{"error": "') == len(wrong)
    predicted = expected.count(200) if data.startswith(b"POST") else 0
    assert received.count(ANSWER) == predicted


def test_senders_that_vanish(tough):
    """A reset at any moment: in the head, in the body, before the answer, under the answer."""
    whole = http(b'{"signature_name": "slow", "instances": [[1, 2, 3, 4]]}')
    for cut in (0, 1, 30, 80, len(whole) - 20, len(whole) - 1, *[len(whole)] * 6):
        for pause in (0, 0.03):
            with socket.create_connection(("127.0.0.1", tough.rest_port)) as sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                sock.sendall(whole[:cut])
                time.sleep(pause)


@pytest.mark.parametrize(
    "start",
    [b"", b"POST ", http(head=b"Expect: 100-continue\r\n")[: -len(GOOD)], malformed.CHUNKED_HEAD],
    ids=["silent", "line", "expecting", "chunks"],
)
def test_senders_that_trickle(tough, start):
    begin = time.monotonic()
    with socket.create_connection(("127.0.0.1", tough.rest_port), timeout=10) as sock:
        sock.sendall(start)
        with pytest.raises(OSError):
            while time.monotonic() - begin < 10:
                sock.sendall(b"1\r\n{\r\n" if start == malformed.CHUNKED_HEAD else b"X")
                time.sleep(0.1)
    assert time.monotonic() - begin < LIMITS.receive_seconds + 3


@pytest.mark.parametrize("part", [b"A: b\r\n" * 500, b"A" * 3000], ids=["many", "long"])
def test_endless_headers_behind_a_body_in_chunks(tough, part):
    with socket.create_connection(("127.0.0.1", tough.rest_port), timeout=10) as sock:
        sock.sendall(malformed.CHUNKED_HEAD + b"3f\r\n%s\r\n0\r\nB: " % GOOD)
        with pytest.raises(OSError):
            for _ in range(12):
                sock.sendall(part)
                time.sleep(0.02)


def test_pipelined_requests_wait_outside(tough, monkeypatch):
    """However many are sent at once, the server holds as many as come in one piece."""
    made, most, done = [], [0], threading.Event()
    real = BoundedProtocol.connection_made
    monkeypatch.setattr(
        BoundedProtocol, "connection_made", lambda self, to: (made.append(self), real(self, to))[1]
    )

    def watch():
        while not done.wait(0.001):
            most[0] = max([most[0], *(len(connection.pipeline) for connection in made)])

    one = b"GET /healthz HTTP/1.1\r\nHost:x\r\n\r\n"
    count = 3 * 256 * 1024 // len(one)
    threading.Thread(target=watch, daemon=True).start()
    try:
        with socket.create_connection(("127.0.0.1", tough.rest_port), timeout=30) as sock:
            threading.Thread(target=sock.sendall, args=[one * count], daemon=True).start()
            received = bytearray()
            while received.count(b"alive") < count:
                part = sock.recv(1 << 16)
                assert part
                received += part
    finally:
        done.set()
    assert 0 < most[0] <= 256 * 1024 // len(one)


def test_what_does_not_count_as_answered(tough):
    before = tough.monitoring.page()
    exchange(tough.rest_port, http()[:-5])
    time.sleep(0.2)
    after = tough.monitoring.page()
    assert [line for line in after.splitlines() if line not in before.splitlines()] == [
        line for line in after.splitlines() if b"CANCELLED" in line
    ]
