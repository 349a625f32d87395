"""A fresh probe: what of the labels can still be read where the sieve sits."""

import keras
import numpy as np
from keras import ops

from tfkit.metrics.multinomial import class_probabilities

_TINY = 1e-6  # below it a feature is constant, and stays what it is
_COLUMNS = 1 << 16  # of features at once, where there are more of them than rows
_ROWS = 500  # that go through the network at once


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
    rows, others = (np.reshape(f, (len(f), -1)) for f in (features, asked))
    known, numbers = np.unique(labels, return_inverse=True)
    if len(known) == 1:  # one class in the sample: it is the answer
        return float(np.mean(asked_labels == known[0]))
    reduce = _rotated if rows.shape[1] > len(rows) else _standardised
    rows, others = reduce(rows, others)
    (found,) = class_probabilities(rows, numbers, others)
    return float(np.mean(known[found.argmax(axis=1)] == asked_labels))


def _standardised(rows, others):
    """By the rows' mean and deviation.  [N, D], [M, D] -> the same, float64"""
    rows, others = rows.astype("float64"), others.astype("float64")
    mean, scale = rows.mean(axis=0), rows.std(axis=0)
    scale = np.where(scale > _TINY, scale, 1.0)
    return (rows - mean) / scale, (others - mean) / scale


def _rotated(rows, others):
    """Standardised rows in the coordinates of the space that they span, which leaves a linear
    classifier with an L2 penalty what it is; a map of a large picture has far more features than
    there are rows.  [N, D], [M, D] -> [N, R], [M, R], R <= N
    """
    inner, outer = np.zeros((len(rows), len(rows))), np.zeros((len(others), len(rows)))
    for at in range(0, rows.shape[1], _COLUMNS):
        some, other = _standardised(rows[:, at : at + _COLUMNS], others[:, at : at + _COLUMNS])
        inner += some @ some.T
        outer += other @ some.T
    squares, axes = np.linalg.eigh(inner)  # of singular values
    there = squares > squares[-1] * len(rows) * np.finfo("float64").eps
    axes, lengths = axes[:, there], np.sqrt(squares[there])
    return axes * lengths, outer @ axes / lengths


def features_at_the_sieve(model, inputs, rows: int = _ROWS) -> np.ndarray:
    """What the lower part gives, so many rows at once.  [N, ...] -> [N, ...] float32"""
    pieces = (inputs[at : at + rows] for at in range(0, len(inputs), rows))
    found = [ops.cast(model.features(piece)[-1], "float32") for piece in pieces]
    return np.concatenate([ops.convert_to_numpy(one) for one in found])


class FreshProbe(keras.callbacks.Callback):
    """Adds `probe_accuracy` of the features at the sieve to the logs of every epoch.

    One half of the rows, drawn once, is learned from, the other judged on. Take training rows: with
    what holds in them a shortcut that is still there is an accuracy far above chance.

    Args:
        inputs: rows [N, ...].
        labels: their class numbers [N].
        every: epochs from one probe to the next, >= 1; the last value is repeated between.
    Raises:
        ValueError: other labels than class numbers, too few, or not as many as rows.
    """

    def __init__(self, inputs, labels, every: int = 1):
        super().__init__()
        inputs, labels = np.asarray(inputs), np.asarray(labels)
        if every < 1:
            raise ValueError(f"FreshProbe: every must be >= 1, got {every}.")
        if labels.ndim != 1 or len(inputs) != len(labels) or len(inputs) < 2:
            raise ValueError(
                "FreshProbe: inputs and labels must be as many, two or more, and labels class "
                f"numbers [N], got {len(inputs)} rows and labels of shape {labels.shape}."
            )
        order = np.random.default_rng(0).permutation(len(labels))  # rows may be sorted by class
        self.inputs, self.labels, self.every = inputs[order], labels[order], every
        self.value = float("nan")

    def on_epoch_end(self, epoch, logs=None):
        """Fit and judge."""
        if epoch % self.every == 0:
            features = features_at_the_sieve(self.model, self.inputs)
            half = len(features) // 2
            self.value = probe_accuracy(
                features[:half], self.labels[:half], features[half:], self.labels[half:]
            )
        if logs is not None:
            logs["probe_accuracy"] = self.value
