import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from tfkit.errors import UsageError
from tfkit.export.batching import Batching, batched, merges, reason_against

WAIT = 50_000  # microseconds that the first of simultaneous requests waits for the others


def at_once(calls):
    """The calls' results, each from a thread of its own; an exception is a result."""
    results, ready = [None] * len(calls), threading.Barrier(len(calls))

    def work(index, call):
        ready.wait()
        try:
            results[index] = call()
        except Exception as error:
            results[index] = error

    threads = [threading.Thread(target=work, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def scaled(factor, batching, log=None, wait=0.0):
    """A batched function x -> factor x, and how many rows were computed together."""
    import tensorflow as tf

    def note():
        if log is not None:
            log.append("computed")
        time.sleep(wait)
        return np.int32(0)

    def function(x):
        if log is not None:
            log.append("traced")
        with tf.control_dependencies([tf.numpy_function(note, [], tf.int32)]):
            rows = tf.shape(x)[0]
            return {"y": x * factor, "rows": tf.fill([rows], rows)}

    return batched(function, {"x": tf.TensorSpec([None, 2], tf.float32)}, batching)


def rows_of(count):
    return np.random.default_rng(count).random((count, 2)).astype("float32")


def test_simultaneous_calls_are_one_batch_and_get_their_own_rows():
    function = scaled(2.0, Batching(8, WAIT))
    given = [rows_of(n) for n in (1, 2, 3, 2)]
    answers = at_once([lambda x=x: function({"x": x}) for x in given])
    for x, answer in zip(given, answers, strict=True):
        np.testing.assert_array_equal(answer["y"], 2 * x)
        assert answer["rows"].numpy().tolist() == [8] * len(x)


def test_functions_of_equal_options_never_mix_and_share_their_threads():
    functions = [scaled(float(k), Batching(64, 5_000, num_batch_threads=2)) for k in range(6)]
    one = np.ones((1, 2), "float32")
    functions[0]({"x": one})
    before = len(list(Path("/proc/self/task").iterdir()))
    for _ in range(5):
        calls = [lambda f=functions[i % 6]: f({"x": one})["y"][0, 0] for i in range(18)]
        assert [float(a) for a in at_once(calls)] == [float(i % 6) for i in range(18)]
    # a scheduler of two threads for each would be ten more; Python's own have ended
    assert len(list(Path("/proc/self/task").iterdir())) < before + 10


def test_it_is_traced_once():
    log = []
    function = scaled(2.0, Batching(8, 0, allowed_batch_sizes=(1, 4, 8)), log)
    traced = log.count("traced")
    for count in (1, 2, 3, 5, 8, 1, 0):
        function({"x": rows_of(count)})
    assert log.count("traced") == traced
    assert log.count("computed") == 7


def test_batches_are_padded_to_allowed_sizes():
    function = scaled(3.0, Batching(8, 0, allowed_batch_sizes=(2, 8)))
    for count, computed in ((1, 2), (2, 2), (3, 8), (8, 8)):
        answer = function({"x": rows_of(count)})
        assert answer["rows"].numpy().tolist() == [computed] * count
        np.testing.assert_array_equal(answer["y"], 3 * rows_of(count))


@pytest.mark.parametrize(
    "options, parts",
    [
        ({"allowed_batch_sizes": (1, 8, 32)}, {32}),
        ({"max_execution_batch_size": 32}, {32}),
        ({"enable_large_batch_splitting": True, "max_execution_batch_size": 32}, {32}),
    ],
)
def test_large_requests_are_split(options, parts):
    function = scaled(2.0, Batching(256, 0, **options))
    for count in (33, 40, 200, 256):
        answer = function({"x": rows_of(count)})
        np.testing.assert_array_equal(answer["y"], 2 * rows_of(count))
        assert max(answer["rows"].numpy()) == 32
    assert set(function({"x": rows_of(256)})["rows"].numpy().tolist()) == parts
    with pytest.raises(Exception, match="larger than maximum input batch size 256"):
        function({"x": rows_of(257)})


def test_a_full_queue_is_unavailable():
    import tensorflow as tf

    function = scaled(2.0, Batching(4, 0, 1, num_batch_threads=1), wait=0.2)
    answers = at_once([lambda: function({"x": rows_of(4)})] * 8)
    refused = [a for a in answers if isinstance(a, tf.errors.UnavailableError)]
    assert refused and "queue" in str(refused[0])
    answered = [a for a in answers if isinstance(a, dict)]
    assert len(answered) + len(refused) == 8
    for answer in answered:
        np.testing.assert_array_equal(answer["y"], 2 * rows_of(4))


def test_no_rows_and_uneven_inputs_are_computed_alone():
    import tensorflow as tf

    one, two = tf.TensorSpec([None, 2], tf.float32), tf.TensorSpec([None], tf.string)
    function = batched(lambda a, b: {"a": a + 1.0, "b": b}, {"a": one, "b": two}, Batching(8))
    empty = function({"a": np.zeros((0, 2), "float32"), "b": np.array([], "S")})
    assert (empty["a"].shape, empty["b"].shape) == ((0, 2), (0,))
    uneven = function({"a": rows_of(2), "b": np.array([b"x"])})
    np.testing.assert_array_equal(uneven["a"], rows_of(2) + 1)
    text = at_once([lambda k=k: function({"a": rows_of(1), "b": [k]})["b"][0] for k in "abc"])
    assert [t.numpy() for t in text] == [b"a", b"b", b"c"]


def test_an_error_inside_reaches_the_caller_and_the_next_call_is_answered():
    import tensorflow as tf

    def checked(x):
        with tf.control_dependencies([tf.debugging.assert_positive(x)]):
            return {"y": tf.identity(x)}

    function = batched(checked, {"x": tf.TensorSpec([None, 2], tf.float32)}, Batching(8))
    with pytest.raises(tf.errors.InvalidArgumentError):
        function({"x": -np.ones((1, 2), "float32")})
    assert function({"x": np.ones((1, 2), "float32")})["y"].shape == (1, 2)


def test_shapes_stay_known_and_the_graph_says_that_it_merges():
    import tensorflow as tf

    concrete = scaled(2.0, Batching(8)).get_concrete_function()
    assert concrete.structured_outputs["y"].shape.as_list() == [None, 2]
    assert merges(concrete)
    plain = tf.function(lambda x: x, input_signature=[tf.TensorSpec([None, 2])])
    assert not merges(plain.get_concrete_function())


def test_what_cannot_be_merged_says_why():
    import tensorflow as tf

    good = tf.TensorSpec([None, 3])
    reasons = {
        "no input": {},
        "input 'x' has no batch axis": {"a": good, "x": tf.TensorSpec([])},
        r"'x' has no batch axis, its shape is \(2,\)": {"x": tf.TensorSpec([2], tf.int32)},
        "'x' has an unknown shape": {"x": tf.TensorSpec(None)},
        "'x' has an open size besides the batch.* fail its neighbours": {
            "x": tf.TensorSpec([None, None, 3])
        },
        "'x' is no array but a variant": {"x": tf.TensorSpec([None], tf.variant)},
    }
    for reason, inputs in reasons.items():
        with pytest.raises(UsageError, match=reason):
            batched(lambda **tensors: tensors, inputs, Batching())
    assert reason_against({"x": good, "t": tf.TensorSpec([None], tf.string)}) is None
    with pytest.raises(UsageError, match="output 'total' has no batch axis"):
        batched(lambda x: {"total": tf.reduce_sum(x)}, {"x": good}, Batching())
    with pytest.raises(UsageError, match="output 'names' has no batch axis"):
        batched(lambda x: {"x": x, "names": tf.constant(["a"])}, {"x": good}, Batching())


REFUSED = {
    "max_batch_size must be in": {"max_batch_size": 0},
    "batch_timeout_micros must be in": {"batch_timeout_micros": -1},
    "max_enqueued_batches must be in": {"max_enqueued_batches": 0},
    "num_batch_threads must be in": {"num_batch_threads": 2**31},
    "allowed_batch_sizes must be ascending": {"max_batch_size": 8, "allowed_batch_sizes": (8, 8)},
    "allowed_batch_sizes must be asc": {"max_batch_size": 8, "allowed_batch_sizes": (0, 8)},
    "must end at max_batch_size": {"max_batch_size": 8, "allowed_batch_sizes": (1, 9)},
    "must be one of allowed_batch_sizes": {
        "max_batch_size": 8,
        "allowed_batch_sizes": (1, 8),
        "max_execution_batch_size": 4,
    },
    "and at most max_batch_size": {"max_batch_size": 8, "max_execution_batch_size": 9},
    "enable_large_batch_splitting: true, or max_batch_size: 4": {
        "max_batch_size": 8,
        "allowed_batch_sizes": (1, 4),
        "enable_large_batch_splitting": False,
    },
    "set max_enqueued_batches to at least 4": {
        "max_batch_size": 97,
        "allowed_batch_sizes": (32,),
        "max_enqueued_batches": 3,
    },
    "pad_variable_length_inputs: true is not supported": {"pad_variable_length_inputs": True},
}


@pytest.mark.parametrize("message", REFUSED)
def test_options_that_contradict_each_other(message):
    with pytest.raises(UsageError, match=message):
        Batching(**REFUSED[message])


def test_options_are_checked_without_tensorflow():
    code = (
        "import sys; from tfkit.export.batching import Batching; Batching(); "
        "assert 'tensorflow' not in sys.modules and 'numpy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
