"""Batches as a pure function of (seed, step), so that a run can go on at any step."""

import operator

import numpy as np
import tensorflow as tf


def step_indexed(arrays, batch_size, *, seed, start_step=0, shuffle=True) -> tf.data.Dataset:
    """Endless batches of aligned arrays; the batch of step t depends on (seed, t) only.

        epoch = t // S,  S = N // batch_size
        rows  = pi_epoch(t % S * batch_size + 0 … batch_size - 1)
        pi_e(i) = index_shuffle(i, seed=[seed, e], max_index=N - 1)

    Every epoch has its own order of all N examples and leaves the last N - S * batch_size of it
    out. Any step is reached at once: nothing before `start_step` is computed.

    Shapes: dict of [N, ...] -> dicts of [batch_size, ...]
    Args:
        arrays: dict of arrays or tensors with the same N.
        batch_size: examples in a batch, in [1, N].
        seed: integer in [0, 2^63), the first half of the shuffle's seed pair.
        start_step: the step of the first batch, >= 0.
        shuffle: False goes through the examples as they are stored.
    Raises:
        ValueError: no arrays, unequal N, a batch larger than N, a negative seed or step.
    """
    rows = _rows(arrays)
    batch_size = operator.index(batch_size)
    if not 1 <= batch_size <= rows:
        raise ValueError(
            f"step_indexed: batch_size must be between 1 and the {rows} examples, got {batch_size}."
        )
    if seed < 0 or start_step < 0:
        raise ValueError(
            f"step_indexed: seed and start_step must be >= 0, got {seed} and {start_step}."
        )
    with tf.device("CPU:0"):  # a data set that fits in memory need not fit on the accelerator
        tensors = {name: tf.convert_to_tensor(array) for name, array in arrays.items()}
    steps = rows // batch_size

    def batch(step):
        index = step % steps * batch_size + tf.range(batch_size, dtype=tf.int64)  # [B]
        if shuffle:
            index = shuffled(index, rows, seed, step // steps)
        return {name: tf.gather(tensor, index) for name, tensor in tensors.items()}

    counter = tf.data.Dataset.counter(operator.index(start_step))
    return counter.map(batch).prefetch(tf.data.AUTOTUNE)


def shuffled(index, size, seed, epoch=0):
    """Positions of `index` in a random order of `size` elements: a bijection per (seed, epoch).

    Shapes: [B] int64 -> [B] int64
    """
    pair = tf.stack([tf.cast(seed, tf.int64), tf.cast(epoch, tf.int64)])
    return tf.random.experimental.index_shuffle(index, pair, tf.cast(size - 1, tf.int64))


def _rows(arrays):
    if not arrays:
        raise ValueError("step_indexed: arrays is empty; pass {name: array}.")
    rows = {name: np.shape(array)[0] if np.ndim(array) else 0 for name, array in arrays.items()}
    if len(set(rows.values())) > 1 or 0 in rows.values():
        raise ValueError(
            f"step_indexed: arrays must have the same number of examples, and some; got {rows}."
        )
    return next(iter(rows.values()))
