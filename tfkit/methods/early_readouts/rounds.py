"""When a readout is fitted and examples are weighed: between epochs, inside `fit`."""

import keras


class Rounds(keras.callbacks.Callback):
    """Lets a `DebiasedDistillation` do its rounds while it is fitted.

        before epoch e:  round  where  e = first_round, or with memory "fresh" or "sticky"
                                       e = first_round + k round_every

    Args:
        training_set: () -> batches (inputs, labels, index) of the whole training set, once and
            without augmentation.
        every: steps of an epoch, where `fit`'s own epochs are something else; a round then comes
            before the step, counted from the first training on, that is a multiple of it. None:
            `fit`'s epochs are epochs.
    """

    def __init__(self, training_set, every: int | None = None):
        super().__init__()
        self.training_set, self.every = training_set, every
        self.begun = 0

    def on_epoch_begin(self, epoch, logs=None):
        """The round before this epoch."""
        if self.every is None:
            self.before(int(self.model.epochs))
        else:
            self.begun = int(self.model.updates)

    def on_train_batch_begin(self, batch, logs=None):
        """The round before this step."""
        step = self.begun + batch
        if self.every and step % self.every == 0:
            self.before(step // self.every)

    def on_epoch_end(self, epoch, logs=None):
        """Count."""
        if self.every is None:
            self.model.epochs.assign_add(1)

    def before(self, epoch: int) -> None:
        """A round, if one is due."""
        model = self.model
        since = epoch - model.first_round
        again = model.memory != "first" and since % model.round_every == 0
        if since == 0 or (since > 0 and again):
            model.reweigh(self.training_set)
