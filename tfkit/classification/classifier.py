"""Base of the classifiers that rooms make of networks."""

from typing import NamedTuple

import keras
from keras import ops

from tfkit.losses.precision import at_least_float32
from tfkit.objective import ObjectiveModel


class Labelled(NamedTuple):
    """A batch of a classifier.

    Args:
        inputs: [B, ...].
        labels: [B] int class numbers, or what the compiled loss takes.
        third: weights [B], groups [B] or index [B] by what the model asks for; None if not given.
    """

    inputs: object
    labels: object
    third: object = None


class Classifier(ObjectiveModel):
    """A model of inputs -> logits, trained on batches that carry labels.

        fit(x, y)   fit(x, y, groups=…)   fit(data set of (x, y, groups) or {inputs, labels, …})

    A subclass defines `call(inputs, training)` and `objective`, and names in `third` what a batch
    carries beside inputs and labels: weights (Keras' sample_weight), groups or index. The loss is
    the softmax cross-entropy of class numbers unless `compile` is given another one.

    Shapes: inputs [B, ...] -> logits [B, C]
    """

    logged = ("accuracy",)
    third = "weights"  # of "weights", "groups", "index"
    group_labels = "none"  # the part whose group labels the method learns from

    def compile(self, optimizer="rmsprop", *, loss=None, **kwargs):
        """Set the optimizer, and the loss of labels and logits.

        Args:
            optimizer: of the main loss.
            loss: a keras.losses.Loss or its name; None is the sparse softmax cross-entropy.
            **kwargs: Keras' options.
        """
        super().compile(optimizer=optimizer, **kwargs)
        found = keras.losses.get(loss)
        if isinstance(found, keras.losses.Loss):
            found = type(found).from_config({**found.get_config(), "reduction": "none"})
        self.label_loss = found

    def fit(self, x=None, y=None, **kwargs):
        """Keras' `fit`; what `third` names is a keyword with arrays: `fit(x, y, groups=groups)`."""
        return super().fit(x, y, **self._by_keras_name(kwargs))

    def evaluate(self, x=None, y=None, **kwargs):
        """Keras' `evaluate`, with the same keyword."""
        return super().evaluate(x, y, **self._by_keras_name(kwargs))

    def _by_keras_name(self, keywords):
        given = keywords.pop(self.third, None)
        return keywords if given is None else {**keywords, "sample_weight": given}

    def get_compile_config(self):
        """What `compile` was given, for `.keras` files."""
        config = super().get_compile_config()
        if config and getattr(self, "label_loss", None) is not None:
            config["loss"] = keras.saving.serialize_keras_object(self.label_loss)
        return config

    def per_example(self, labels, logits):
        """The loss of every example, in float32 or wider.  -> [B]"""
        (logits,) = at_least_float32(logits)
        if getattr(self, "label_loss", None) is not None:
            return self.label_loss(labels, logits)
        return keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)

    def labelled(self, batch) -> Labelled:
        """The parts of a batch: of a dictionary, or of a tuple (x, y) or (x, y, third)."""
        if isinstance(batch, dict):
            return Labelled(batch["inputs"], batch["labels"], batch.get(self.third))
        if not isinstance(batch, (tuple, list)) or len(batch) not in (2, 3):
            raise ValueError(
                f"{type(self).__name__}: a batch must be (x, y), (x, y, {self.third}) or a "
                f"dictionary with inputs and labels, got {type(batch).__name__}."
            )
        return Labelled(*batch)


def right(labels, logits):
    """1.0 where the largest logit is the label's.  [B] int or one-hot [B, C], [B, C] -> [B]"""
    if len(labels.shape) == len(logits.shape):
        labels = ops.argmax(labels, axis=-1)
    answers = ops.argmax(logits, axis=-1)
    return ops.cast(ops.equal(answers, ops.cast(labels, answers.dtype)), "float32")


def weighted_mean(values, weights=None):
    """sum(weights * values) / B; the plain mean without weights.  [B], [B] -> []"""
    if weights is None:
        return ops.mean(values)
    return ops.mean(values * ops.cast(ops.reshape(weights, (-1,)), values.dtype))
