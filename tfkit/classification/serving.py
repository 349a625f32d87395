"""What an export of a classifier answers."""

import tensorflow as tf
from keras import ops

from tfkit.signature import Signature

GIVES = {  # what model cards say of the outputs
    "probabilities": "softmax of the logits, not calibrated",
    "logits": "scores of the classes",
    "label": "the class of the largest score",
}


def signatures(network) -> dict[str, Signature]:
    """`predict`: inputs -> probabilities [B, C], logits [B, C], label [B] int32.

    Args:
        network: a functional model of inputs -> logits.
    """
    given = network.inputs[0]
    spec = tf.TensorSpec((None, *given.shape[1:]), tf.as_dtype(given.dtype))

    def predict(inputs):
        logits = ops.cast(network(inputs, training=False), "float32")
        label = ops.cast(ops.argmax(logits, axis=-1), "int32")
        return {"probabilities": ops.softmax(logits), "logits": logits, "label": label}

    return {"predict": Signature(predict, {"inputs": spec})}
