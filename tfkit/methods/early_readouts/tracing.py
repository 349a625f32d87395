"""Functions of batches of any size, traced once."""

import tensorflow as tf
from keras import ops


def over_open_batches(function, network):
    """A function of what `network` takes, traced once for batches of any size."""
    taken = network.inputs[0]
    spec = tf.TensorSpec((None, *taken.shape[1:]), taken.dtype)
    named = tf.function(function, reduce_retracing=True)  # of several inputs, or one by its name
    alone = tf.function(function, input_signature=[spec])

    def traced(inputs):
        if isinstance(inputs, (dict, list, tuple)):
            return named(inputs)
        return alone(ops.convert_to_tensor(inputs, taken.dtype))

    return traced
