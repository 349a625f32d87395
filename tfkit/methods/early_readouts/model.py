"""Debiased distillation with early readouts (DeDiER)."""

from typing import Literal

import keras
from keras import ops

from tfkit.classification.classifier import right
from tfkit.classification.teaching import Taught
from tfkit.losses import distillation_loss
from tfkit.losses.distillation import mixed
from tfkit.methods.early_readouts import checks, passes
from tfkit.methods.early_readouts.probe import Probe, ReadoutFit
from tfkit.methods.early_readouts.rounds import Rounds, one_round, warn_of_no_round
from tfkit.methods.early_readouts.row_numbers import rows_of_batch
from tfkit.methods.early_readouts.teacher import forget_teacher, know_teacher, teacher_logits
from tfkit.methods.early_readouts.weights import Ledger


@keras.saving.register_keras_serializable(package="tfkit")
class DebiasedDistillation(Taught):
    """DeDiER: distils a teacher, with more weight where a readout of an early layer errs surely.

        loss = mean_b [ mixing w_b T^2 KL(softmax(t_b / T) || softmax(s_b / T))
                        + (1 - mixing) v_b CE(s_b, y_b) ]      v_b = 1 ("kd_only") or w_b ("both")
        w_b  = exp(beta m_b^alpha)  where the readout errs, else 1;  m_b its margin

    Early layers learn the simple features first, so where a shortcut contradicts the label their
    readout errs, and is sure. A round, between epochs, fits a fresh readout to a copy of the early
    layers and weighs the whole training set; neither the student nor its statistics move. Weights
    belong to rows of the training set (`index`), in `sample_weights`. No group labels are used.

        model.fit(x, y, index)   or   model.fit(data set of (x, y, index), epochs=…)

    Numbers in `index` are checked where arrays or rounds give them, and in each step but under XLA:
    there a number beyond the last row, in a data set beside `whole`, takes the last row's weight.

    Shapes: inputs [B, ...] -> logits [B, C]
    Needs: inputs, labels, index
    Logs: loss, accuracy, distillation, effective_sample_size
    Args:
        student: inputs -> logits [B, C], functional or Sequential, such as `perceptron`.
        teacher: inputs -> logits [B, C], such as a larger `perceptron`, which is trained before and
            never moved here (a recipe trains it first); or the `.keras` file of a trained one.
        readout_layer: name of the student's layer whose output is read out, or its position.
        num_train: N, rows of the training set, >= 1; null in a recipe, where the data tell it.
        alpha: power of the margin, >= 0; 2 is this toolkit's, 0.05 to 0.2 are the published ones.
        beta: logarithm of the largest weight, >= 0; 3 to 4 are published, 0 is plain distillation.
        temperature: T, > 0; 3 is the published code's.
        mixing: share of the distillation, in [0, 1]; 1 is the published code's.
        memory: "first": one round, kept; "fresh": weights anew each round, the paper's reading;
            "sticky": only who errs in a round is weighed anew, the published code's; "surest": the
            weights of the round whose errors are surest in the mean, with no round any more after
            three that are not surer.
        mode: "kd_only": weights multiply the distillation; "both": the cross-entropy too.
        readout: features of that layer -> logits; null is linear in the features' means over places
            or time. `ConvReadout(C, depth=1, width=128, normalization="batch")` is the published.
        first_round: epochs before the first round, >= 0; 1 is the published code's.
        round_every: epochs between rounds, unless memory is "first", >= 1.
        round_steps: steps that count as an epoch for rounds, >= 1; null: an epoch. Where an epoch
            is long, the shortcut may be learned and corrected within the first.
        readout_epochs: passes that fit a readout, >= 1; with a batch size 1 is published.
        readout_batch_size: examples of a step of the readout, >= 1; null: the whole training set,
            as far as its features can be kept in memory.
        flag_cap: largest share of the training set that may weigh more than 1, in (0, 1], the
            heaviest; below 1 where labels are noisy, since the readout is sure against wrong ones.
        normalize_weights: divide by the batch's mean weight, which keeps the learning rate's
            meaning; false is the published code's.
        cache_teacher: compute the teacher's logits once for each training, of what rounds go
            through; not with augmentation. Null: unless `fit` is given `whole`.
        weight_decay: L2 penalty w/2 |v|^2 of the student's variables in the gradient, >= 0.
    References: Tiwari et al. 2024, arXiv:2310.18590; code: molereddy/distillation-group-analysis.
    """

    logged = ("accuracy", "distillation", "effective_sample_size")
    third = "index"

    def __init__(
        self,
        student: keras.Model,
        teacher: keras.Model | str,
        readout_layer: str | int = "hidden_1",
        num_train: int | None = None,
        alpha: float = 2.0,
        beta: float = 3.0,
        temperature: float = 3.0,
        mixing: float = 1.0,
        memory: Literal["first", "fresh", "sticky", "surest"] = "first",
        mode: Literal["kd_only", "both"] = "kd_only",
        *,
        readout: keras.Layer | None = None,
        first_round: int = 1,
        round_every: int = 1,
        round_steps: int | None = None,
        readout_epochs: int = 60,
        readout_batch_size: int | None = None,
        flag_cap: float = 1.0,
        normalize_weights: bool = False,
        cache_teacher: bool | None = None,
        weight_decay: float = 0.0,
        **kwargs,
    ):
        super().__init__(student, teacher, weight_decay, **kwargs)
        self.readout_layer, self.num_train = readout_layer, num_train
        self.alpha, self.beta, self.temperature, self.mixing = alpha, beta, temperature, mixing
        self.memory, self.mode, self.flag_cap = memory, mode, flag_cap
        self.first_round, self.round_every, self.round_steps = first_round, round_every, round_steps
        self.readout_epochs, self.readout_batch_size = readout_epochs, readout_batch_size
        self.normalize_weights, self.cache_teacher = normalize_weights, cache_teacher
        owner = type(self).__name__
        checks.check(owner, self.options)
        self.probe = Probe(owner, student, readout_layer, readout, self.classes)
        self.ledger = Ledger(num_train, memory, flag_cap)
        counter = {"initializer": "zeros", "dtype": "int32", "trainable": False}
        self.updates = self.add_weight(name="updates", **counter)
        self.epochs = self.add_weight(name="epochs", **counter)  # as `fit` counts them
        self.teacher_table = self.ask_teacher = None  # its logits [N, C], and what gives them

    def compile(self, optimizer="rmsprop", readout_optimizer=None, *, loss=None, **kwargs):
        """Two optimizers, each over its own variables.

        Args:
            optimizer: the student's.
            readout_optimizer: the readout's, set back to its start in each round; None is Adam with
                learning rate 0.03.
            loss: what mixing leaves of learning from labels; None is the cross-entropy.
            **kwargs: Keras' options.
        """
        super().compile(optimizer=optimizer, loss=loss, **kwargs)
        if readout_optimizer is None:
            readout_optimizer = keras.optimizers.Adam(3e-2, name="readout_optimizer")
        self.readout_optimizer = keras.optimizers.get(readout_optimizer)
        self.readout_fit = ReadoutFit(self.probe, self.readout_optimizer)

    def get_compile_config(self):
        """What `compile` was given, for `.keras` files."""
        if not (config := super().get_compile_config()):
            return config
        second = keras.saving.serialize_keras_object(self.readout_optimizer)
        return {**config, "readout_optimizer": second}

    @property
    def student(self) -> keras.Model:
        """What is trained and exported."""
        return self.network

    @property
    def options(self) -> dict:
        """The constructor's arguments that are numbers or words, but for `weight_decay`."""
        return {name: getattr(self, name) for name in checks.OPTIONS}

    def fit(self, x=None, y=None, index=None, *, whole=None, callbacks=None, **kwargs):
        """Train, with rounds between epochs; Keras' `fit` otherwise.

        Args:
            x: inputs [N, ...], or a data set of batches (x, y, index) or {inputs, labels, index}.
            y: labels [N], class numbers.
            index: which rows of the training set these are [N]; None: 0 to N - 1. `sample_weight`
                is the same by Keras' name.
            whole: a data set or arrays of (x, y, index), the training set once and without
                augmentation, for the rounds; None: what is trained on.
            callbacks: Keras'; a `Rounds` among them takes the place of the model's own.
            **kwargs: Keras', but for what would give rows another meaning: `class_weight`,
                `validation_split`.
        Raises:
            ValueError: no index, or a data set without an end and no `whole`.
        """
        owner, callbacks = type(self).__name__, list(callbacks or ())
        given = next((c for c in callbacks if isinstance(c, Rounds)), None)
        checks.check_fit(owner, index, whole, given, kwargs)
        index = kwargs.pop("sample_weight", None) if index is None else index
        once = whole is None and given is None
        arrays = passes.arrays_of(x, y, index, self.num_train, owner, once)
        data = x if arrays is None else arrays
        rounds = given or Rounds(passes.over(self, data, whole), self.round_steps)
        if self.cache_teacher or (self.cache_teacher is None and whole is None):
            know_teacher(self, rounds.training_set)
        else:
            forget_teacher(self)
        if given is not None:
            return super().fit(data, callbacks=callbacks, **kwargs)
        history = super().fit(data, callbacks=[rounds, *callbacks], **kwargs)
        warn_of_no_round(self)
        return history

    @property
    def sample_weights(self):
        """The weight of every row of the training set, [num_train] float32."""
        return self.ledger.sample_weights

    def objective(self, batch, training):
        """The loss, its parts, and the effective sample size of the whole training set."""
        inputs, labels, index = self.labelled(batch)
        logits = self(inputs, training=training)  # [B, C]
        owner = type(self).__name__  # rows of a held-out part have no weights
        index = rows_of_batch(index, self.num_train, owner) if training else None  # [B]
        follow = distillation_loss(logits, teacher_logits(self, inputs, index), self.temperature)
        learn = self.per_example(labels, logits) if self.mixing < 1 else None
        loss = ops.mean(mixed(follow, learn, self.weights_of(index), self.mixing, self.mode))
        return loss, {
            "accuracy": ops.mean(right(labels, logits)),
            "distillation": ops.mean(follow),
            "effective_sample_size": self.ledger.effective,
        }

    def weights_of(self, index):
        """The weights of some rows, constants to the loss; 1 without rows.  [B] -> [B]"""
        if index is None:
            return 1.0
        found = ops.stop_gradient(ops.take(self.sample_weights, index, axis=0))
        return found / ops.mean(found) if self.normalize_weights else found

    def train_step(self, data):
        """One update, counted."""
        logs = super().train_step(data)
        self.updates.assign_add(1)
        return logs

    def reweigh(self, training_set):
        """A round: a fresh readout of the early layers as they are, and the weights it gives.

        Args:
            training_set: as in `Rounds`.
        """
        one_round(self, training_set)

    def get_config(self):
        """The networks and the options."""
        readout = keras.saving.serialize_keras_object(self.probe.given)
        return {**super().get_config(), **self.options, "readout": readout}

    @classmethod
    def from_config(cls, config):
        """Rebuild the readout and the networks, then the model."""
        readout = keras.saving.deserialize_keras_object(config["readout"])
        return super().from_config({**config, "readout": readout})


def supplied(parts: dict) -> dict:
    """What the student tells its readout."""
    made = getattr(parts.get("student"), "outputs", None)
    return {"num_classes": made[0].shape[-1]} if made else {}
