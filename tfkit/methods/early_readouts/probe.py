"""The early part of a student, as it was in a round, and the readout that was fitted to it."""

import itertools
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tfkit.classification.classifier import class_numbers
from tfkit.methods.early_readouts.tracing import over_open_batches

_KEPT = 2**27  # features kept between passes, in numbers of 4 bytes; more are computed anew
_EVALUATED = 1024  # features that the readout sees at once when it answers
_POOLS = {
    3: keras.layers.GlobalAveragePooling1D,
    4: keras.layers.GlobalAveragePooling2D,
    5: keras.layers.GlobalAveragePooling3D,
}


class Seen(NamedTuple):
    """What a round knows of the training set, by ascending index.

    Args:
        index: [M] int.
        labels: [M] int.
        logits: [M, C], the readout's.
    """

    index: np.ndarray
    labels: np.ndarray
    logits: np.ndarray


def early_part(student: keras.Model, layer: str | int, owner: str) -> keras.Model:
    """The student up to a layer, given by name or position, sharing its layers.

    Raises:
        ValueError: a student without a graph of layers, or without that layer.
    """
    if not getattr(student, "inputs", None):
        raise ValueError(
            f"{owner}: student must be a functional or a built Sequential model, so that its "
            f"layers can be found; got {type(student).__name__}."
        )
    names = [known.name for known in student.layers]
    if isinstance(layer, int) and -len(names) <= layer < len(names):
        layer = names[layer]
    if layer not in names:
        raise ValueError(
            f"{owner}: readout_layer must be a layer of the student ({', '.join(names)}), got "
            f"{layer!r}."
        )
    return keras.Model(student.inputs, student.get_layer(layer).output)


def frozen_copy(part: keras.Model, pooled: bool) -> keras.Model:
    """A copy with weights of its own; where `pooled`, with the mean over places or time behind."""
    copy = keras.models.clone_model(part)
    features = copy.outputs[0]
    if pooled and len(features.shape) > 2:
        pool = _POOLS.get(len(features.shape), keras.layers.Flatten)
        copy = keras.Model(copy.inputs, pool(name="pool")(features))
    copy.trainable = False
    return copy


class Probe(keras.Layer):
    """A copy of a student's early layers, and a readout of it; only rounds move the two.

        logits = readout(early(inputs))

    Shapes: inputs [B, ...] -> logits [B, C] float32
    Args:
        owner: the model's name.
        student: functional or Sequential.
        layer: name or position of its layer whose output is read out.
        given: the readout; None is linear in the means over places or time.
        classes: C.
    Raises:
        ValueError: no such layer, or a readout of another number of classes.
    """

    def __init__(self, owner, student, layer, given, classes):
        super().__init__(name="probe", trainable=False)
        self.owner, self.layer, self.given = owner, layer, given
        self.early = frozen_copy(early_part(student, layer, owner), pooled=given is None)
        linear = keras.layers.Dense(classes, dtype="float32", name="readout")
        self.readout = linear if given is None else given
        features = self.early.outputs[0]
        answer = self.readout(keras.KerasTensor((None, *features.shape[1:]), features.dtype))
        if tuple(answer.shape[1:]) != (classes,):
            raise ValueError(
                f"{owner}: readout must give {classes} logits as the student does, got shape "
                f"{tuple(answer.shape)}."
            )
        self.readout.trainable = False
        self.start = [self._copied(number, v) for number, v in enumerate(self.readout.variables)]
        self.built = True

    def _copied(self, number, variable):
        """A variable of the readout as it is now: part of `.keras` files, as rounds start there."""
        name, dtype = f"start_{number}", variable.dtype
        copy = self.add_weight(variable.shape, "zeros", dtype, trainable=False, name=name)
        copy.assign(variable)
        return copy

    def restart(self) -> None:
        """Set the readout back to what it was when it was made."""
        for variable, start in zip(self.readout.variables, self.start, strict=True):
            variable.assign(start)

    def follow(self, student) -> None:
        """Copy the early layers as they are now."""
        part = early_part(student, self.layer, self.owner)
        self.early.set_weights(part.get_weights())

    def features(self, inputs):
        """What is read out, in inference mode.  -> float32"""
        return ops.cast(self.early(inputs, training=False), "float32")

    def read(self, features, training=False):
        """The readout's logits, float32.  -> [B, C]"""
        return ops.cast(self.readout(features, training=training), "float32")

    def call(self, inputs):
        """The readout's logits.  [B, ...] -> [B, C]"""
        return self.read(self.features(inputs))


class ReadoutFit:
    """Fits a readout to features that do not move, from the same start each time.

        loss = mean_b CE(readout(features_b), y_b) + regularisation losses of the readout

    Args:
        probe: early layers and readout.
        optimizer: of the readout; it is built here, and each time starts as a new one would.
    """

    def __init__(self, probe: Probe, optimizer: keras.optimizers.Optimizer):
        self.probe, self.readout, self.optimizer = probe, probe.readout, optimizer
        self.readout.trainable = True
        unused = type(optimizer).from_config(optimizer.get_config())
        for one in (optimizer, unused):
            one.build(self.readout.trainable_variables)
        self.readout.trainable = False
        pairs = zip(optimizer.variables, unused.variables, strict=True)
        self.start = [(variable, start.numpy()) for variable, start in pairs]
        features = tf.TensorSpec((None, *probe.early.outputs[0].shape[1:]), tf.float32)
        labels = tf.TensorSpec((None,), tf.int32)
        self.features = over_open_batches(probe.features, probe.early)
        self.logits = tf.function(lambda f: probe.read(f), input_signature=[features])
        self.step = tf.function(self._step, input_signature=[features, labels])

    def _step(self, features, labels):
        with tf.GradientTape() as tape:
            logits = self.probe.read(features, training=True)  # [B, C]
            loss = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
            loss = ops.mean(loss) + sum(self.readout.losses)
        variables = self.readout.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)

    def run(self, training_set, epochs: int, batch_size: int | None) -> Seen:
        """Fit anew, and answer for the whole training set.

        Args:
            training_set: as in `Rounds`.
            epochs: passes over the features.
            batch_size: examples of a step; None: all at once, or where their features are too many
                to keep, a batch of the pass.
        """
        self.probe.restart()
        for variable, value in self.start:
            variable.assign(value)
        self.readout.trainable = True
        try:
            kept = self._kept(training_set)
            for batch in self._batches(kept, training_set, epochs, batch_size):
                self.step(*batch)
        finally:
            self.readout.trainable = False
        return self._answers(kept, training_set)

    def _kept(self, training_set):
        """Features, labels and index of all, by ascending index; None where they are too many."""
        parts, numbers = [], 0
        for inputs, labels, index in training_set():
            features = self.features(inputs)
            numbers += int(np.prod(features.shape))
            if numbers > _KEPT:
                return None
            parts.append((np.asarray(features), numbered(labels), np.asarray(index)))
        features, labels, index = map(np.concatenate, zip(*parts, strict=True))
        order = np.argsort(index, kind="stable")  # the loader's order must not matter
        return features[order], labels[order], index[order]

    def _batches(self, kept, training_set, epochs, batch_size):
        """What the steps take, in another order each epoch where all are at hand."""
        if kept is not None and batch_size is None:
            yield from itertools.repeat(tuple(map(tf.constant, kept[:2])), epochs)  # copied once
        elif kept is not None:
            for epoch in range(epochs):
                yield from in_random_order(*kept[:2], batch_size, epoch)
        else:
            for inputs, labels, _ in itertools.chain.from_iterable(
                map(training_set, range(epochs))
            ):
                features, labels = self.features(inputs), numbered(labels)
                size = batch_size or len(labels)
                for first in range(0, len(labels), size):
                    yield features[first : first + size], labels[first : first + size]

    def _answers(self, kept, training_set) -> Seen:
        if kept is None:
            parts = [
                (np.asarray(i), numbered(y), np.asarray(self.logits(self.features(x))))
                for x, y, i in training_set()
            ]
            return Seen(*map(np.concatenate, zip(*parts, strict=True)))
        features, labels, index = kept
        starts = range(0, len(labels), _EVALUATED)
        logits = [self.logits(tf.constant(features[s : s + _EVALUATED])) for s in starts]
        return Seen(index, labels, np.concatenate(logits))


def in_random_order(features, labels, size: int, epoch: int):
    """Batches of arrays, in the order of that epoch."""
    order = np.random.default_rng(epoch).permutation(len(labels))
    for first in range(0, len(labels), size):
        rows = order[first : first + size]
        yield tf.constant(features[rows]), tf.constant(labels[rows])


def numbered(labels) -> np.ndarray:
    """Labels as class numbers.  [B], [B, 1] or one-hot [B, C] -> [B] int32"""
    return np.asarray(class_numbers(np.asarray(labels))).astype("int32")
