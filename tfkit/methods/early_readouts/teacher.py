"""What the teacher says, computed once where nothing changes its inputs."""

import numpy as np
import tensorflow as tf
from keras import ops

from tfkit.methods.early_readouts.row_numbers import checked_index
from tfkit.methods.early_readouts.tracing import over_open_batches


def know_teacher(model, training_set) -> None:
    """Keep the teacher's logits of all rows in `model.teacher_table`.

    Where a pass does not meet every row, the teacher is asked at each step.

    Args:
        model: a `DebiasedDistillation`.
        training_set: as in `Rounds`.
    """
    if model.ask_teacher is None:  # traced once, however often a model is fitted
        ask = over_open_batches(lambda x: teacher_logits(model, x, None), model.student)
        model.ask_teacher = ask
    table = np.zeros((model.num_train, model.classes), "float32")
    met = np.zeros(model.num_train, bool)
    for inputs, _, index in training_set():
        rows = checked_index(index, model.num_train, type(model).__name__)
        table[rows], met[rows] = np.asarray(model.ask_teacher(inputs)), True
    if not met.all():
        return forget_teacher(model)
    with model.distribute_strategy.scope():
        if model.teacher_table is None:
            _set_table(model, tf.Variable(table, trainable=False))
        else:
            model.teacher_table.assign(table)  # the traced step reads it


def forget_teacher(model) -> None:
    """Ask the teacher at each step."""
    if model.teacher_table is not None:
        _set_table(model, None)


def _set_table(model, table):
    object.__setattr__(model, "teacher_table", table)  # no part of the model, to Keras
    model.train_function = None  # traced with another source of logits


def teacher_logits(model, inputs, index):
    """The teacher's logits, constants, float32; looked up by rows where they are known.

    Args:
        model: a `DebiasedDistillation`.
        inputs: [B, ...].
        index: rows of the training set [B]; None for others.
    """
    if index is not None and model.teacher_table is not None:
        return tf.gather(model.teacher_table, index)  # [B, C]
    return ops.stop_gradient(ops.cast(model.teacher(inputs, training=False), "float32"))
