"""The floating type that a loss is computed in."""

import keras
from keras import ops


def at_least_float32(*tensors):
    """The arguments as tensors of one type: float64 if any of them is, else float32.

    Mixed precision hands bfloat16 activations to the losses, which must not sum in it.
    """
    tensors = [ops.convert_to_tensor(tensor) for tensor in tensors]
    types = {keras.backend.standardize_dtype(tensor.dtype) for tensor in tensors}
    dtype = "float64" if "float64" in types else "float32"
    return [ops.cast(tensor, dtype) for tensor in tensors]
