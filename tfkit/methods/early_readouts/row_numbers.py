"""Row numbers of the training set, which tell whose weight is whose."""

import numpy as np
import tensorflow as tf


def checked_index(index, num_train: int, owner: str) -> np.ndarray:
    """Row numbers, which may be a column.  [N] or [N, 1] int -> [N] int32

    Raises:
        ValueError: no integers, or numbers that are no rows of the training set.
    """
    found = np.asarray(index).reshape(-1)
    _check_type(found.dtype, num_train, owner)
    if len(found) and (found.min() < 0 or found.max() >= num_train):
        raise ValueError(f"{_wanted(num_train, owner)}, got {found.min()} to {found.max()}.")
    return found.astype("int32")


def rows_of_batch(index, num_train: int, owner: str):
    """As `checked_index` within a training step.  [B] or [B, 1] int -> [B] int32

    XLA leaves the question for the range away: a number beyond it is then the last row's.

    Raises:
        ValueError: no index, or no integers.
    """
    if index is None:
        raise ValueError(f"{owner}: a training batch must be (x, y, index).")
    index = tf.convert_to_tensor(index)
    _check_type(index.dtype.as_numpy_dtype, num_train, owner)
    index = tf.cast(tf.reshape(index, (-1,)), tf.int64)  # holds num_train
    wanted = _wanted(num_train, owner)
    tf.debugging.assert_non_negative(index, message=wanted)
    tf.debugging.assert_less(index, tf.cast(num_train, tf.int64), message=wanted)
    return tf.cast(index, tf.int32)


def _check_type(dtype, num_train, owner):
    if not np.issubdtype(dtype, np.integer):
        raise ValueError(
            f"{_wanted(num_train, owner)}, as integers, got {np.dtype(dtype).name}; "
            "it is no sample weight."
        )


def _wanted(num_train, owner):
    return f"{owner}: index must hold row numbers of the training set, 0 to {num_train - 1}"
