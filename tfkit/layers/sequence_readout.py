"""A readout of what a transformer knows of a text after some of its blocks."""

from typing import Literal

import keras
from keras import ops

from tfkit.layers.padding import real_places
from tfkit.layers.readout import DenseReadout


@keras.saving.register_keras_serializable(package="tfkit")
class SequenceReadout(keras.Layer):
    """Readout of a sequence: the state of its first place, or their mean, then a `DenseReadout`.

        logits = dense(h_0)     or     dense(mean over the places that are not padding)

    Padding is places where all features are 0, as networks of tfkit for texts make them. The logits
    stay float32 in half precision.

    Shapes: [B, T, D] -> [B, K]
    Args:
        num_classes: K, >= 2.
        pooling: "first", where BERT's [CLS] is and what its classifier sees; or "mean".
        depth: hidden layers with ReLU, >= 0.
        width: of the hidden layers, >= 1.
        normalization: of the pooled features, as in `DenseReadout`: "center", which a sieve wants,
            "batch" or "none".
    References: Tiwari et al. 2024, arXiv:2310.18590, who read out the first place linearly.
    """

    def __init__(
        self,
        num_classes: int,
        pooling: Literal["first", "mean"] = "first",
        depth: int = 0,
        width: int = 64,
        normalization: Literal["center", "batch", "none"] = "none",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if pooling not in ("first", "mean"):
            raise ValueError(f"SequenceReadout: pooling must be first or mean, got {pooling!r}.")
        self.num_classes, self.pooling = num_classes, pooling
        self.depth, self.width, self.normalization = depth, width, normalization
        own = {"dtype": self.dtype_policy}
        self.dense = DenseReadout(num_classes, depth, width, normalization, **own)

    def build(self, input_shape):
        """Make the weights."""
        if len(input_shape) != 3:
            raise ValueError(
                f"SequenceReadout: features must have shape [B, T, D], got {tuple(input_shape)}; "
                "take DenseReadout or ConvReadout for others."
            )
        self.dense.build((input_shape[0], input_shape[2]))

    def call(self, features, training=False):
        """Logits.  [B, T, D] -> [B, K]"""
        return self.dense(self.pooled(features), training=training)

    def pooled(self, features):
        """[B, T, D] -> [B, D]"""
        if self.pooling == "first":
            return features[:, 0]
        count = ops.sum(ops.cast(real_places(features), features.dtype), axis=1)  # [B]
        return ops.sum(features, axis=1) / ops.maximum(count, 1)[:, None]  # an empty one has none

    def compute_output_shape(self, input_shape):
        """[B, T, D] -> [B, K]"""
        return (input_shape[0], self.num_classes)

    def get_config(self):
        """The arguments."""
        arguments = ("num_classes", "pooling", "depth", "width", "normalization")
        return {**super().get_config(), **{name: getattr(self, name) for name in arguments}}
