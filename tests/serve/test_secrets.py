"""Tokens, other origins, TLS, and the addresses that a server listens on."""

import json
import socket
import ssl
import time
import urllib.request

import grpc
import pytest
from tensorflow_serving.apis import prediction_service_pb2_grpc

from tests.serve.talking import Stubs, ask, request, rows
from tests.serve.test_limits import GOOD, PATH
from tfkit.errors import TfkitError
from tfkit.serve.flat_text import Ssl
from tfkit.serve.settings import Limits


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
        for wrong in ("s3cret", "Basic s3cret", "Bearer s3cre", "Bearer s3crets"):
            with pytest.raises(grpc.RpcError, match="wants a(nother)? token"):
                given = [("authorization", wrong)]
                stubs.predictions.Predict(request({"x": rows(1)}), metadata=given)
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


def test_a_tls_handshake_that_stalls_is_dropped(line, start, certificate):
    key, cert = ((certificate / name).read_text() for name in ("key.pem", "cert.pem"))
    server = start(path=line, ssl=Ssl(key, cert), limits=Limits(receive_seconds=0.5))
    silent = [socket.create_connection(("127.0.0.1", server.rest_port)) for _ in range(5)]
    begin = time.monotonic()
    for sock in silent:
        sock.settimeout(20)
        try:
            assert sock.recv(10) == b""
        except ConnectionResetError:
            pass
        sock.close()
    assert 0.3 < time.monotonic() - begin < 10


def test_localhost_is_every_address_of_that_name(line, start):
    server = start(path=line, host="localhost")
    found = socket.getaddrinfo("localhost", server.rest_port, type=socket.SOCK_STREAM)
    for family, kind, _, _, address in found:
        with socket.socket(family, kind) as sock:
            sock.settimeout(20)
            sock.connect(address)
            sock.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            assert sock.recv(100).startswith(b"HTTP/1.1 200")
