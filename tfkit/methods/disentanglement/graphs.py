"""Functions of a model as graphs that are traced once, however often the model is evaluated."""

import weakref

import tensorflow as tf

_GRAPHS: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()  # {model: {key: graph}}


def compiled_for(model, function, *specs: tf.TensorSpec):
    """`function(model, *tensors)` as a graph of such tensors, traced once for each model."""
    known, key = _GRAPHS.setdefault(model, {}), (function, specs)
    if key not in known:
        there = weakref.ref(model)  # the table must not keep its own keys alive
        known[key] = tf.function(
            lambda *tensors: function(there(), *tensors), input_signature=specs
        )
    return known[key]


def any_batch_of(images) -> tf.TensorSpec:
    """Images of this size, however many."""
    return tf.TensorSpec((None, *images.shape[1:]), tf.float32)
