"""What one sender may not do: too much, too many, too slow, without a token, without TLS."""

import gzip
import json
import socket
import ssl
import threading
import time
import urllib.request

import grpc
import numpy as np
import pytest
from tensorflow_serving.apis import prediction_service_pb2_grpc

from tests.serve.talking import Stubs, ask, idle, request, rows
from tfkit.errors import TfkitError, UsageError
from tfkit.serve.flat_text import Ssl
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


class Slow:
    """Makes `line` take its time."""

    def __init__(self, server, seconds):
        self.servable = server.models.find("line")
        self.real, self.seconds = self.servable.predict, seconds

    def __enter__(self):
        def slowly(*given):
            time.sleep(self.seconds)
            return self.real(*given)

        self.servable.predict = slowly

    def __exit__(self, *_):
        del self.servable.predict


def at_once(count, function):
    found = [None] * count

    def one(index):
        found[index] = function()

    threads = [threading.Thread(target=one, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_more_than_may_wait_are_429(line, start):
    server = start(path=line, threads=1, limits=Limits(concurrent=3))
    with Slow(server, 0.5):
        answers = at_once(8, lambda: ask(server, PATH, GOOD))
    assert sorted({status for status, _ in answers}) == [200, 429]
    assert sum(status == 200 for status, _ in answers) >= 3
    assert "try again" in next(a["error"] for s, a in answers if s == 429)
    with Slow(server, 0.5), Stubs(server) as stubs:

        def code():
            try:
                return len(stubs.predict({"x": rows(1)}))
            except grpc.RpcError as error:
                return error.code()

        codes = at_once(8, code)
    assert grpc.StatusCode.RESOURCE_EXHAUSTED in codes and codes.count(2) >= 3
    well(server)
    assert server.work.pending == 0


def test_past_the_deadline_is_504_and_what_only_waited_is_not_computed(line, start):
    server = start(path=line, threads=1, limits=Limits(answer_seconds=0.3))
    computed = []
    with Slow(server, 1.0):
        slow = server.models.find("line").predict
        server.models.find("line").predict = lambda *given: (computed.append(1), slow(*given))[1]
        answers = at_once(4, lambda: ask(server, PATH, GOOD))
    assert [status for status, _ in answers] == [504] * 4 and "0.3 seconds" in answers[0][1][
        "error"
    ]
    assert idle(server, 10) and len(computed) == 1
    well(server)


def test_a_token_is_asked_for(line, start):
    server = start(path=line, token="s3cret")
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "s3cret"}):
        status, answer = ask(server, PATH, GOOD, headers)
        assert status == 401 and "Authorization: Bearer" in answer["error"]
    assert ask(server, PATH, GOOD, {"Authorization": "Bearer s3cret"})[0] == 200
    assert (
        ask(server, "/tfkit/models")[0] == ask(server, "/monitoring/prometheus/metrics")[0] == 401
    )
    assert ask(server, "/healthz")[0] == ask(server, "/readyz")[0] == ask(server, "/")[0] == 200
    with Stubs(server) as stubs:
        with pytest.raises(grpc.RpcError) as error:
            stubs.predict({"x": rows(1)})
        assert error.value.code() == grpc.StatusCode.UNAUTHENTICATED
        given = [("authorization", "Bearer s3cret")]
        assert stubs.predictions.Predict(request({"x": rows(1)}), metadata=given).outputs


def test_other_origins_are_answered_only_where_asked(server, line, start):
    origin = {"Origin": "https://example.org", "Access-Control-Request-Method": "POST"}

    def allowed(running):
        url = f"http://127.0.0.1:{running.rest_port}{PATH}"
        asked = urllib.request.Request(url, json.dumps(GOOD).encode(), origin)
        with urllib.request.urlopen(asked) as answer:
            return answer.headers.get("Access-Control-Allow-Origin")

    assert allowed(server) is None
    assert ask(server, PATH, method="OPTIONS", headers=origin)[0] == 400
    open_to_all = start(path=line, cors=True)
    assert allowed(open_to_all) == "*"
    assert ask(open_to_all, PATH, method="OPTIONS", headers=origin)[0] == 200


def test_tls_on_both_ports_and_client_certificates(line, start, certificate):
    key, cert = ((certificate / name).read_text() for name in ("key.pem", "cert.pem"))
    server = start(path=line, ssl=Ssl(key, cert))
    trusting = ssl.create_default_context(cadata=cert)
    url = f"https://127.0.0.1:{server.rest_port}/v1/models/line"
    assert b"AVAILABLE" in urllib.request.urlopen(url, context=trusting).read()
    channel = grpc.secure_channel(
        f"localhost:{server.grpc_port}", grpc.ssl_channel_credentials(cert.encode())
    )
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    assert stub.Predict(request({"x": rows(1)})).outputs
    with pytest.raises(OSError):  # plain text
        ask(server, "/healthz")
    strict = start(path=line, ssl=Ssl(key, cert, cert, True))
    with pytest.raises(OSError):
        urllib.request.urlopen(
            f"https://127.0.0.1:{strict.rest_port}/healthz", context=trusting
        ).read()


def test_a_key_that_does_not_fit_and_a_port_that_is_taken(line, start, certificate, server):
    key, cert = ((certificate / name).read_text() for name in ("key.pem", "cert.pem"))
    with pytest.raises(TfkitError, match="key and certificate cannot be used"):
        start(path=line, ssl=Ssl(cert, cert))
    with pytest.raises(TfkitError, match=f"{server.rest_port} cannot be listened on"):
        start(path=line, rest_port=server.rest_port)
    with pytest.raises(TfkitError, match=f"{server.grpc_port} cannot be listened on"):
        start(path=line, grpc_port=server.grpc_port)


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
