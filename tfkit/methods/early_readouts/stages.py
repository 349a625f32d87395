"""The teacher, then the student with its rounds, then the table of weights."""

import keras
import tensorflow as tf
from keras import ops

from tfkit.classification.classifier import Classifier, right
from tfkit.methods.early_readouts.audit import write_audit
from tfkit.methods.early_readouts.rounds import Rounds
from tfkit.stage import Stage

_AT_ONCE = 512  # examples of a batch of a round's pass


def stages(model, source) -> list[Stage]:
    """`teacher`, left out where a file gave a trained one; `student`; `audit`."""
    student = [Stage("student", model, callbacks=rounds), Stage("audit", work=audit)]
    if model.teacher_is_trained:
        return student
    own = teacher_batches if "teacher" in source.splits else None
    return [Stage("teacher", Teacher(model.teacher), batches=own), *student]


def teacher_batches(assembly, step: int) -> tf.data.Dataset:
    """Batches of the part that the data keep for a teacher."""
    size, seed = assembly.recipe["data"]["batch_size"], assembly.seeds["data"]
    batches = assembly.source.teacher_train(size, seed=seed, start_step=step)
    return batches.map(assembly.select).prefetch(tf.data.AUTOTUNE)


def rounds(assembly) -> list[keras.callbacks.Callback]:
    """Rounds before the steps that begin an epoch, over the training part in its order."""
    source, labelled = assembly.source, assembly.model.labelled

    def training_set():
        return map(labelled, source.in_order("train", _AT_ONCE))

    return [
        Rounds(training_set, every=source.steps_per_epoch(assembly.recipe["data"]["batch_size"]))
    ]


def audit(assembly, carried, folder) -> dict:
    """Write `weights.csv`: what every training example weighed, and why."""
    folder.mkdir(parents=True, exist_ok=True)
    source = assembly.source
    columns = {"label": source.labels("train"), "group": source.group_ids("train")}
    write_audit(assembly.model, folder / "weights.csv", **columns)
    return {}


class Teacher(Classifier):
    """A network trained to classify, before it teaches.

    loss = mean_b CE(f(x_b), y_b)
    """

    def __init__(self, network: keras.Model, **kwargs):
        super().__init__(**kwargs)
        self.network = network
        self.built = True

    def compile(self, optimizer="rmsprop", readout_optimizer=None, **kwargs):
        """Thaw the network, which its student keeps frozen; a teacher has no readout."""
        self.network.trainable = True
        super().compile(optimizer=optimizer, **kwargs)

    def call(self, inputs, training=False):
        """Logits.  [B, ...] -> [B, C]"""
        return self.network(inputs, training=training)

    def objective(self, batch, training):
        """The mean cross-entropy of a batch, and the share of right answers."""
        inputs, labels, _ = self.labelled(batch)
        logits = self(inputs, training=training)  # [B, C]
        loss = ops.mean(self.per_example(labels, logits))
        return loss, {"accuracy": ops.mean(right(labels, logits))}
