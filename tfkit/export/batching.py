"""Requests that come at the same time are computed together: TF Serving's batching in a graph.

The options bear the names, and where not said otherwise the defaults, of TF Serving's
BatchingParameters; the scheduler is the one that TF Serving uses, TensorFlow's op BatchFunction
(`tf.nondifferentiable_batch_function` is its short form).

References: tensorflow_serving/servables/tensorflow/session_bundle_config.proto;
    tensorflow_serving/batching/README.md.
"""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tfkit.errors import UsageError

MAX_BATCH_SIZE = 1000
BATCH_TIMEOUT_MICROS = 0
MAX_ENQUEUED_BATCHES = 10
THREAD_POOL_NAME = "batching"


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@dataclass(frozen=True)
class Batching:
    """How requests of one signature are merged. All signatures with equal options share threads.

    Args:
        max_batch_size: rows of the largest request, >= 1; a larger one is an InvalidArgumentError.
        batch_timeout_micros: longest wait of a request for others, >= 0. 0 merges what waits
            already while all threads are busy.
        max_enqueued_batches: batches that may wait, >= 1; beyond them UnavailableError.
        num_batch_threads: batches computed at once, >= 1; by default the processors available.
        allowed_batch_sizes: ascending; a batch is padded to the next of them.
        enable_large_batch_splitting: cut a request into parts of `max_execution_batch_size`. None:
            where that is less than `max_batch_size`.
        max_execution_batch_size: rows of the largest batch that is computed, >= 1. None: the
            largest allowed size, without any `max_batch_size`.
        thread_pool_name: what the op is called in profiles.
        pad_variable_length_inputs: only false: see `reason_against`.
    Raises: UsageError for options that contradict each other, with the cure.
    """

    max_batch_size: int = MAX_BATCH_SIZE
    batch_timeout_micros: int = BATCH_TIMEOUT_MICROS
    max_enqueued_batches: int = MAX_ENQUEUED_BATCHES
    num_batch_threads: int = field(default_factory=_processors)
    allowed_batch_sizes: tuple[int, ...] = ()
    enable_large_batch_splitting: bool | None = None
    max_execution_batch_size: int | None = None
    thread_pool_name: str = THREAD_POOL_NAME
    pad_variable_length_inputs: bool = False

    def __post_init__(self):
        sizes, largest = self.allowed_batch_sizes, self.max_batch_size
        for name, (least, most) in _BOUNDS.items():
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                raise UsageError(f"{name} must be in [{least}, {most}], got {value}.")
        if list(sizes) != sorted({size for size in sizes if size >= 1}):
            wrong = list(sizes)
            raise UsageError(f"allowed_batch_sizes must be ascending integers >= 1, got {wrong}.")
        if self.pad_variable_length_inputs:
            raise UsageError(f"pad_variable_length_inputs: true is not supported: {_ODD}.")
        if sizes and sizes[-1] > largest:
            words = f"allowed_batch_sizes must end at max_batch_size ({largest}) or below it"
            raise UsageError(f"{words}, got {sizes[-1]}.")
        self._check_splitting()

    def _check_splitting(self) -> None:
        limit, largest = self.limit, self.max_batch_size
        if limit > largest or (self.allowed_batch_sizes and limit not in self.allowed_batch_sizes):
            raise UsageError(
                f"max_execution_batch_size must be one of allowed_batch_sizes, if there are any, "
                f"and at most max_batch_size ({largest}), got {limit}."
            )
        if not self.splits and limit < largest:
            raise UsageError(
                f"max_batch_size is {largest}, but no batch may have more than {limit} rows: set "
                f"enable_large_batch_splitting: true, or max_batch_size: {limit}."
            )
        if largest > limit * self.max_enqueued_batches:
            raise UsageError(
                f"a request of max_batch_size ({largest}) rows never fits into the queue of "
                f"{self.max_enqueued_batches} batches of {limit}: set max_enqueued_batches to at "
                f"least {-(-largest // limit)}."
            )

    @property
    def limit(self) -> int:
        """Rows of the largest batch that is computed."""
        last = self.allowed_batch_sizes[-1] if self.allowed_batch_sizes else self.max_batch_size
        return self.max_execution_batch_size or last

    @property
    def splits(self) -> bool:
        """Whether larger requests are cut."""
        wanted = self.enable_large_batch_splitting
        return self.limit < self.max_batch_size if wanted is None else wanted


_LARGEST = 2**31 - 1  # the op's integers are int64, but its sizes are int
_BOUNDS = {
    "max_batch_size": (1, _LARGEST),
    "batch_timeout_micros": (0, _LARGEST),
    "max_enqueued_batches": (1, _LARGEST),
    "num_batch_threads": (1, 1000),  # TensorFlow starts as many as it is told, until nothing moves
    "max_execution_batch_size": (1, _LARGEST),
}
_ODD = "requests of different lengths are not merged, for one odd request would fail its neighbours"


def reason_against(
    inputs: Mapping[str, Any], outputs: Mapping[str, Any] | None = None
) -> str | None:
    """Why a signature's requests cannot be merged; None where they can.

    Args:
        inputs: {name: tf.TensorSpec}, or what else has a shape and a dtype.
        outputs: the same of what it answers.
    """
    if not inputs:
        return "it has no input"
    for name, spec in inputs.items():
        if spec.dtype.name in ("resource", "variant"):
            return f"input {name!r} is no array but a {spec.dtype.name}"
        reason = _without_batch_axis(spec.shape)
        if reason:
            return f"input {name!r} {reason}"
        if not spec.shape[1:].is_fully_defined():
            return f"input {name!r} has an open size besides the batch, {spec.shape}: {_ODD}"
    for name, spec in (outputs or {}).items():
        reason = _without_batch_axis(spec.shape)
        if reason:
            return f"output {name!r} {reason}"
    return None


def _without_batch_axis(shape: Any) -> str | None:
    if shape.rank is None:
        return "has an unknown shape"
    if shape.rank == 0 or shape[0] is not None:
        return f"has no batch axis, its shape is {shape}"
    return None


def batched(
    function: Callable[..., Mapping[str, Any]],
    inputs: Mapping[str, Any],
    batching: Batching,
    *,
    alone_from: int | None = None,
) -> Any:
    """A function of the same signature whose simultaneous calls are computed as one batch.

    Traced once, for any number of rows. A call without rows, or whose inputs have different numbers
    of them, is computed by itself. A row's answer must not depend on the other rows.

    Args:
        function: takes the inputs as keywords, returns {output name: tensor}; the batch comes first
            in every tensor.
        inputs: {name: tf.TensorSpec}.
        batching: how.
        alone_from: calls of so many rows and more, however many, are computed by themselves too.
    Returns: a tf.function of one argument, {input name: tensor}, which returns {name: tensor}.
    Raises: UsageError, with the reason, where requests cannot be merged.
    """
    import tensorflow as tf

    _refuse(reason_against(inputs))
    names = sorted(inputs)
    specs = [tf.TensorSpec(inputs[name].shape, inputs[name].dtype, name=name) for name in names]

    @tf.function(autograph=False, input_signature=specs)
    def alone(*tensors):
        return dict(function(**dict(zip(names, tensors, strict=True))))

    concrete = alone.get_concrete_function()
    _refuse(reason_against(inputs, concrete.structured_outputs))
    queue = _queue(batching)

    @tf.function(autograph=False, input_signature=[dict(zip(names, specs, strict=True))])
    def together(tensors):
        given = [tensors[name] for name in names]
        rows = [tf.shape(tensor)[0] for tensor in given]
        fits = [rows[0] < (alone_from or _LARGEST), *(n == rows[0] for n in rows[1:])]
        mergeable = tf.reduce_all([0 < rows[0], *fits])
        return tf.cond(mergeable, lambda: _merge(concrete, given, queue), lambda: alone(*given))

    return together


def _refuse(reason: str | None) -> None:
    if reason:
        raise UsageError(f"Requests of this signature cannot be merged: {reason}.")


def _queue(batching: Batching) -> dict[str, Any]:
    """The op's attributes.

    The op finds its scheduler by `shared_name` and its queue there by `batching_queue`, anywhere in
    the process: two functions with the same names would answer each other's requests. So the queue
    is unique; the scheduler is shared by all functions with the same options, as TF Serving's is:
    its threads never end, and with one for each version a server would gather them. (An export
    that merges by itself does gather them: TensorFlow's loader gives each load names of its own.)
    """
    sizes = batching.allowed_batch_sizes
    if batching.splits:  # the op cuts at the last of these
        sizes = [n for n in sizes or range(1, batching.limit + 1) if n <= batching.limit]
    name = re.sub(r"[^A-Za-z0-9.]+", "_", batching.thread_pool_name).lstrip("_")
    return {
        "name": name or THREAD_POOL_NAME,
        "shared_name": "tfkit " + " ".join(str(value) for value in asdict(batching).values()),
        "batching_queue": uuid.uuid4().hex,
        "max_batch_size": batching.max_batch_size,
        "batch_timeout_micros": batching.batch_timeout_micros,
        "max_enqueued_batches": batching.max_enqueued_batches,
        "num_batch_threads": batching.num_batch_threads,
        "allowed_batch_sizes": list(sizes),
        "enable_large_batch_splitting": batching.splits,
    }


def _merge(concrete: Any, tensors: list, queue: dict[str, Any]) -> Any:
    """The op, its answers by name and with the shapes that are known."""
    import tensorflow as tf

    answers = tf.raw_ops.BatchFunction(
        in_tensors=tensors,
        captured_tensors=concrete.captured_inputs,
        f=concrete,
        Tout=[output.dtype for output in concrete.outputs],
        **queue,
    )
    for answer, output in zip(answers, concrete.outputs, strict=True):
        answer.set_shape(output.shape)
    return tf.nest.pack_sequence_as(concrete.structured_outputs, answers)


def merges(function: Any) -> bool:
    """Whether a concrete function merges its calls itself, as an export with `batching` does."""
    graph = function.graph.as_graph_def()
    nodes = [*graph.node, *(n for f in graph.library.function for n in f.node_def)]
    return any(node.op == "BatchFunction" for node in nodes)
