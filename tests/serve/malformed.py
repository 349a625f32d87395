"""Bytes that no client should send over HTTP, and how tests send them."""

import gzip
import re
import socket

PREDICT = "/v1/models/line:predict"
GOOD = b'{"signature_name": "predict", "instances": [[1, 2.5, -3e2, 4]]}'


def http(body=GOOD, head=b"", path=PREDICT, method=b"POST", end=b"Connection: close\r\n"):
    """The bytes of a request with its Content-Length."""
    path = path if isinstance(path, bytes) else path.encode()
    length = b"Content-Length: %d\r\n" % len(body)
    return b"%s %s HTTP/1.1\r\nHost: x\r\n%s%s%s\r\n%s" % (method, path, length, head, end, body)


def bare(head, body=b"", path=PREDICT):
    """The bytes of a request without Content-Length of its own."""
    return b"POST %s HTTP/1.1\r\nHost: x\r\n%s\r\n%s" % (path.encode(), head, body)


def exchange(port, data, timeout=10):
    """Send, stop sending, and read until the server ends the connection."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as sock:
        try:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            while part := sock.recv(1 << 16):
                received += part
        except (ConnectionResetError, BrokenPipeError):  # the server had enough
            pass
    return received


def statuses(received):
    """The statuses of all answers in what was received."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]


# (statuses that are answered, none for a connection that just ends; bytes)
GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNKED_HEAD = bare(CHUNKED)
UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQ\r\nUpgrade: "
RAW = [
    ([], b""),
    ([], b"G"),
    ([], b"\r\n\r\n"),
    ([], GET),
    ([], http()[:-10]),
    ([200], b"GET /healthz\r\n\r\n"),
    ([200], b"GET /healthz HTTP/1.0\r\n\r\n"),
    ([200], GET.replace(b"1.1", b"2.0") + b"\r\n"),
    ([200], GET + b"\r\n"),
    ([200], GET + b"Connection: close\r\n\r\n"),
    ([200], b"GET http://elsewhere/healthz HTTP/1.1\r\nHost: x\r\n\r\n"),
    ([200], GET + b"X: \xc3\xa4\xff\r\n\r\n"),
    ([200], http(head=b"Expect: the impossible\r\n")),
    ([100, 200], http(head=b"Expect: 100-continue\r\n")),
    ([400], http(b"", b"Content-Type: \xff\xfe\r\n")),
    *(([400], line + b"\r\nHost: x\r\n\r\n") for line in (
        *(b"GET / HTTP/9.9", b"GET / HTTP/1", b"GET / XTTP/1.1", b"GET / http/1.1"),
        *(b"get / HTTP/1.1", b"BREW / HTTP/1.1", b"GET", b"GET HTTP/1.1", b"GET  HTTP/1.1", b"\0"),
        *(b"GET healthz HTTP/1.1", b"GET /\0 HTTP/1.1", b"GET /\x01 HTTP/1.1", b"GET /\x7f HTTP/1"),
        *(b"GET /\xc3\xa4 HTTP/1.1", b"GET /\xff HTTP/1.1", b"GET / a HTTP/1.1", b"\xff" * 50),
        *(b"CONNECT x:80 HTTP/1.1", b"CONNECT / HTTP/1.1", b"OPTIONS", b'{"instances": [1]}'),
    )),
    ([405], b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"),
    ([400], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"),
    ([400], bytes.fromhex("16030100c8010000c40303") + b"\x5a" * 194),  # TLS
    ([400], bytes.fromhex("80620103010039000000200000") + b"\x5a" * 90),  # SSL 2
    ([400], b"\x05\x01\x00"),  # SOCKS
    *(([400], GET + line + b"\r\n\r\n") for line in (
        *(b"no colon", b": no name", b"Na me: x", b"Name : x", b"N\0: x", b"X: \0", b"X: \x01"),
        *(b"X: a\rb", b"\xff: x", b"X\r\n: x"),
    )),
    *(([400], bare(b"Content-Length: %s\r\n" % length, GOOD)) for length in (
        *(b"-1", b"+63", b"0x3f", b"6e1", b"63.0", b"63,63", b"63 63", b"", b"9" * 30, b"\xb2"),
    )),
    ([], bare(b"Content-Length: 999999999999999999\r\n", GOOD)),
    ([400], bare(b"", GOOD)),
    ([400], bare(b"Content-Length: 20\r\n", GOOD)),
    ([400], http(head=b"Content-Length: 5\r\n")),
    ([400], http(head=b"Content-Length: 63\r\n")),
    ([400], http(head=CHUNKED)),
    ([400], bare(CHUNKED + b"Content-Length: 63\r\n", b"0\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n")),
    *(([400], bare(b"Transfer-Encoding: %s\r\n" % coding, b"3f\r\n%s\r\n0\r\n\r\n" % GOOD))
      for coding in (b"identity", b"gzip", b"xchunked", b"chunked, gzip", b"\x0bchunked")),
    ([400], bare(b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n")),
    ([400], bare(b"Transfer-Encoding\r\n : chunked\r\n", b"0\r\n\r\n")),
    ([400], bare(CHUNKED + b"Transfer-Encoding: x\r\n", b"0\r\n\r\n")),
    ([200], bare(CHUNKED + b"Connection: close\r\n", b"3f;x=y\r\n%s\r\n0\r\nA: b\r\n\r\n" % GOOD)),
    *(([400], bare(CHUNKED, body)) for body in (
        *(b"zz\r\nabc\r\n", b"-1\r\na\r\n", b"\r\nabc", b"F" * 17 + b"\r\na", b"0x3\r\nabc\r\n"),
        *(b"3\r\nabcdef\r\n0\r\n\r\n", b"3\r\nabc0\r\n\r\n", b" 3\r\nabc\r\n0\r\n\r\n", b"3 \nabc"),
        *(b"0\r\nno colon\r\n\r\n", b"3\rabc\r\n0\r\n\r\n"),
    )),
    ([], bare(CHUNKED, b"3f\r\n" + GOOD)),
    ([], bare(CHUNKED, b"3f\r\n%s\r\n0\r\n" % GOOD)),
    ([431], GET + b"X: " + b"x" * 20_000 + b"\r\n\r\n"),
    ([431], GET + b"X" * 20_000 + b": x\r\n\r\n"),
    ([431], GET + b"X: x\r\n" * 5000 + b"\r\n"),
    ([431], b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"),
    ([431], b"GET /" + b"x" * 20_000),
    *(([200], http(head=UPGRADE + wish + b"\r\n", end=b"")) for wish in (b"h2c", b"websocket")),
    ([200, 200], http(head=UPGRADE + b"h2c\r\n", end=b"") + http()),
    ([200] * 100, (GET + UPGRADE + b"websocket\r\n\r\n") * 100),
    ([200] * 3, http(end=b"") * 3),
    ([400, 200], http(b"{", end=b"") + http()),
    ([200], http() + http()),
    ([200], http(end=b"") + b"garbage\r\n\r\n"),
    ([200], http(end=b"") + bytes(100)),
    ([200], http(end=b"") + b"GET /healthz"),
    ([200, 200], http(end=b"") * 2 + b"X" * 20_000),
    ([200], GET + b"Content-Length: 3\r\n\r\nabc"),
    ([413], http(b" " * 700_001)),
    ([415], http(head=b"Content-Encoding: br\r\n")),
    ([415], http(head=b"Content-Encoding: gzip, gzip\r\n")),
    ([415], http(head=b"Content-Encoding: \xff\r\n")),
    *((status, http(body, b"Content-Encoding: gzip\r\n")) for status, body in (
        ([200], gzip.compress(GOOD)),
        ([413], gzip.compress(b" " * 50_000_000)),
        ([413], gzip.compress(b" " * 100_000) * 1000),
        ([413], gzip.compress(gzip.compress(b" " * 10_000_000) + b" " * 900_000)),
        *(([400], gzip.compress(GOOD)[:cut]) for cut in (1, 5, 9, 10, 15, 30, -9, -8, -4, -1)),
        *(([400], body) for body in (b"", GOOD, b"\x1f\x8b", b"\x1f\x8b\x08" + b"\xff" * 60)),
        *(([400], body) for body in (gzip.compress(GOOD) + b"x", gzip.compress(b""), b"\0" * 90)),
        ([400], gzip.compress(GOOD)[:-8] + b"\0" * 8),
    )),
]  # fmt: skip
