"""Base of the classifiers that rooms make of networks."""

import inspect
from typing import NamedTuple

import keras
import tensorflow as tf
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

    def __init__(self, **kwargs):
        # each layer casts what it takes by its own policy; a cast here, of which `fit` knows
        # nothing, would round inputs that a float32 layer is there to normalise
        super().__init__(**{"autocast": False, **kwargs})

    def compile(self, optimizer="rmsprop", *, loss=None, **kwargs):
        """Set the optimizer, and the loss of labels and logits.

        Args:
            optimizer: of the main loss.
            loss: a keras.losses.Loss of labels and logits; None is the sparse softmax
                cross-entropy.
            **kwargs: Keras' options.
        Raises:
            ValueError: a loss that takes logits for probabilities.
        """
        super().compile(optimizer=optimizer, **kwargs)
        found = keras.losses.get(loss)
        if _takes_probabilities(found):
            raise ValueError(
                f"{type(self).__name__}: loss must take logits, got {loss}; pass for example "
                "keras.losses.SparseCategoricalCrossentropy(from_logits=True)."
            )
        if isinstance(found, keras.losses.Loss):
            found = type(found).from_config({**found.get_config(), "reduction": "none"})
        self.label_loss = found

    def fit(self, x=None, y=None, **kwargs):
        """Keras' `fit`; what `third` names is a keyword with arrays: `fit(x, y, groups=groups)`."""
        if self.third != "weights" and kwargs.get("sample_weight") is not None:
            raise ValueError(f"{type(self).__name__}: takes {self.third}=, and no sample_weight.")
        return super().fit(x, y, **self._by_keras_name(kwargs))

    def evaluate(self, x=None, y=None, **kwargs):
        """Keras' `evaluate`, with the same keyword, or Keras' own, as `fit` calls it."""
        return super().evaluate(x, y, **self._by_keras_name(kwargs))

    def check_third(self, given):
        """Refuse what `third` names where it is given as arrays; weights may be anything."""

    def _by_keras_name(self, keywords):
        known = [keywords.pop(name, None) for name in (self.third, "sample_weight")]
        if all(given is not None for given in known):
            raise ValueError(
                f"{type(self).__name__}: {self.third} and sample_weight are the same here; pass "
                f"{self.third}= alone."
            )
        given = next((given for given in known if given is not None), None)
        if given is None:
            return keywords
        self.check_third(given)
        return {**keywords, "sample_weight": given}

    def get_compile_config(self):
        """What `compile` was given, for `.keras` files."""
        config = super().get_compile_config()
        if config and getattr(self, "label_loss", None) is not None:
            config["loss"] = keras.saving.serialize_keras_object(self.label_loss)
        return config

    def answer(self, inputs):
        """Logits at inference, by a graph that is traced once.  [B, ...] -> [B, C]"""
        return self.once_traced("_answer", lambda x: self(x, training=False))(inputs)

    def once_traced(self, name, function):
        """A function of tensors as a graph that stays with the model, under a name."""
        if name not in self.__dict__:
            graph = tf.function(function, reduce_retracing=True)
            object.__setattr__(self, name, graph)  # no part of the model, to Keras
        return self.__dict__[name]

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


def class_numbers(labels):
    """Labels as class numbers.  [B], [B, 1] as some of Keras' data sets have them, or one-hot
    [B, C] -> [B]
    """
    if len(labels.shape) < 2:
        return labels
    return ops.squeeze(labels, -1) if labels.shape[-1] == 1 else ops.argmax(labels, axis=-1)


def right(labels, logits):
    """1.0 where the largest logit is the label's.  Labels as in `class_numbers`, [B, C] -> [B]"""
    if len(labels.shape) == len(logits.shape):
        labels = class_numbers(labels)
    answers = ops.argmax(logits, axis=-1)
    return ops.cast(ops.equal(answers, ops.cast(labels, answers.dtype)), "float32")


def _takes_probabilities(loss) -> bool:
    """Whether a loss of keras.losses, an object or a function, is not told to take logits."""
    if hasattr(loss, "from_logits"):
        return loss.from_logits is False
    told = inspect.signature(loss).parameters if inspect.isfunction(loss) else {}
    return "from_logits" in told and told["from_logits"].default is False


def weighted_mean(values, weights=None):
    """sum(weights * values) / B; the plain mean without weights.  [B], [B] -> []"""
    if weights is None:
        return ops.mean(values)
    return ops.mean(values * ops.cast(ops.reshape(weights, (-1,)), values.dtype))
