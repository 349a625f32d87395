"""What a pass moves beside the weights: moving statistics and generators."""

from contextlib import contextmanager

import tensorflow as tf


@contextmanager
def kept(variables):
    """Put the variables back afterwards to what they were before."""
    before = [tf.identity(variable.value) for variable in variables]
    yield
    for variable, value in zip(variables, before, strict=True):
        variable.assign(value)


def moved_by_passes(part) -> list:
    """The variables of a layer or model that a pass in training moves: statistics and generators,
    not what is only frozen.
    """
    frozen = {
        id(variable)
        for layer in part._flatten_layers()
        if not layer.trainable
        for variable in layer.weights
    }
    return [v for v in part.non_trainable_variables if id(v) not in frozen]


def require_one_replica():
    """Refuse to decide inside a step under `tf.distribute`, which cannot."""
    if tf.distribute.get_strategy().num_replicas_in_sync > 1:
        raise ValueError(
            "FeatureSieve: several replicas of tf.distribute cannot decide inside a step whether "
            "to forget; take forget_every 0 or 1, or one device."
        )
