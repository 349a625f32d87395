"""Attributions to single inputs by gradients: at the input, or on the way to it."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfkit.explain.scores import checked, gathered, pieces, score


def integrated_gradients(
    predict: Callable, inputs, classes=None, baseline=None, steps: int = 64, batch_size: int = 64
) -> np.ndarray:
    """How much each input contributes to a logit, compared with a baseline b.

        IG_i = (x_i - b_i) / S sum_s d logit_k / d x_i at b + (s - 1/2) / S (x - b),  s = 1 … S

    Complete: sum_i IG_i = logit_k(x) - logit_k(b), up to the error of S steps (the rule of
    midpoints). The class is that of x on the whole way.

    Shapes: inputs [B, ...] -> [B, ...]
    Args:
        predict: inputs -> logits [B, K]; a model, or the part of it after the embeddings.
        inputs: the examples, floats.
        classes: class numbers [B] to explain; None takes each example's largest logit.
        baseline: what says nothing, of the shape of inputs or of one example; None is zeros.
        steps: S, >= 1.
        batch_size: examples at once, >= 1.
    Raises:
        ValueError: wrong shapes.
    References: Sundararajan et al. 2017, arXiv:1703.01365.
    """
    inputs, classes = checked("integrated_gradients", inputs, classes, batch_size)
    if steps < 1:
        raise ValueError(f"integrated_gradients: steps must be >= 1, got {steps}.")
    start = _baseline(inputs, baseline)
    gradient = tf.function(_gradient)  # a graph: it is run `steps` times for every batch
    found = []
    for number, (batch, chosen) in enumerate(pieces(inputs, classes, batch_size)):
        below = start[number * batch_size : number * batch_size + len(batch)]
        if chosen is None:
            chosen = tf.argmax(predict(batch), axis=-1)
        total = tf.zeros_like(batch)
        for step in range(steps):
            total += gradient(predict, below + (step + 0.5) / steps * (batch - below), chosen)
        found.append((batch - below) * total / steps)
    return gathered(found)


def gradient_times_input(
    predict: Callable, inputs, classes=None, batch_size: int = 64
) -> np.ndarray:
    """Each input times the gradient of a logit at it: what a linear model's inputs contribute.

        GI_i = x_i d logit_k / d x_i

    Shapes: inputs [B, ...] -> [B, ...]
    Args:
        predict: inputs -> logits [B, K].
        inputs: the examples, floats.
        classes: class numbers [B] to explain; None takes each example's largest logit.
        batch_size: examples at once, >= 1.
    Raises:
        ValueError: wrong shapes.
    References: Shrikumar et al. 2017, arXiv:1605.01713.
    """
    inputs, classes = checked("gradient_times_input", inputs, classes, batch_size)
    return gathered(
        [
            batch * _gradient(predict, batch, chosen)
            for batch, chosen in pieces(inputs, classes, batch_size)
        ]
    )


def _gradient(predict, inputs, classes):
    """Of the logit of each example's class, zeros where it does not depend on the inputs."""
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        total = tf.reduce_sum(score(predict(inputs), classes))
    return tape.gradient(total, inputs, unconnected_gradients="zero")


def _baseline(inputs, baseline):
    """One baseline for each example.  -> [B, ...]"""
    if baseline is None:
        return np.zeros_like(inputs)
    baseline = np.asarray(baseline, inputs.dtype)
    if baseline.shape not in (inputs.shape, inputs.shape[1:]):
        raise ValueError(
            f"integrated_gradients: baseline must be of shape {inputs.shape} or "
            f"{inputs.shape[1:]}, got {baseline.shape}."
        )
    return np.broadcast_to(baseline, inputs.shape)
