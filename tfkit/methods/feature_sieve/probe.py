"""A fresh probe: what of the labels can still be read where the sieve sits."""

import keras
import numpy as np
from keras import ops

from tfkit.metrics.multinomial import class_probabilities

_TINY = 1e-6  # below it a feature is constant, and stays what it is


def probe_accuracy(features, labels, asked, asked_labels) -> float:
    """Share of right answers of a linear classifier that has never been forgotten.

        logistic regression of the flattened, standardised features, scikit-learn's defaults

    The sieve's own readout may say nothing because the feature is gone, or because it only hides
    where this readout does not look: the pooled readout below a head that flattens. The probe has
    another shape, and no history.

    Shapes: [N, ...], [N] int, [M, ...], [M] int -> []
    Args:
        features: to learn from.
        labels: their class numbers.
        asked: features to be judged on.
        asked_labels: their class numbers.
    Returns:
        Accuracy in [0, 1].
    """
    rows, others = (np.reshape(f, (len(f), -1)).astype("float64") for f in (features, asked))
    known, numbers = np.unique(labels, return_inverse=True)
    if len(known) == 1:  # one class in the sample: it is the answer
        return float(np.mean(asked_labels == known[0]))
    mean, scale = rows.mean(axis=0), rows.std(axis=0)
    scale = np.where(scale > _TINY, scale, 1.0)
    (found,) = class_probabilities((rows - mean) / scale, numbers, (others - mean) / scale)
    return float(np.mean(known[found.argmax(axis=1)] == asked_labels))


class FreshProbe(keras.callbacks.Callback):
    """Adds `probe_accuracy` of the features at the sieve to the logs of every epoch.

    One half of the rows is learned from, the other judged on. Take training rows: with what holds
    in them a shortcut that is still there is an accuracy far above chance.

    Args:
        inputs: rows [N, ...].
        labels: their class numbers [N].
        every: epochs from one probe to the next, >= 1; the last value is repeated between.
    """

    def __init__(self, inputs, labels, every: int = 1):
        super().__init__()
        if every < 1:
            raise ValueError(f"FreshProbe: every must be >= 1, got {every}.")
        if len(inputs) != len(labels) or len(inputs) < 2:
            raise ValueError(
                "FreshProbe: inputs and labels must be as many, two or more, got "
                f"{len(inputs)} and {len(labels)}."
            )
        self.inputs, self.labels, self.every = inputs, np.asarray(labels), every
        self.value = float("nan")

    def on_epoch_end(self, epoch, logs=None):
        """Fit and judge."""
        if epoch % self.every == 0:
            features = ops.convert_to_numpy(self.model.features(self.inputs)[-1])
            half = len(features) // 2
            self.value = probe_accuracy(
                features[:half], self.labels[:half], features[half:], self.labels[half:]
            )
        if logs is not None:
            logs["probe_accuracy"] = self.value
