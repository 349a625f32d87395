"""An export with `batching`: what it merges after it was loaded, and what it refuses to be."""

import json
import subprocess
import sys
import threading
import types
from pathlib import Path

import numpy as np
import pytest

from tfkit.errors import TfkitError, UsageError
from tfkit.export import export_model
from tfkit.export.batching import Batching
from tfkit.signature import Signature

MERGED = Batching(16, 100_000, 1000, 1)
ROWS = {"x": np.random.default_rng(0).random((12, 3)).astype("float32")}


def room_of(function, shape=(None, 3)):
    """A model of one weight, and a room that serves a function of it and of a float input."""
    import keras
    import tensorflow as tf

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    inputs = {"x": tf.TensorSpec(shape, tf.float32)}
    return model, types.SimpleNamespace(
        signatures=lambda model: {"predict": Signature(lambda x: function(model, x), inputs)},
        representation=lambda model: lambda x: model(x),
    )


def answer(model, x):
    return {"y": model(x)}


@pytest.fixture(scope="module")
def merging(tmp_path_factory):
    """(model, record) of an export that merges."""
    model, room = room_of(answer)
    home = tmp_path_factory.mktemp("savedmodels")
    return model, export_model(
        model, room, name="m", examples=ROWS, destination=home, batching=MERGED
    )


def test_the_proof_covers_simultaneous_calls_and_is_recorded(merging):
    record = merging[1]
    assert record["verification"]["calls_at_once"] == 8
    assert record["verification"]["largest_difference"]["predict"] <= 1e-6
    assert record["batching"]["max_batch_size"] == 16
    extra = Path(record["folder"]) / "assets.extra"
    told = json.loads((extra / "provenance.json").read_text())["export"]["batching"]
    assert told["batch_timeout_micros"] == 100_000
    assert "merged: up to 16 rows" in (extra / "MODEL_CARD.md").read_text()


ALONE = """
import concurrent.futures, sys, time, numpy as np, tensorflow as tf
loaded = tf.saved_model.load(sys.argv[1])
function = loaded.signatures["predict"]
rows = np.load(sys.argv[2])
call = lambda n: function(x=tf.constant(rows[n:n + 1]))["y"].numpy()[0]
call(0)
assert any(n.op == "BatchFunction" for f in function.graph.as_graph_def().library.function
           for n in f.node_def)
began = time.monotonic()
call(0)
one = time.monotonic() - began
with concurrent.futures.ThreadPoolExecutor(12) as pool:
    answers = list(pool.map(call, range(12)))
all_of_them = time.monotonic() - began - one
for rows_ in (0, 16, 40):
    assert function(x=tf.zeros([rows_, 3]))["y"].shape == (rows_, 2)
assert "tfkit" not in sys.modules
print(one, all_of_them)
np.save(sys.argv[3], answers)
"""


def test_a_fresh_process_merges(merging, tmp_path):
    """A lone call waits 100 ms for others, and twelve at once do not wait one after the other."""
    model, record = merging
    np.save(tmp_path / "rows.npy", ROWS["x"])
    arguments = [record["folder"], str(tmp_path / "rows.npy"), str(tmp_path / "answers.npy")]
    done = subprocess.run(
        [sys.executable, "-I", "-c", ALONE, *arguments], capture_output=True, text=True, check=True
    )
    one, together = map(float, done.stdout.split()[-2:])
    assert one > 0.1
    assert together < 6 * one
    np.testing.assert_allclose(np.load(tmp_path / "answers.npy"), model(ROWS["x"]), atol=1e-6)


def test_loaded_calls_are_merged_without_tracing_anew(merging):
    import tensorflow as tf

    model, record = merging
    function = tf.saved_model.load(record["folder"]).signatures["predict"]
    expected, wrong = np.asarray(model(ROWS["x"])), []

    def work(row):
        for _ in range(3):
            found = function(x=tf.constant(ROWS["x"][row : row + 1]))["y"]
            if not np.allclose(found, expected[row : row + 1], atol=1e-6):
                wrong.append(row)

    threads = [threading.Thread(target=work, args=(row,)) for row in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_the_hub_call_keeps_its_gradients(merging):
    import tensorflow as tf
    import tensorflow_hub as hub

    module = hub.load(merging[1]["folder"])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(module(tf.constant(ROWS["x"])))
    assert all(g is not None for g in tape.gradient(loss, module.trainable_variables))


def test_open_sizes_are_refused_before_anything_is_written(tmp_path):
    model, room = room_of(lambda model, x: {"y": x}, shape=(None, None))
    with pytest.raises(
        UsageError, match=r"export.batching: .*'predict'.* open size .*\(None, None"
    ):
        export_model(
            model, room, name="m", examples=ROWS, destination=tmp_path, batching=MERGED, hub=False
        )
    model, room = room_of(lambda model, x: {"y": x}, shape=(2,))
    with pytest.raises(UsageError, match="'x' has no batch axis"):
        export_model(
            model, room, name="m", examples=ROWS, destination=tmp_path, batching=MERGED, hub=False
        )
    assert not list(tmp_path.iterdir())


def test_an_answer_that_depends_on_its_neighbours_is_not_published(tmp_path):
    import tensorflow as tf

    def centred(model, x):  # alone, a row is its own mean
        return {"y": x - tf.reduce_mean(x, 0)}

    model, room = room_of(centred)
    with pytest.raises(TfkitError, match="differs .* at batch 1 from each of 8 threads"):
        export_model(
            model, room, name="m", examples=ROWS, destination=tmp_path, batching=MERGED, hub=False
        )
    assert not (tmp_path / "m" / "1").exists()
