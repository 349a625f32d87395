"""A server process after thousands of good and malformed requests: as large as after the first."""

import itertools
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import grpc
import pytest

from tests.serve import malformed, malformed_grpc
from tests.serve.malformed import exchange, http
from tests.serve.malformed_bodies import BODIES, EXAMPLES, PATHS

PARTS = 10  # the process is looked at so many times
# A leak is in proportion to the requests; what the allocators still take after the warm-up is not.
LEAK = 1024  # bytes a request that are none yet
SLACK = 6 * 2**20


@pytest.fixture
def process(line, tmp_path):
    command = [sys.executable, "-m", "tfkit", "serve", str(line), "--json", "--quiet"]
    options = ["--rest-port", "0", "--grpc-port", "0", "--receive-timeout", "2", "--max-body", "1"]
    # one arena: with one for each thread, where memory comes from is chance
    environment = {**os.environ, "MALLOC_ARENA_MAX": "1"}
    with open(tmp_path / "stderr", "w") as log:
        child = subprocess.Popen(
            command + options, stdout=subprocess.PIPE, stderr=log, text=True, env=environment
        )
    try:
        yield child, json.loads(child.stdout.readline())
        assert child.poll() is None
        assert "Traceback" not in (tmp_path / "stderr").read_text()
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def size(child):
    """What the process has: resident bytes, threads, open files."""
    here = Path(f"/proc/{child.pid}")
    resident = int((here / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return resident, len(os.listdir(here / "task")), len(os.listdir(here / "fd"))


def series(ready):
    """How many numbers the metrics page has."""
    text = exchange(
        ready["rest_port"],
        b"GET /monitoring/prometheus/metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    )
    return sum(not line.startswith(b"#") for line in text.splitlines())


def requests(ready, channel):
    """Good ones and every malformed one in turn, without end; each is a function to call."""
    port = ready["rest_port"]
    http_ones = [
        *(http(body) for body in BODIES if len(body) < 10_000),
        *(http(body, path=f"/v1/models/line:{method}") for method, body in EXAMPLES),
        *(http(path=path) for _, path in PATHS),
        *(data for _, data in malformed.RAW if len(data) < 10_000),
    ]
    calls = [case[1:] for case in malformed_grpc.CASES if len(case[2]) < 10_000]
    calls.insert(0, (f"{malformed_grpc.PREDICTION}/Predict", malformed_grpc.GOOD))

    def call(method, data):
        try:
            channel.unary_unary(method)(data, timeout=10)
        except grpc.RpcError:
            pass

    pairs = zip(itertools.cycle(http_ones), itertools.cycle(calls), itertools.count())
    for data, (method, message), number in pairs:
        new = (
            http(path=f"/v1/models/m{number}:predict"),
            http(malformed.GOOD.replace(b"predict", b"s%d" % number)),
        )[number % 2]  # names that were never heard before
        yield lambda new=new: exchange(port, new)
        yield lambda data=data: exchange(port, data)
        yield lambda method=method, message=message: call(method, message)
        yield lambda: exchange(port, http())


@pytest.mark.parametrize("count", [2000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_memory_threads_files_and_metrics_stay(process, count):
    child, ready = process
    with grpc.insecure_channel(f"127.0.0.1:{ready['grpc_port']}") as channel:
        stream = requests(ready, channel)
        for ask in itertools.islice(stream, 2000):  # warm-up: every case once
            ask()
        before, known = size(child), series(ready)
        sizes = []
        for _ in range(PARTS):
            for ask in itertools.islice(stream, count // PARTS):
                ask()
            sizes.append(size(child))
        resident = [found[0] for found in sizes]
        first, last = (statistics.median(part) for part in (resident[:3], resident[-3:]))
        print(f"MB: {before[0] / 1e6:.1f}, {[round(r / 1e6, 1) for r in resident]}, {sizes[-1]}")
        assert last - first < LEAK * count + SLACK
        assert sizes[-1][1] <= before[1] + 2 and sizes[-1][2] <= before[2] + 2
        assert series(ready) == known
        assert exchange(ready["rest_port"], http()).endswith(b"[3.5, 8.0, -899.5, 12.5]}]}")
