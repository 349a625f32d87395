"""A fit on doubled examples, disturbed before every fourth step."""

import keras
import numpy as np

from tfkit.stage import Stage

SEEN = []  # steps of the acts, in the order in which they were done
POISON = [-1]  # the step before which the act does harm


def stages(model, source):
    """One stage."""
    return [Stage("only", model, batches=doubled, callbacks=lambda assembly: [Nudge()])]


def doubled(assembly, step):
    """The training batches, twice as large numbers."""
    return assembly.batches(step).map(lambda batch: {k: 2 * v for k, v in batch.items()})


class Nudge(keras.callbacks.Callback):
    """Moves a bias by an amount that depends on the step and on where the bias is."""

    every = 4

    def on_epoch_begin(self, epoch, logs=None):
        self.begun = int(np.asarray(self.model.optimizer.iterations))

    def on_train_batch_begin(self, batch, logs=None):
        step = self.begun + batch
        if step % self.every == 0:
            SEEN.append(step)
            bias = self.model.net.layers[-1].bias
            bias.assign(0.5 * bias + (np.nan if step in POISON else step))
