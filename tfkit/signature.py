"""What a room declares to be served: a function of named tensors and the specs of its inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf


class Signature(NamedTuple):
    """One callable of an export.

    Args:
        function: takes the inputs as keywords, returns {output name: tensor}; the batch comes first
            in every tensor.
        inputs: {input name: tf.TensorSpec}; the batch is None, everything else static.
    """

    function: Callable[..., dict[str, tf.Tensor]]
    inputs: dict[str, tf.TensorSpec]
