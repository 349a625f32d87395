"""What `export.batching` gains: one exported model, plain and merging, called by many threads.

.venv/bin/python scripts/bench/batching.py --clients 1 16 --rounds 3
"""

import argparse
import statistics
import tempfile
import threading
import time
import types

import keras
import numpy as np
import tensorflow as tf

from tfkit.export import export_model
from tfkit.export.batching import Batching
from tfkit.methods.disentanglement import study_decoder, study_encoder
from tfkit.signature import Signature

WAYS = {  # wait in milliseconds, batches at once; None: not merged
    "plain": None,
    "wait 0 ms, 1 thread": (0, 1),
    "wait 1 ms, 1 thread": (1, 1),
    "wait 3 ms, 1 thread": (3, 1),
    "wait 3 ms, 2 threads": (3, 2),
}


def dense():
    """Eight layers of 512 units."""
    layers = [keras.layers.Dense(512, activation="relu") for _ in range(8)]
    return keras.Sequential([keras.Input((512,)), *layers])


def images():
    """The study's autoencoder of 64 x 64 images."""
    code = keras.layers.Lambda(lambda both: both[0])
    encoder, decoder = study_encoder((64, 64, 1)), study_decoder((64, 64, 1), 10)
    return keras.Sequential([keras.Input((64, 64, 1)), encoder, code, decoder])


def exported(model, home, way):
    """The loaded `predict` of an export, and what keeps it alive."""
    spec = {"x": tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)}
    predict = Signature(lambda x: {"y": model(x, training=False)}, spec)
    batching = way and Batching(32, way[0] * 1000, 1000, way[1])
    room = types.SimpleNamespace(signatures=lambda model: {"predict": predict})
    rows = {"x": np.random.default_rng(0).random((8, *model.input_shape[1:]))}
    record = export_model(
        model, room, name="m", examples=rows, destination=home, hub=False, batching=batching
    )
    loaded = tf.saved_model.load(record["folder"])
    return loaded, tf.constant(rows["x"][:1], tf.float32)


def driven(subject, clients: int, seconds: float) -> tuple[float, float, float, float]:
    """Requests a second, their median and 99th percentile in ms, and CPU ms a request."""
    (loaded, row), times = subject, []
    function, end = loaded.signatures["predict"], time.perf_counter() + seconds

    def work():
        while (began := time.perf_counter()) < end:
            function(x=row)
            times.append(time.perf_counter() - began)

    function(x=row)
    cpu, began = time.process_time(), time.perf_counter()
    threads = [threading.Thread(target=work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent, wall = time.process_time() - cpu, time.perf_counter() - began
    middle, late = 1e3 * np.quantile(times, (0.5, 0.99))
    return len(times) / wall, middle, late, 1e3 * spent / len(times)


def main() -> None:
    """One line a model, number of clients and way: medians of interleaved rounds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0)
    asked = parser.parse_args()
    for make in (dense, images):
        with tempfile.TemporaryDirectory() as home:
            model = make()
            subjects = {name: exported(model, home, way) for name, way in WAYS.items()}
            for clients in asked.clients:
                found = {name: [] for name in WAYS}
                for _ in range(asked.rounds):
                    for name, subject in subjects.items():
                        found[name].append(driven(subject, clients, asked.seconds))
                for name, rounds in found.items():
                    rate, middle, late, cpu = map(statistics.median, zip(*rounds, strict=True))
                    print(
                        f"{make.__name__:<7} {clients:>3} clients  {name:<22} {rate:7.0f}/s"
                        f"  p50 {middle:6.2f} ms  p99 {late:6.2f} ms  CPU {cpu:5.2f} ms a request",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
