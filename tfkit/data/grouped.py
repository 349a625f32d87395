"""Labelled data whose examples are in groups, such as class x background."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tfkit.data.pipeline import step_indexed
from tfkit.data.source import ArraySource, checked_split

PARTS = ("train", "valid", "test")


class Groups(NamedTuple):
    """The groups of all examples.

    Args:
        names: of the G groups.
        of: {part: [N] int below G, or [N, G] bool where groups overlap}.
    """

    names: Sequence[str]
    of: dict[str, np.ndarray]

    def counts(self, part: str) -> np.ndarray:
        """Examples of each group in a part.  -> [G]"""
        ids = np.asarray(self.of[part])
        if ids.ndim == 2:
            return ids.sum(axis=0)
        return np.bincount(ids, minlength=len(self.names))


class GroupedSource(ArraySource):
    """Inputs, labels and groups in memory.

    Batches have `inputs` float32 or int32 [B, ...] (bytes are divided by 255), `labels` int32 [B],
    `groups` int32 [B] and `index` int32 [B], the row in its part. Where groups overlap, held-out
    batches have `groups` bool [B, G], and training batches the disjoint `training_groups`.

    `shapes`: input_shape, classes, num_train, num_groups and group_counts (of training batches).
    `group_names`, `group_counts` [G] (in training): those of held-out batches.

    Args:
        splits: {"train": {"inputs": [N, ...], "labels": [N]}, "valid": …, "test": …}; further
            training parts under other names.
        classes: number of classes.
        groups: what held-out parts are judged by; also of every further part.
        source: where the data come from, for the run's provenance.
        training_groups: disjoint groups for training and balancing; None takes `groups`.
        spurious_region: where inputs show the shortcut, bool of the inputs' height and width, or
            None where that is not known.
    Raises:
        ValueError: unequal numbers of examples, labels or groups out of range, groups that overlap
            without disjoint ones for training.
    """

    def __init__(
        self, splits, classes, groups, *, source, training_groups=None, spurious_region=None
    ):
        disjoint = training_groups or groups
        for part, arrays in splits.items():
            _check_part(part, arrays, classes, groups, disjoint)
        parts = {
            part: _with_groups(arrays, (groups if part in ("valid", "test") else disjoint).of[part])
            for part, arrays in splits.items()
        }
        shapes = {
            "classes": classes,
            "num_train": len(splits["train"]["labels"]),
            "num_groups": len(disjoint.names),
            "group_counts": disjoint.counts("train").tolist(),
        }
        super().__init__(parts, shapes, source=source)
        self.shapes |= {"input_shape": self.input_shape}
        self.disjoint = disjoint
        self.group_names = tuple(groups.names)
        self.group_counts = groups.counts("train")
        self.spurious_region = spurious_region

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Of one example."""
        return tuple(self.splits["train"]["inputs"].shape[1:])

    def labels(self, part: str) -> np.ndarray:
        """The labels of a part, in its order.  -> [N] int32"""
        return self.splits[_known(self, part)]["labels"]

    def group_ids(self, part: str) -> np.ndarray:
        """The disjoint groups of a part, in its order, also where `groups` overlap.  -> [N] int"""
        return np.asarray(self.disjoint.of[_known(self, part)], np.int32)

    def train(self, batch_size, *, seed, start_step=0):
        """Shuffled batches, another order each epoch; see `step_indexed`."""
        return self.drawn("train", batch_size, seed=seed, start_step=start_step)

    def drawn(self, part, batch_size, *, seed, start_step=0, rows=None) -> tf.data.Dataset:
        """Endless batches by step, as `train`, of some rows of any part.

        Args:
            part: "train", "valid", "test" or the name of a further part.
            batch_size: examples in a batch.
            seed: of the order.
            start_step: the step of the first batch.
            rows: numbers of rows, a row as often as it stands there; None takes all once.
        """
        arrays = self.splits[_known(self, part)]
        if rows is None:
            batches = step_indexed(arrays, batch_size, seed=seed, start_step=start_step)
            return self._finished(batches)
        with tf.device("CPU:0"):  # numbers are shuffled, pixels stay where they are
            tensors = {name: tf.convert_to_tensor(array) for name, array in arrays.items()}
        numbers = step_indexed({"row": rows}, batch_size, seed=seed, start_step=start_step)
        return self._finished(
            numbers.map(lambda drawn: {n: tf.gather(t, drawn["row"]) for n, t in tensors.items()})
        )

    def held_out(self, split, batch_size):
        """The examples in their stored order."""
        return self.in_order(checked_split(split), batch_size)

    def in_order(self, part: str, batch_size: int, rows=None) -> tf.data.Dataset:
        """All examples of any part once, in their stored order, or some `rows` in theirs; the last
        batch may be short.
        """
        arrays = self.splits[_known(self, part)]
        if rows is not None:
            arrays = {name: array[rows] for name, array in arrays.items()}
        with tf.device("CPU:0"):
            examples = tf.data.Dataset.from_tensor_slices(arrays)
        return self._finished(examples.batch(batch_size))

    def _finished(self, batches):
        """Batches of stored arrays -> what is given out."""
        return batches.map(_floats)


def group_names(labels: Sequence[str], attributes: Sequence[str]) -> list[str]:
    """Names of the groups of label x attribute, in the order label * A + attribute."""
    return [f"{label}, {attribute}" for label in labels for attribute in attributes]


def _with_groups(arrays, groups):
    groups = np.asarray(groups)
    return {
        **arrays,
        "labels": np.asarray(arrays["labels"], np.int32),
        "groups": groups if groups.dtype == bool else groups.astype(np.int32),
        "index": np.arange(len(groups), dtype=np.int32),
    }


def _check_part(part, arrays, classes, groups, disjoint):
    sizes = {name: len(array) for name, array in arrays.items()} | {
        "groups": len(groups.of[part]),
        "training_groups": len(disjoint.of[part]),
    }
    if len(set(sizes.values())) > 1 or 0 in sizes.values():
        raise ValueError(f"GroupedSource: {part} must have as many of each, and some; got {sizes}.")
    if np.ndim(disjoint.of[part]) != 1:
        raise ValueError(
            f"GroupedSource: the groups of {part} overlap, shape {np.shape(disjoint.of[part])}; "
            "pass disjoint training_groups."
        )
    ranges = {
        "labels": (arrays["labels"], classes),
        "training_groups": (disjoint.of[part], len(disjoint.names)),
    }
    if np.ndim(groups.of[part]) == 1:
        ranges["groups"] = (groups.of[part], len(groups.names))
    elif np.shape(groups.of[part])[1] != len(groups.names):
        raise ValueError(
            f"GroupedSource: {len(groups.names)} names of groups, but groups of {part} have shape "
            f"{np.shape(groups.of[part])}."
        )
    for name, (numbers, limit) in ranges.items():
        if np.min(numbers) < 0 or np.max(numbers) >= limit:
            raise ValueError(
                f"GroupedSource: {name} of {part} must be in 0-{limit - 1}, got "
                f"{np.min(numbers)} to {np.max(numbers)}."
            )


def _known(source, part):
    if part not in source.splits:
        raise ValueError(f"part must be one of {', '.join(source.splits)}, got {part!r}.")
    return part


def _floats(batch):
    if batch["inputs"].dtype != tf.uint8:
        return batch
    return {**batch, "inputs": tf.cast(batch["inputs"], tf.float32) / 255.0}
