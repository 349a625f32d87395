"""Passes over the training set: what rounds and the teacher's cache go through."""

import keras
import numpy as np
import tensorflow as tf

from tfkit.classification.classifier import Labelled

_AT_ONCE = 1024  # examples of a batch of a pass over arrays


def arrays_of(x, y, index, num_train: int, owner: str):
    """(inputs, labels, index) where arrays are given, else None.

    Args:
        x: inputs, or (x, y, index) or a dictionary of them, or a data set.
        y: labels or None.
        index: row numbers or None.
        num_train: rows of the training set.
        owner: the model's name.
    Raises:
        ValueError: labels are missing, or rows are not told and cannot be the arrays' own.
    """
    if isinstance(x, dict) and "inputs" in x:
        x, y, index = x["inputs"], x.get("labels"), x.get("index")
    elif isinstance(x, tuple) and y is None:
        x, y, index = (*x, None, None)[:3]
    elif y is None:
        return None
    if y is None:
        raise ValueError(f"{owner}: fit needs labels; pass (x, y, index).")
    rows = len(y)
    if index is None and rows != num_train:
        raise ValueError(
            f"{owner}: {rows} examples without index, and num_train is {num_train}; pass "
            "fit(x, y, index) with the rows of the training set that they are."
        )
    index = np.arange(rows) if index is None else np.asarray(index)
    if index.shape != (rows,):
        raise ValueError(f"{owner}: index must have shape ({rows},), got {index.shape}.")
    return x, np.asarray(y), checked_index(index, num_train, owner).astype("int32")


def over(model, given, whole):
    """A pass over `whole`, or over what is trained on where that is None.

    Args:
        model: a `DebiasedDistillation`.
        given: arrays (inputs, labels, index), or a data set.
        whole: a data set, or None.
    """
    if whole is None and isinstance(given, tuple):
        return over_arrays(*given)
    return over_batches(given if whole is None else whole, type(model).__name__, model.labelled)


def over_arrays(inputs, labels, index):
    """A pass over arrays, in their order or a random one."""

    def batches(epoch=None):
        order = np.arange(len(labels))
        if epoch is not None:
            order = np.random.default_rng(epoch).permutation(order)
        for first in range(0, len(labels), _AT_ONCE):
            rows = order[first : first + _AT_ONCE]
            cut = keras.tree.map_structure(lambda array, rows=rows: array[rows], inputs)
            yield Labelled(cut, labels[rows], index[rows])

    return batches


def over_batches(dataset, owner: str, labelled):
    """A pass over a data set that comes to an end, in the order that it has.

    Args:
        dataset: tf.data.Dataset, keras.utils.PyDataset or a list of batches.
        owner: the model's name.
        labelled: batch -> Labelled.
    Raises:
        ValueError: a data set that has no end, or that cannot be gone through twice.
    """
    is_dataset = isinstance(dataset, tf.data.Dataset)
    endless = is_dataset and dataset.cardinality() == tf.data.INFINITE_CARDINALITY
    numbered = isinstance(dataset, keras.utils.PyDataset)
    if endless or not (is_dataset or numbered or isinstance(dataset, list)):
        raise ValueError(
            f"{owner}: a round goes through the whole training set once, which this "
            f"{'endless ' if endless else ''}{type(dataset).__name__} does not allow; pass whole=, "
            "a tf.data.Dataset of (x, y, index) that ends."
        )

    def batches(epoch=None):
        found = (dataset[n] for n in range(dataset.num_batches)) if numbered else dataset
        for batch in found:
            given = labelled(batch)
            if given.third is None:
                raise ValueError(f"{owner}: a batch must be (x, y, index), got no index.")
            yield given

    return batches


def checked_index(index, num_train: int, owner: str) -> np.ndarray:
    """Row numbers as integers.  [N] -> [N] int

    Raises:
        ValueError: numbers that are no rows of the training set.
    """
    found = np.asarray(index).reshape(-1)
    rows = found.astype("int64")
    if len(rows) and ((rows != found).any() or rows.min() < 0 or rows.max() >= num_train):
        raise ValueError(
            f"{owner}: index must hold row numbers of the training set, 0 to {num_train - 1}, got "
            f"{found.min()} to {found.max()}; it is no sample weight."
        )
    return rows
