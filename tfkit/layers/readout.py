"""Readouts: small classifiers of what a layer in the middle of a network knows."""

import math
from typing import Literal

import keras
from keras import ops

_EPSILON = 1e-5  # of the published block's normalisation
_MOMENTUM = 0.9  # of its moving statistics


@keras.saving.register_keras_serializable(package="tfkit")
class ConvReadout(keras.Layer):
    """Readout of feature maps: residual blocks of convolutions, the mean over places, logits.

        block  = relu(norm(conv3x3(relu(norm(conv3x3(h))))) + h)     without + h in the first block
        logits = mean over places (depth x block) W + b

    The first block changes the number of channels to `width`. depth 0 is linear in the mean over
    places, so it is blind to where a feature is. The logits stay float32 in half precision.

    Shapes: [B, H, W, C] -> [B, K]
    Args:
        num_classes: K, >= 2.
        depth: blocks, >= 0; 2 is the published default, drawn from 1 to 6 in its search.
        width: channels of the blocks, >= 1; 256 is the published one.
        normalization: "batch" is the published block, whose moving statistics follow the readout's
            own passes; "group" normalises every example by itself, over groups of 8 channels or
            more; null: none. Convolutions have a bias only where nothing normalises.
    References: Tiwari and Shenoy 2023, arXiv:2301.13293; Wu and He 2018, arXiv:1803.08494.
    """

    def __init__(
        self,
        num_classes: int,
        depth: int = 2,
        width: int = 256,
        normalization: Literal["group", "batch"] | None = "group",
        **kwargs,
    ):
        super().__init__(**kwargs)
        _check("ConvReadout", num_classes, depth, width)
        if normalization not in ("group", "batch", None):
            raise ValueError(
                "ConvReadout: normalization must be 'group', 'batch' or None, got "
                f"{normalization!r}."
            )
        self.num_classes, self.depth, self.width = num_classes, depth, width
        self.normalization = normalization
        # flat, since Keras' files hold no lists of lists: convolution, norm, convolution, norm, …
        self.body = [made for _ in range(2 * depth) for made in (self._conv(), self._norm())]
        self.logits = _logits(num_classes, self.dtype_policy)

    def _conv(self):
        return keras.layers.Conv2D(
            self.width,
            3,
            padding="same",
            use_bias=self.normalization is None,
            data_format="channels_last",
            dtype=self.dtype_policy,
        )

    def _norm(self):
        own = {"epsilon": _EPSILON, "dtype": self.dtype_policy}
        if self.normalization == "batch":
            return keras.layers.BatchNormalization(momentum=_MOMENTUM, **own)
        if self.normalization == "group":
            groups = math.gcd(self.width, max(1, min(32, self.width // 8)))
            return keras.layers.GroupNormalization(groups=groups, **own)
        return keras.layers.Identity(dtype=self.dtype_policy)

    def build(self, input_shape):
        """Make the weights, in the order in which they are used."""
        if len(input_shape) != 4:
            raise ValueError(
                f"ConvReadout: features must have shape [B, H, W, C], got {tuple(input_shape)}; "
                "take DenseReadout for others."
            )
        shape = tuple(input_shape)
        for layer in self.body:
            layer.build(shape)
            shape = (*shape[:3], self.width)
        self.logits.build((shape[0], shape[3]))

    def call(self, features, training=False):
        """Logits.  [B, H, W, C] -> [B, K]"""
        hidden = features
        for start in range(0, len(self.body), 4):
            first, norm, second, other_norm = self.body[start : start + 4]
            inner = ops.relu(norm(first(hidden), training=training))
            outer = other_norm(second(inner), training=training)  # [B, H, W, width]
            hidden = ops.relu(outer + hidden if start else outer)
        return self.logits(ops.mean(hidden, axis=(1, 2)))

    def compute_output_shape(self, input_shape):
        """[B, H, W, C] -> [B, K]"""
        return (input_shape[0], self.num_classes)

    def get_config(self):
        """The arguments."""
        arguments = ("num_classes", "depth", "width", "normalization")
        return {**super().get_config(), **{name: getattr(self, name) for name in arguments}}


@keras.saving.register_keras_serializable(package="tfkit")
class DenseReadout(keras.Layer):
    """Readout of any features: flattened, normalised where asked, hidden layers, logits.

        logits = (depth x relu(h W_i + b_i)) W + b        h = norm(flatten(features))

    depth 0 is linear in all features, places and all. The weakest that still predicts is the right
    one for a sieve: a stronger one reads, and has erased, more than the shortcut. The logits stay
    float32 in half precision.

    norm "center" subtracts each feature's mean over the batch, "batch" divides by its deviation as
    well; neither has a gain or offset, and moving statistics serve at inference. A sieve then
    erases what tells examples apart and cannot silence the readout by pushing units down for all
    alike, which makes its outcome a matter of luck (see the room's README).

    Shapes: [B, T, D] -> [B, K]
    Args:
        num_classes: K, >= 2.
        depth: hidden layers with ReLU, >= 0; 0, linear, is what erases a shortcut and leaves the
            rest.
        width: of the hidden layers, >= 1.
        normalization: of the features: "center", "batch" or "none".
    References: Tiwari and Shenoy 2023, arXiv:2301.13293, who have convolutions and batch
        normalisation before a linear layer; Ioffe and Szegedy 2015, arXiv:1502.03167.
    """

    def __init__(
        self,
        num_classes: int,
        depth: int = 0,
        width: int = 64,
        normalization: Literal["center", "batch", "none"] = "center",
        **kwargs,
    ):
        super().__init__(**kwargs)
        _check("DenseReadout", num_classes, depth, width)
        if normalization not in ("center", "batch", "none"):
            raise ValueError(
                "DenseReadout: normalization must be 'center', 'batch' or 'none', got "
                f"{normalization!r}."
            )
        self.num_classes, self.depth, self.width = num_classes, depth, width
        self.normalization = normalization
        own = {"dtype": self.dtype_policy}
        if normalization == "batch":
            own_norm = {"momentum": _MOMENTUM, "center": False, "scale": False, **own}
            self.norm = keras.layers.BatchNormalization(**own_norm)
        else:
            self.norm = (Centering if normalization == "center" else keras.layers.Identity)(**own)
        self.hidden = [keras.layers.Dense(width, activation="relu", **own) for _ in range(depth)]
        self.logits = _logits(num_classes, self.dtype_policy)

    def build(self, input_shape):
        """Make the weights."""
        if len(input_shape) < 2 or None in input_shape[1:]:
            raise ValueError(
                "DenseReadout: features must have a batch and a known shape without it, got "
                f"{tuple(input_shape)}; pool what has no fixed length first."
            )
        width = math.prod(input_shape[1:])
        self.norm.build((input_shape[0], width))
        for layer in (*self.hidden, self.logits):
            layer.build((input_shape[0], width))
            width = self.width

    def call(self, features, training=False):
        """Logits.  [B, ...] -> [B, K]"""
        flat = ops.reshape(features, (-1, math.prod(features.shape[1:])))
        hidden = self.norm(flat, training=training)
        for layer in self.hidden:
            hidden = layer(hidden)
        return self.logits(hidden)

    def compute_output_shape(self, input_shape):
        """[B, ...] -> [B, K]"""
        return (input_shape[0], self.num_classes)

    def get_config(self):
        """The arguments."""
        arguments = ("num_classes", "depth", "width", "normalization")
        return {**super().get_config(), **{name: getattr(self, name) for name in arguments}}


@keras.saving.register_keras_serializable(package="tfkit")
class Centering(keras.Layer):
    """Features less their mean: over the batch in training, the moving one at inference.

    Shapes: [B, D] -> [B, D]
    """

    def build(self, input_shape):
        """Make the moving mean."""
        self.moving_mean = self.add_weight(
            shape=(input_shape[-1],),
            initializer="zeros",
            trainable=False,
            autocast=False,
            name="moving_mean",
        )

    def call(self, inputs, training=False):
        """[B, D] -> [B, D]"""
        if not training:
            return inputs - ops.cast(self.moving_mean, inputs.dtype)
        mean = ops.mean(ops.cast(inputs, self.moving_mean.dtype), axis=0)  # [D]
        moved = _MOMENTUM * self.moving_mean + (1 - _MOMENTUM) * ops.stop_gradient(mean)
        self.moving_mean.assign(moved)
        return inputs - ops.cast(mean, inputs.dtype)


def _logits(num_classes, policy):
    """The last layer, which answers in the weights' own precision: losses of half a logit's digits
    are no losses.
    """
    return keras.layers.Dense(num_classes, name="logits", dtype=policy.variable_dtype)


def _check(owner, num_classes, depth, width):
    least = {"num_classes": (num_classes, 2), "depth": (depth, 0), "width": (width, 1)}
    for name, (value, bound) in least.items():
        if value < bound:
            raise ValueError(f"{owner}: {name} must be >= {bound}, got {value}.")
