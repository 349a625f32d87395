"""What the server costs beside the call in process, a bare gRPC echo, and JSON itself.

    .venv/bin/python scripts/bench/serving.py --rounds 5

Servers are processes of their own on the loopback; in every round all sides take their turn, and
the best and the percentiles over all rounds are printed. Run it on a quiet machine.
"""

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import grpc  # noqa: E402
import numpy as np  # noqa: E402
import ovmsclient  # noqa: E402
import tensorflow as tf  # noqa: E402
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc  # noqa: E402

from tfkit.export.warmup import write_warmup  # noqa: E402

BATCHING = "max_batch_size { value: 32 }\nbatch_timeout_micros { value: 1000 }\n"
ECHO = """
import grpc, sys, time
from concurrent import futures
handler = grpc.unary_unary_rpc_method_handler(lambda body, context: body)
server = grpc.server(futures.ThreadPoolExecutor(4))
server.add_generic_rpc_handlers(
    (grpc.method_handlers_generic_handler("echo", {"Echo": handler}),))
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
time.sleep(1e6)
"""


def layers(widths):
    """A function of dense layers with ReLU, and the module that holds their weights."""
    module = tf.Module()
    random = np.random.default_rng(0)
    module.weights = [
        tf.Variable(random.normal(size=(a, b)).astype(np.float32) / np.sqrt(a))
        for a, b in zip(widths, widths[1:], strict=False)
    ]

    def call(x):
        for weight in module.weights:
            x = tf.nn.relu(x @ weight)
        return x

    return module, call


def write_models(home: Path) -> None:
    """vector: 64 -> 10; deep: eight layers of 512; picture: an autoencoder of [64, 64, 1]."""
    narrow, coder = layers([4096, 10, 4096]), "picture"
    models = {
        "vector": (*layers([64, 10]), [None, 64]),
        "deep": (*layers([512] * 9), [None, 512]),
        coder: (
            narrow[0],
            lambda x: tf.reshape(narrow[1](tf.reshape(x, [-1, 4096])), [-1, 64, 64, 1]),
            [None, 64, 64, 1],
        ),
    }
    for name, (module, call, shape) in models.items():
        spec = tf.TensorSpec(shape, tf.float32, "x")
        function = tf.function(lambda x, call=call: {"y": call(x)}, input_signature=[spec])
        folder = home / name / "1"
        tf.saved_model.save(module, str(folder), signatures={"serving_default": function})
        (folder / "assets.extra").mkdir()
        file = folder / "assets.extra" / "tf_serving_warmup_requests"
        rows = np.zeros([8, *shape[1:]], np.float32)
        write_warmup(file, name, {"serving_default": ["x"]}, {"x": rows})


@contextmanager
def serving(home: Path, *arguments: str):
    """A `tfkit serve` process: (its ports and models, its number)."""
    ports = ["--rest-port", "0", "--grpc-port", "0", "--json", "--quiet"]
    command = [sys.executable, "-m", "tfkit", "serve", str(home), *ports, *arguments]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield json.loads(child.stdout.readline()), child.pid
    finally:
        child.terminate()
        child.wait()


@contextmanager
def echoing():
    """A bare grpcio server that returns what it gets; its port."""
    child = subprocess.Popen([sys.executable, "-c", ECHO], stdout=subprocess.PIPE, text=True)
    try:
        yield int(child.stdout.readline())
    finally:
        child.kill()
        child.wait()


class Rest:
    """One keep-alive connection."""

    def __init__(self, port: int, model: str, x: np.ndarray):
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        self._connection.connect()
        self._path = f"/v1/models/{model}:predict"
        self._body = json.dumps({"inputs": x.tolist()})

    def __call__(self) -> bytes:
        self._connection.request("POST", self._path, self._body)
        answer = self._connection.getresponse()
        assert answer.status == 200
        return answer.read()


def by_grpc(port: int, model: str, x: np.ndarray):
    """A call through the official stubs, arrays in and out."""
    channel = grpc.insecure_channel(f"127.0.0.1:{port}")
    grpc.channel_ready_future(channel).result()
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)

    def call():
        request = predict_pb2.PredictRequest()
        request.model_spec.name = model
        request.inputs["x"].CopyFrom(tf.make_tensor_proto(x))
        return tf.make_ndarray(stub.Predict(request).outputs["y"])

    return call


def milliseconds(call, count: int) -> list[float]:
    """The duration of each of so many calls."""
    found = []
    for _ in range(count):
        began = time.perf_counter()
        call()
        found.append(1e3 * (time.perf_counter() - began))
    return found


def report(times: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    """Print and return best and percentiles of each side."""
    found = {}
    for name, values in times.items():
        p50, p99 = np.percentile(values, [50, 99])
        found[name] = {"best": min(values), "p50": p50, "p99": p99, "p99/p50": p99 / p50}
        print(f"{name:34}" + "".join(f"{k} {v:7.3f}  " for k, v in found[name].items()))
    return found


def latencies(home: Path, ready: dict, echo: int, options) -> None:
    """64 floats in, 10 out, one row a request."""
    x = np.random.default_rng(1).normal(size=(1, 64)).astype(np.float32)
    live = tf.saved_model.load(str(home / "vector" / "1")).signatures["serving_default"]
    echoed = grpc.insecure_channel(f"127.0.0.1:{echo}").unary_unary("/echo/Echo")
    body = x.tobytes()
    rest, stubs = Rest(ready["rest_port"], "vector", x), by_grpc(ready["grpc_port"], "vector", x)
    ovms = ovmsclient.make_grpc_client(f"127.0.0.1:{ready['grpc_port']}")
    sides = {
        "in process": lambda: live(x=tf.constant(x))["y"].numpy(),
        "bare gRPC echo": lambda: echoed(body),
        "gRPC, official stubs": stubs,
        "gRPC, ovmsclient": lambda: ovms.predict({"x": x}, "vector"),
        "REST": rest,
    }
    times = {name: [] for name in sides}
    for _ in range(options.rounds + 1):
        for name, call in sides.items():
            times[name].append(milliseconds(call, options.calls))
    found = report({name: sum(rounds[1:], []) for name, rounds in times.items()})
    bare = found["bare gRPC echo"]["p99/p50"]
    for name in ("gRPC, official stubs", "REST"):
        print(f"p99/p50 of {name} over that of the echo: {found[name]['p99/p50'] / bare:.2f}")


def first_answers(home: Path, options) -> None:
    """The first answer of a fresh server beside its second, by a client that has its practice."""
    x = np.random.default_rng(1).normal(size=(1, 64)).astype(np.float32)
    ratios = {"REST": [], "gRPC": []}
    for _ in range(options.rounds):
        with serving(home) as (practice, _), serving(home) as (fresh, _):
            for name, call, port in (("REST", Rest, "rest_port"), ("gRPC", by_grpc, "grpc_port")):
                milliseconds(call(practice[port], "vector", x), 50)
                asked = call(fresh[port], "vector", x)
                first, second = milliseconds(asked, 2)
                ratios[name].append(first / second)
    for name, values in ratios.items():
        print(f"first answer over the second, {name}: median {statistics.median(values):.2f}")


def pictures(ready: dict, options) -> None:
    """A reconstruction of 8 pictures over REST, beside JSON and NumPy alone on the same bodies."""
    x = np.random.default_rng(2).random((8, 64, 64, 1)).astype(np.float32)
    rest = Rest(ready["rest_port"], "picture", x)
    asked, answered = json.dumps({"inputs": x.tolist()}), rest()
    y = np.array(json.loads(answered)["outputs"], np.float32)

    def alone():
        np.array(json.loads(asked)["inputs"], np.float32)
        return json.dumps({"outputs": y.tolist()})

    from tfkit.serve import rest as bodies

    specs = {"x": tf.TensorSpec([None, 64, 64, 1], tf.float32)}

    def ours():
        bodies.parse_request(asked, specs)
        return bodies.render_response({"y": y}, "column")

    times = {"REST, 8 pictures": [], "json + NumPy": [], "parse + render": []}
    for _ in range(options.rounds + 1):
        for name, call in zip(times, (rest, alone, ours), strict=True):
            times[name].append(milliseconds(call, max(options.calls // 20, 5)))
    found = report({name: sum(rounds[1:], []) for name, rounds in times.items()})
    base = found["json + NumPy"]
    for name in ("REST, 8 pictures", "parse + render"):
        print(f"{name} over json + NumPy: {found[name]['p50'] / base['p50']:.2f}")


def throughput(ready: dict, model: str, x: np.ndarray, clients: int, seconds: float) -> float:
    """Answers a second over REST, for so many clients at once."""
    until, counts = time.perf_counter() + seconds, [0] * clients

    def client(index: int) -> None:
        call = Rest(ready["rest_port"], model, x)
        while time.perf_counter() < until:
            call()
            counts[index] += 1

    threads = [threading.Thread(target=client, args=(index,)) for index in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


def throughputs(home: Path, options) -> None:
    """With and without batching, by turns."""
    x = np.random.default_rng(3).normal(size=(1, 512)).astype(np.float32)
    config = home.parent / "batching.config"
    config.write_text(BATCHING)
    with (
        serving(home) as (alone, _),
        serving(home, "--batching-config", str(config)) as (merged, _),
    ):
        for clients in (1, 8, 32):
            rates = {"alone": [], "batched": []}
            for _ in range(options.rounds):
                for name, ready in (("alone", alone), ("batched", merged)):
                    rates[name].append(throughput(ready, "deep", x, clients, options.seconds))
            medians = {name: statistics.median(values) for name, values in rates.items()}
            ratio = medians["batched"] / medians["alone"]
            print(
                f"{clients:2} clients: alone {medians['alone']:6.0f}/s, batched "
                f"{medians['batched']:6.0f}/s, ratio {ratio:.2f}"
            )


def memory(ready: dict, pid: int, requests: int) -> None:
    """Resident memory before and after so many requests of one row, REST and gRPC."""
    x = np.random.default_rng(1).normal(size=(1, 64)).astype(np.float32)
    calls = [Rest(ready["rest_port"], "vector", x), by_grpc(ready["grpc_port"], "vector", x)]

    def ask(count: int) -> None:
        with futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda call: milliseconds(call, count // 2), calls))

    ask(2000)  # what pools and caches take once
    before = resident(pid)
    ask(requests)
    after = resident(pid)
    print(f"memory: {before:.1f} MiB, after {requests} more requests {after:.1f} MiB")


def resident(pid: int) -> float:
    """Resident memory of a process in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def main() -> None:
    """Print everything, one part after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=400, help="of each side in a round")
    parser.add_argument("--seconds", type=float, default=3.0, help="of a throughput measurement")
    parser.add_argument("--requests", type=int, default=10_000, help="of the memory measurement")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "models"
        write_models(home)
        with serving(home) as (ready, pid), echoing() as echo:
            latencies(home, ready, echo, options)
            pictures(ready, options)
            memory(ready, pid, options.requests)
        first_answers(home, options)
        throughputs(home, options)


if __name__ == "__main__":
    main()
