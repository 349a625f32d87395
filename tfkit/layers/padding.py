"""Sequences that say by themselves where padding is: all features of such a place are 0."""

import keras
from keras import ops


def real_places(features):
    """Which places are not padding.  [B, T, D] -> [B, T] bool"""
    return ops.any(ops.not_equal(features, 0), axis=-1)


@keras.saving.register_keras_serializable(package="tfkit")
class MaskedBlock(keras.layers.Wrapper):
    """A block of a transformer that leaves padding out, wherever its network is cut.

        output = block(features, padding_mask=real) where real, else 0
        real   = any of a place's features is not 0

    The block never looks at padding, so what comes out at real places is the same whatever is at
    the others; with zeros there the features say by themselves where padding is, and no mask has to
    pass beside them: the network can be cut behind any block. A block that ends in a layer
    normalisation gives no zeros at real places.

    Shapes: [B, T, D] -> [B, T, D]
    Args:
        layer: takes features and `padding_mask`, such as `keras_hub.layers.TransformerEncoder`.
    """

    def call(self, features, training=False):
        """[B, T, D] -> [B, T, D]"""
        real = real_places(features)  # [B, T]
        found = self.layer(features, padding_mask=real, training=training)
        return ops.where(real[..., None], found, ops.zeros_like(found))

    def compute_output_shape(self, input_shape):
        """[B, T, D] -> [B, T, D]"""
        return input_shape
