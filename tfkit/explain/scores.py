"""The scores that attributions explain, and inputs in pieces that fit into memory."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf


def score(logits, classes):
    """The logit of one class of each example, in float32 or wider.  [B, K], [B] or None -> [B]

    Without classes, of the class with the largest logit.
    """
    if logits.dtype in (tf.float16, tf.bfloat16):
        logits = tf.cast(logits, tf.float32)
    classes = tf.argmax(logits, axis=-1) if classes is None else classes
    return tf.gather(logits, tf.cast(classes, tf.int64), axis=1, batch_dims=1)


def pieces(inputs, classes, batch_size: int) -> Iterator[tuple]:
    """Inputs and classes (or None) in batches, as tensors."""
    for start in range(0, len(inputs), batch_size):
        rows = slice(start, start + batch_size)
        chosen = None if classes is None else tf.convert_to_tensor(classes[rows])
        yield tf.convert_to_tensor(inputs[rows]), chosen


def checked(caller: str, inputs, classes, batch_size: int):
    """Inputs as floats and classes as whole numbers, as many of them, or ValueError."""
    inputs = np.asarray(inputs)
    if inputs.dtype.kind != "f" or inputs.ndim < 2 or not len(inputs):
        raise ValueError(
            f"{caller}: inputs must be floats [B, ...] with B >= 1, got {inputs.dtype} of shape "
            f"{inputs.shape}; of token ids pass their embeddings."
        )
    if batch_size < 1:
        raise ValueError(f"{caller}: batch_size must be >= 1, got {batch_size}.")
    if classes is None:
        return inputs, None
    classes = np.asarray(classes)
    if classes.shape != (len(inputs),) or classes.dtype.kind not in "iu":
        raise ValueError(
            f"{caller}: classes must be {len(inputs)} class numbers, got {classes.dtype} of shape "
            f"{classes.shape}."
        )
    return inputs, classes


def gathered(found: list) -> np.ndarray:
    """The results of all pieces in one array of float32 or wider."""
    arrays = [np.asarray(tf.cast(a, tf.float32) if a.dtype.size < 4 else a) for a in found]
    return np.concatenate(arrays)
