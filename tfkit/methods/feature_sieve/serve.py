"""What an export of this room answers."""

from keras import ops

from tfkit.classification import serving
from tfkit.signature import Signature

CARD = {  # what the model card says of every export of this room
    "task": "classification",
    "gives": serving.GIVES,
    "limits": "A sieve erases what its readout could decode; a shortcut that this readout could "
    "not see is still there. Look at the worst group on data where the shortcut does not hold.",
}


def signatures(model) -> dict[str, Signature]:
    """The classifier without its readout.

        predict   inputs -> probabilities, logits, label

    Shapes: inputs [B, ...]; probabilities, logits [B, K] float32; label [B] int32
    """
    return {"predict": serving.signatures(model.network)["predict"]}


def representation(model):
    """The function inputs -> logits, which the hub module computes when it is called."""
    network = model.network
    return lambda inputs: ops.cast(network(inputs, training=False), "float32")
