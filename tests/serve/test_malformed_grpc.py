"""Whatever comes over gRPC is refused as the sender's mistake, and the next call is answered."""

import logging
import random
import socket
import time

import grpc
import pytest
import tensorflow as tf

from tests.serve.malformed import http
from tests.serve.malformed_grpc import CASES, GOOD, PREDICTION, X
from tests.serve.talking import Stubs, idle, request
from tfkit.serve.server import Server
from tfkit.serve.settings import Limits, Settings

LIMITS = Limits(body_bytes=700_000, header_bytes=16_384, rows=1000, receive_seconds=1.5)
# what a connection of HTTP/2 begins with
HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"


@pytest.fixture(scope="module")
def tough(line):
    with Server(Settings(path=line, rest_port=0, grpc_port=0, limits=LIMITS)) as running:
        yield running


@pytest.fixture(scope="module")
def channel(tough):
    options = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(f"127.0.0.1:{tough.grpc_port}", options=options) as opened:
        yield opened


@pytest.fixture(autouse=True)
def unharmed(tough, caplog, capfd):
    """After each test the good request has its answer, and the log shows no failure of ours."""
    yield
    with Stubs(tough) as stubs:
        found = stubs.predictions.Predict(request({"x": X}, "predict"), timeout=10)
    assert tf.make_ndarray(found.outputs["y"]).tolist() == [[3.5, 8.0, -899.5, 12.5]]
    assert tf.make_ndarray(found.outputs["largest"]).tolist() == [3]
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR] == []
    assert "Traceback" not in "".join(capfd.readouterr())
    assert idle(tough, 5)


def code(channel, method, data, **options):
    """What a call ends with, at most 10 seconds later."""
    try:
        channel.unary_unary(method)(data, timeout=10, **options)
    except grpc.RpcError as error:
        assert error.details() and "Traceback" not in error.details()
        return error.code().name
    return "OK"


def test_there_are_hundreds():
    assert len({case[1:] for case in CASES}) > 200


@pytest.mark.parametrize("case", [pytest.param(c, id=f"{n}") for n, c in enumerate(CASES)])
def test_calls(channel, case):
    expected, method, data = case
    assert code(channel, method, data) == expected


def test_flipped_bits(channel):
    chance = random.Random(7)
    for _ in range(300):
        data = bytearray(GOOD)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        assert code(channel, f"{PREDICTION}/Predict", bytes(data)) in (
            *("OK", "INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "UNIMPLEMENTED"),
        )


def test_other_numbers_of_messages(channel):
    call = channel.stream_unary(f"{PREDICTION}/Predict")
    with pytest.raises(grpc.RpcError, match="carries no request"):
        call(iter([]), timeout=10)
    one = call(iter([GOOD]), timeout=10)
    for count in (2, 500):
        assert call(iter([GOOD] * count), timeout=10) == one
    with pytest.raises(grpc.RpcError, match="is no PredictRequest"):
        call(iter([b"\xff", GOOD]), timeout=10)
    streamed = channel.stream_stream(f"{PREDICTION}/Predict")
    assert list(streamed(iter([GOOD]), timeout=10)) == [one]


def test_metadata_and_compression(channel):
    method = f"{PREDICTION}/Predict"
    big = [("x", "y" * 40_000)], [(f"x{n}", "y" * 100) for n in range(1000)]
    for metadata in big:
        assert code(channel, method, GOOD, metadata=metadata) == "RESOURCE_EXHAUSTED"
    odd = [("x-bin", bytes(range(256))), ("content-language", "?" * 500)]
    assert code(channel, method, GOOD, metadata=odd) == "OK"
    assert code(channel, method, GOOD, compression=grpc.Compression.Gzip) == "OK"
    for bomb in (b"\0" * 50_000_000, b"\0" * 700_001):
        found = code(channel, method, bomb, compression=grpc.Compression.Gzip)
        assert found == "RESOURCE_EXHAUSTED"


def test_callers_that_vanish(tough):
    slow = request({"x": X}, "slow").SerializeToString()
    for step in range(30):
        with grpc.insecure_channel(f"127.0.0.1:{tough.grpc_port}") as channel:
            call = channel.unary_unary(f"{PREDICTION}/Predict").future(slow, timeout=10)
            time.sleep(0.004 * (step % 8))
            if step % 2:
                call.cancel()
    with grpc.insecure_channel(f"127.0.0.1:{tough.grpc_port}") as channel:
        for step in range(20):
            with pytest.raises(grpc.RpcError):
                channel.unary_unary(f"{PREDICTION}/Predict")(slow, timeout=0.003 * step)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        http(),
        bytes.fromhex("16030100c8010000c40303") + b"Z" * 194,
        random.Random(1).randbytes(5000),
        HELLO[:20],
        HELLO,
        HELLO + random.Random(2).randbytes(5000),
        HELLO + b"\xff\xff\xff\0\0\0\0\0\1",
        HELLO + b"\0\0\1\1\4\0\0\0\1\xff",
        HELLO + b"\0\0\4\x08\0\0\0\0\0\0\0\0\0",
        HELLO + b"\0\0\5\1\4\0\0\0\0hello",
        HELLO + b"\0\0\1\1\0\0\0\0\1\x82" + b"\0\0\1\x09\0\0\0\0\1\x84" * 2000,
        HELLO + b"\0\0\4\3\0\0\0\0\1\0\0\0\0" * 2000,
        HELLO + b"\0\0\x08\6\0\0\0\0\0pingpong" * 2000,
        HELLO + b"\0\0\0\4\0\0\0\0\0" * 2000,
    ],
    ids=lambda data: repr(data[24:44]) if data.startswith(b"PRI") else repr(data[:20]),
)
def test_what_is_no_grpc(tough, data):
    """It is cut off, at the latest when the deadline of the greeting has passed."""
    with socket.create_connection(("127.0.0.1", tough.grpc_port), timeout=20) as sock:
        try:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(1 << 16):
                pass
        except (ConnectionResetError, BrokenPipeError):
            pass


def test_a_connection_without_greeting_ends(tough):
    begin = time.monotonic()
    with socket.create_connection(("127.0.0.1", tough.grpc_port), timeout=20) as sock:
        while sock.recv(1000):
            pass
    assert time.monotonic() - begin < LIMITS.receive_seconds + 5


def test_health_is_asked_badly(channel):
    for data in (b"\x0a\x06nobody", b"\xff", b"\x0a\x01\xff"):
        with pytest.raises(grpc.RpcError) as error:
            channel.unary_unary("/grpc.health.v1.Health/Check")(data, timeout=10)
        assert error.value.code() == grpc.StatusCode.NOT_FOUND
