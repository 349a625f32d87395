"""What an export of this room answers: the student alone."""

from keras import ops

from tfkit.classification import serving
from tfkit.signature import Signature

CARD = {  # what the model card says of every export of this room
    "task": "classification",
    "gives": serving.GIVES,
    "limits": "The student was taught to rely less on what its early layers learn first; it is "
    "not free of shortcuts: look at the groups in the report.",
}


def signatures(model) -> dict[str, Signature]:
    """Named functions of named tensors; neither teacher nor readout is exported.

        predict   inputs -> probabilities, logits, label

    Shapes: inputs [B, ...]; probabilities, logits [B, C] float32; label [B] int32
    """
    return {"predict": serving.signatures(model.student)["predict"]}


def representation(model):
    """The function inputs -> logits, which the hub module computes when it is called."""
    return lambda inputs: ops.cast(model.student(inputs, training=False), "float32")
