"""What an export of this room answers: the network alone."""

from keras import ops

from tfkit.classification import serving
from tfkit.signature import Signature

CARD = {  # what the model card says of every export of this room
    "task": "classification",
    "gives": serving.GIVES,
    "limits": "How it does on a group that training had few or none of is not told by its average: "
    "look at the table of groups in the report.",
}


def signatures(model) -> dict[str, Signature]:
    """The classifier.

        predict   inputs -> probabilities, logits, label

    Shapes: inputs [B, ...]; probabilities, logits [B, C] float32; label [B] int32
    """
    return {"predict": serving.signatures(model.network)["predict"]}


def representation(model):
    """The function inputs -> logits, which the hub module computes when it is called."""
    return lambda inputs: ops.cast(model.network(inputs, training=False), "float32")
