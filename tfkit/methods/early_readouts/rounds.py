"""When a readout is fitted and examples are weighed: between epochs, inside `fit`."""

import warnings

import keras

from tfkit.methods.early_readouts.passes import checked_index
from tfkit.methods.early_readouts.weights import judged


class Rounds(keras.callbacks.Callback):
    """Lets a `DebiasedDistillation` do its rounds while it is fitted.

        before epoch e:  round  where  e = first_round, or with another memory than "first"
                                       e = first_round + k round_every

    Args:
        training_set: (epoch=None) -> batches (inputs, labels, index) of the whole training set,
            once and without augmentation; asked with a number where features are too many to keep,
            and then in a random order of that epoch, if it can.
        every: steps of an epoch, where `fit`'s own epochs are something else; a round then comes
            before the step, counted from the first training on, that is a multiple of it. None:
            `fit`'s epochs are epochs.
    """

    def __init__(self, training_set, every: int | None = None):
        super().__init__()
        self.training_set, self.every = training_set, every
        self.begun = 0

    def on_train_begin(self, logs=None):
        """Refuse calls of several steps within which a round would be due."""
        model, steps = self.model, self.params.get("steps")
        at_once = model.steps_per_execution
        counts = (self.every, steps, int(model.updates.numpy()))
        if self.every and at_once > 1 and any(n is None or n % at_once for n in counts):
            raise ValueError(
                f"{type(model).__name__}: steps_per_execution must divide round_steps, the steps "
                f"of an epoch and those done so far, or rounds are missed; got {at_once}, and "
                f"{', '.join(map(str, counts))}; compile with steps_per_execution=1."
            )

    def on_epoch_begin(self, epoch, logs=None):
        """The round before this epoch."""
        if self.every is None:
            self.before(int(self.model.epochs.numpy()))
        else:
            self.begun = int(self.model.updates.numpy())

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
        since, ledger = epoch - model.first_round, model.ledger
        if model.memory == "first":  # a `fit` that was interrupted comes to its epoch again
            due = since == 0 and not ledger.rounds.numpy()
        else:
            due = since >= 0 and since % model.round_every == 0 and not ledger.is_settled
        if due:
            model.reweigh(self.training_set)


def one_round(model, training_set) -> None:
    """Fit a fresh readout to the student's early layers as they are, and weigh the training set.

    Args:
        model: a compiled `DebiasedDistillation`.
        training_set: as in `Rounds`.
    """
    before = model.probe.get_weights()
    model.probe.follow(model.student)
    seen = model.readout_fit.run(training_set, model.readout_epochs, model.readout_batch_size)
    rows = checked_index(seen.index, model.num_train, type(model).__name__)
    found = judged(seen.logits, seen.labels, model.alpha, model.beta)
    if not model.ledger.remember(rows, *found):
        model.probe.set_weights(before)


def warn_of_no_round(model) -> None:
    """Say that a training ended before its first round, so that all examples weighed alike."""
    if model.beta > 0 and not model.ledger.rounds.numpy():
        warnings.warn(
            f"{type(model).__name__}: there was no round, so this was plain distillation: "
            f"first_round is {model.first_round}, and {model.updates.numpy()} steps were done; "
            "train longer, or set first_round or round_steps.",
            stacklevel=3,
        )
