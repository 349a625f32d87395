"""More requests than can be answered, in number, in bytes and in time."""

import json
import socket
import threading
import time

import grpc
import pytest

from tests.serve.pressure import Slow, at_once
from tests.serve.talking import Stubs, ask, idle, request, rows
from tests.serve.test_limits import GOOD, PATH, well
from tfkit.serve.settings import Limits


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


def count_calls(server):
    """A list that grows with every computation of `line`."""
    servable, calls = server.models.find("line"), []
    real = servable.predict
    servable.predict = lambda *given: (calls.append(1), real(*given))[1]
    return calls


def test_a_grpc_callers_deadline_takes_its_request_from_the_queue(line, start):
    server = start(path=line, threads=1)
    with Slow(server, 0.6), Stubs(server) as stubs:
        calls = count_calls(server)

        def code():
            with pytest.raises(grpc.RpcError) as error:
                stubs.predictions.Predict(request({"x": rows(1)}), timeout=0.3)
            return error.value.code()

        codes = at_once(5, code)
    assert set(codes) == {grpc.StatusCode.DEADLINE_EXCEEDED}
    assert idle(server, 10) and len(calls) == 1


def test_what_a_caller_asked_that_has_hung_up_is_not_computed(line, start):
    server = start(path=line, threads=1)
    body = json.dumps(GOOD)
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    with Slow(server, 0.5):
        calls = count_calls(server)
        for _ in range(6):
            with socket.create_connection(("127.0.0.1", server.rest_port)) as sock:
                sock.sendall(head.encode() + body.encode())
                time.sleep(0.02)
                reset = b"\x01\x00\x00\x00\x00\x00\x00\x00"
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        assert idle(server, 10) and len(calls) <= 2
    well(server)


def test_bodies_that_arrive_share_one_budget(line, start):
    server = start(path=line, limits=Limits(buffered_bytes=100_000))
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", server.rest_port)) as half:
        half.sendall(head + b" " * 60_000)
        time.sleep(0.3)
        status, answer = ask(server, PATH, b" " * 60_000)
        assert status == 429 and "try again" in answer["error"]
    until = time.monotonic() + 10
    while ask(server, PATH, b" " * 60_000)[0] == 429 and time.monotonic() < until:
        time.sleep(0.05)
    assert ask(server, PATH, b" " * 60_000)[0] == 400  # it was given back
    well(server)


def test_reloading_holds_up_no_prediction_and_comes_one_at_a_time(line, start):
    from tensorflow_serving.apis import get_model_status_pb2, model_management_pb2

    server = start(path=line, threads=1)
    entered, leave = threading.Event(), threading.Event()
    server.models.reload = lambda configs: (entered.set(), leave.wait(20))
    message = model_management_pb2.ReloadConfigRequest()
    config = message.config.model_config_list.config.add(name="line")
    config.base_path = str(line / "line")
    with Stubs(server) as stubs:
        first = stubs.models.HandleReloadConfigRequest.future(message)
        assert entered.wait(20)
        assert stubs.predict({"x": rows(1)})
        asked = get_model_status_pb2.GetModelStatusRequest()
        asked.model_spec.name = "line"
        assert stubs.models.GetModelStatus(asked).model_version_status
        with pytest.raises(grpc.RpcError) as error:
            stubs.models.HandleReloadConfigRequest(message)
        assert error.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        leave.set()
        assert first.result(timeout=20).status.error_code == 0
