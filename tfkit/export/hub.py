"""The root object of an export: TF-Hub's reusable SavedModel interface around a Keras model."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf


class _Mode(keras.layers.Layer):
    """Calls a function in Keras' training or inference mode, which every layer inside inherits.

    A room's `lambda images: model.encoder(images)[0]` so needs no `training` argument of its own;
    a function that has one is given it.
    """

    def __init__(self, function: Callable):
        super().__init__(name="representation", dtype="float32", autocast=False)
        self.function = function
        self.takes_training = "training" in inspect.signature(function).parameters

    def call(self, inputs, training=False):
        return (
            self.function(inputs, training=training)
            if self.takes_training
            else self.function(inputs)
        )


def reusable_root(
    model: keras.Model, representation: Callable | None, inputs: dict[str, tf.TensorSpec]
) -> tf.train.Checkpoint:
    """What `tf.saved_model.save` writes: all state of the model and, for TF-Hub, a call.

    root(inputs, training=False) is traced for both values of `training`. `trainable_variables` are
    those that a gradient reaches from the call (the decoder of a VAE is not among them, though its
    variables are saved), `variables` are all that the call reads, `regularization_losses` are
    functions without arguments that sum to Keras' weight regularisers.

    Args:
        model: its variables, seed generators included, and its lookup tables are saved.
        representation: inputs -> tensor(s), the call; None leaves the call out.
        inputs: {name: spec} of the call; with one, the call takes the tensor itself, else a dict.
    References: https://www.tensorflow.org/hub/reusable_saved_models.
    """
    root = tf.train.Checkpoint()
    root.state = [variable.value for variable in model.variables]
    root.resources = _resources(model)
    root.regularization_losses = _regularization_losses(model)
    if representation is None:
        return root
    mode = _Mode(representation)
    spec = call_spec(inputs)

    @tf.function(autograph=False)
    def call(inputs, training=False):
        return tf.nest.map_structure(as_served, mode(inputs, training=training))

    traces = [call.get_concrete_function(spec, training=flag) for flag in (False, True)]
    root.__call__ = call
    root.variables = _unique(variable for trace in traces for variable in trace.variables)
    root.trainable_variables = _reached(call, spec, [v.value for v in model.trainable_variables])
    return root


def call_spec(inputs: dict[str, tf.TensorSpec]) -> Any:
    """The bare spec of a single input, else the dict."""
    named = {n: tf.TensorSpec(spec.shape, spec.dtype, name=n) for n, spec in inputs.items()}
    return next(iter(named.values())) if len(named) == 1 else named


def as_served(tensor: tf.Tensor) -> tf.Tensor:
    """Half precision leaves as float32: neither NumPy nor JSON clients know bfloat16."""
    tensor = tf.convert_to_tensor(tensor)
    return tf.cast(tensor, tf.float32) if tensor.dtype in (tf.bfloat16, tf.float16) else tensor


def _resources(model: keras.Model) -> list:
    """Lookup tables and their like: written only when the root reaches them."""
    kind = tf.saved_model.experimental.TrackableResource
    return [item for item in tf.train.TrackableView(model).descendants() if isinstance(item, kind)]


def _regularization_losses(model: keras.Model) -> list[Callable]:
    def loss_of(variable):
        return tf.function(lambda: variable.regularizer(variable.value), input_signature=[])

    losses = [loss_of(v) for v in model.trainable_variables if v.regularizer is not None]
    for loss in losses:
        loss.get_concrete_function()
    return losses


def _reached(call: Callable, spec: Any, variables: list[tf.Variable]) -> list[tf.Variable]:
    """The variables with a gradient, found by tracing: nothing is computed, no state moves."""
    found = []

    @tf.function(autograph=False)
    def trace(inputs):
        with tf.GradientTape() as tape:
            outputs = tf.nest.flatten(call(inputs, training=True))
            targets = [output for output in outputs if output.dtype.is_floating]
        gradients = tape.gradient(targets, variables) if targets else [None] * len(variables)
        found.extend(v for v, g in zip(variables, gradients, strict=True) if g is not None)

    trace.get_concrete_function(spec)
    return found


def _unique(variables) -> list[tf.Variable]:
    return list({id(variable): variable for variable in variables}.values())
