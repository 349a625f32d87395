"""What the teacher says, computed once where nothing changes its inputs."""

import numpy as np
import tensorflow as tf
from keras import ops

from tfkit.methods.early_readouts.passes import checked_index
from tfkit.methods.early_readouts.probe import over_open_batches


def know_teacher(model, training_set) -> None:
    """Keep the teacher's logits of all rows in `model.teacher_table`, before the step is traced.

    Where a pass does not meet every row, the teacher is asked at each step as before.

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
    model.teacher_table = tf.constant(table) if met.all() else None
    model.train_function = None  # the one that was traced may hold another table


def teacher_logits(model, inputs, index):
    """The teacher's logits, constants, float32; looked up by rows where they are known.

    Args:
        model: a `DebiasedDistillation`.
        inputs: [B, ...].
        index: rows of the training set [B]; None for others.
    """
    if index is not None and model.teacher_table is not None:
        return ops.take(model.teacher_table, index, axis=0)  # [B, C]
    return ops.stop_gradient(ops.cast(model.teacher(inputs, training=False), "float32"))
