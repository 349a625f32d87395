"""Passes over the training set: what rounds and the teacher's cache go through."""

import keras
import numpy as np
import tensorflow as tf

from tfkit.classification.classifier import Labelled
from tfkit.classification.evaluation import rows_within
from tfkit.methods.early_readouts.row_numbers import checked_index

_CURE = "pass whole=, a tf.data.Dataset or arrays of (x, y, index), each row once"


def arrays_of(x, y, index, num_train: int, owner: str, once: bool = True):
    """(inputs, labels, index) where arrays are given, else None.

    Args:
        x: inputs, or (x, y, index) or a dictionary of them, or a data set.
        y: labels or None.
        index: row numbers or None.
        num_train: rows of the training set.
        owner: the model's name.
        once: whether no row may come twice, because rounds go through these arrays.
    Raises:
        ValueError: labels are missing, or rows are not told and cannot be the arrays' own.
    """
    if y is None and isinstance(x, dict) and "inputs" in x:
        x, y, index = x["inputs"], x.get("labels"), x.get("index", index)
    elif y is None and isinstance(x, tuple):
        x, y, index = (*x, index)[:3] if len(x) > 1 else (*x, None, index)
    elif y is None and index is None:
        return None
    if y is None:
        raise ValueError(f"{owner}: fit needs labels; pass (x, y, index).")
    y = np.asarray(y)
    rows = len(y)
    if index is None and rows != num_train:
        raise ValueError(
            f"{owner}: {rows} examples without index, and num_train is {num_train}; pass "
            "fit(x, y, index) with the rows of the training set that they are."
        )
    index = np.arange(rows) if index is None else np.asarray(index)
    if index.shape != (rows,):
        raise ValueError(f"{owner}: index must have shape ({rows},), got {index.shape}.")
    index = checked_index(index, num_train, owner)
    if once and len(np.unique(index)) < rows:
        raise ValueError(
            f"{owner}: index must name each row once, got {rows} examples of "
            f"{len(np.unique(index))} rows; where some are to come more often, {_CURE}."
        )
    return keras.tree.map_structure(np.asarray, x), y, index


def over(model, given, whole):
    """A pass over `whole`, or over what is trained on where that is None.

    Args:
        model: a `DebiasedDistillation`.
        given: arrays (inputs, labels, index), or a data set.
        whole: the same for the whole training set, or None.
    """
    owner, rows = type(model).__name__, model.num_train
    if whole is not None:
        arrays = arrays_of(whole, None, None, rows, owner)
        given = whole if arrays is None else arrays
    if isinstance(given, tuple):
        return over_arrays(*given)
    return over_batches(given, owner, model.labelled, rows)


def over_arrays(inputs, labels, index):
    """A pass over arrays, in their order or a random one."""
    size = rows_within(sum(a[:1].nbytes for a in keras.tree.flatten(inputs)))

    def batches(epoch=None):
        order = np.arange(len(labels))
        if epoch is not None:
            order = np.random.default_rng(epoch).permutation(order)
        for first in range(0, len(labels), size):
            rows = order[first : first + size]
            cut = keras.tree.map_structure(lambda array, rows=rows: array[rows], inputs)
            yield Labelled(cut, labels[rows], index[rows])

    return batches


def over_batches(dataset, owner: str, labelled, num_train: int):
    """A pass over a data set that comes to an end, in the order that it has.

    Args:
        dataset: tf.data.Dataset, keras.utils.PyDataset or a list of batches.
        owner: the model's name.
        labelled: batch -> Labelled.
        num_train: rows of the training set, more of which are too many.
    Raises:
        ValueError: a data set that has no end, or that cannot be gone through twice.
    """
    is_dataset = isinstance(dataset, tf.data.Dataset)
    endless = is_dataset and dataset.cardinality() == tf.data.INFINITE_CARDINALITY
    numbered = isinstance(dataset, keras.utils.PyDataset)
    endless = endless or (numbered and dataset.num_batches is None)
    refusal = ValueError(
        f"{owner}: a round goes through the whole training set once, {num_train} rows, which this "
        f"{'endless ' if endless else ''}{type(dataset).__name__} does not allow; {_CURE}."
    )
    if endless or not (is_dataset or numbered or isinstance(dataset, list)):
        raise refusal

    def batches(epoch=None):
        seen = 0
        for batch in (dataset[n] for n in range(dataset.num_batches)) if numbered else dataset:
            given = labelled(batch)
            if given.third is None:
                raise ValueError(f"{owner}: a batch must be (x, y, index), got no index.")
            seen += len(given.third)
            if seen > num_train:  # repeated, or without an end that it tells of
                raise refusal
            yield given

    return batches
