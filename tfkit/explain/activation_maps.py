"""Grad-CAM: where the channels are active that speak for a class."""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from tfkit.explain.scores import checked, gathered, pieces, score


def grad_cam(
    features: Callable, head: Callable, inputs, classes=None, batch_size: int = 64
) -> np.ndarray:
    """Maps of a network in two parts, inputs -> feature maps A -> logits, as large as the inputs.

        w_c = mean_hw d logit_k / d A_hwc        map_hw = max(0, sum_c w_c A_hwc)

    Maps are resized to height and width of the inputs by bilinear interpolation and have the
    logits' units; they say nothing of what speaks against the class.

    Shapes: inputs [B, H, W] or [B, H, W, C] -> [B, H, W]
    Args:
        features: inputs -> feature maps [B, h, w, C], such as a feature sieve's `lower`.
        head: feature maps -> logits [B, K], such as its `upper`.
        inputs: the examples, floats.
        classes: class numbers [B] to explain; None takes each example's largest logit.
        batch_size: examples at once, >= 1.
    Raises:
        ValueError: wrong shapes, features that are no maps.
    References: Selvaraju et al. 2017, arXiv:1610.02391, section 3.
    """
    inputs, classes = checked("grad_cam", inputs, classes, batch_size)
    found = []
    for batch, chosen in pieces(inputs, classes, batch_size):
        maps = tf.convert_to_tensor(features(batch))
        with tf.GradientTape() as tape:
            tape.watch(maps)
            total = tf.reduce_sum(score(head(maps), chosen))
        found.append(_resized(_map(maps, tape.gradient(total, maps)), batch.shape))
    return gathered(found)


def grad_cam_of_layer(
    model: keras.Model, layer: str, inputs, classes=None, batch_size: int = 64
) -> np.ndarray:
    """Grad-CAM of a layer of a functional or sequential model, see `grad_cam`.

    Shapes: inputs [B, H, W] or [B, H, W, C] -> [B, H, W]
    Args:
        model: inputs -> logits [B, K].
        layer: name of the layer whose outputs are the feature maps.
        inputs: the examples, floats.
        classes: class numbers [B] to explain; None takes each example's largest logit.
        batch_size: examples at once, >= 1.
    Raises:
        ValueError: wrong shapes, no such layer, a layer that gives no maps.
    References: Selvaraju et al. 2017, arXiv:1610.02391, section 3.
    """
    inputs, classes = checked("grad_cam_of_layer", inputs, classes, batch_size)
    names = [known.name for known in model.layers]
    if layer not in names:
        raise ValueError(
            f"grad_cam_of_layer: layer must be one of {', '.join(names)}, got {layer!r}."
        )
    both = keras.Model(model.inputs, [model.get_layer(layer).output, model.outputs[0]])
    found = []
    for batch, chosen in pieces(inputs, classes, batch_size):
        with tf.GradientTape() as tape:
            tape.watch(batch)  # without trainable variables before it, the layer is taped too
            maps, logits = both(batch, training=False)
            total = tf.reduce_sum(score(logits, chosen))
        found.append(_resized(_map(maps, tape.gradient(total, maps)), batch.shape))
    return gathered(found)


def _map(maps, gradient):
    """What the feature maps say for the class.  [B, h, w, C] twice -> [B, h, w]"""
    if len(maps.shape) != 4:
        raise ValueError(
            f"grad_cam: features must be maps [B, h, w, C], got shape {tuple(maps.shape)}; take an "
            "earlier layer."
        )
    if gradient is None:
        raise ValueError("grad_cam: the logits do not depend on the features.")
    maps, gradient = (tf.cast(one, tf.float32) for one in (maps, gradient))
    weights = tf.reduce_mean(gradient, axis=(1, 2), keepdims=True)  # [B, 1, 1, C]
    return tf.nn.relu(tf.reduce_sum(weights * maps, axis=-1))


def _resized(maps, shape):
    """As large as the inputs.  [B, h, w] -> [B, H, W]"""
    if len(shape) not in (3, 4):
        raise ValueError(f"grad_cam: inputs must be [B, H, W] or [B, H, W, C], got {tuple(shape)}.")
    return tf.image.resize(maps[..., None], shape[1:3])[..., 0]
