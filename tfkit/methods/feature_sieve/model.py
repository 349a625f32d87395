"""The feature sieve: a classifier, readouts of its early layers, and three updates a step."""

import math
from typing import Literal

import keras
import tensorflow as tf
from keras import ops

from tfkit.classification.classifier import right, weighted_mean
from tfkit.classification.networks import decayed
from tfkit.layers import DenseReadout
from tfkit.losses import forgetting_loss
from tfkit.methods.feature_sieve.checks import check_options
from tfkit.methods.feature_sieve.parts import Parts, detached
from tfkit.methods.feature_sieve.states import kept, require_one_replica
from tfkit.networks.cutting import cut
from tfkit.objective import batch_of, share_of_replica, with_penalties

__all__ = ["FeatureSieve"]


@keras.saving.register_keras_serializable(package="tfkit")
class FeatureSieve(Parts):
    """Classifier that finds what a small readout decodes from an early layer, and erases it there.

        identify   A:     mean CE(A(stop_gradient(D(x))), y)
        forget     D:     mean CE(uniform, A(D(x)))              every forget_every-th step
        main       D, U:  mean CE(U(D(x)), y)

    In this order on the same batch, with three optimizers: the forget step sees the readout A after
    its update, the main step the lower part D after forgetting. Features that are easy and early
    (colour, texture) cannot stay, so the upper part U builds on richer ones. It needs no group
    labels, and the readout is no part of what is exported.

    Weights of examples enter the losses of labels, not the forgetting loss; a schedule of the
    forgetting rate counts forgettings, not steps.

    `leak` is CE(uniform, A(D(x))) - log K before the readout's update: what it still decodes.
    `train_on_batch` also gives `forget_loss`, NaN in a step that does not forget. With
    forget_every=0 it is plain training bit by bit, and the readout only looks on. Under
    `tf.distribute` several replicas need forget_every 0 or 1.

    Shapes: inputs [B, ...] -> logits [B, K]
    Needs: inputs, labels
    Logs: loss, accuracy, readout_loss, readout_accuracy, leak
    Args:
        lower: D, inputs -> features, such as a `lower_part`; in Python also a list of
            consecutive segments, each with its own readout: all are identified, then forgotten,
            together.
        upper: U, features -> logits [B, K], such as an `upper_part`.
        readout: A, features -> logits [B, K], such as `dense_readout`; a list where `lower` is one.
            It should be as strong as the shortcut needs and no stronger, and see what the upper
            part sees: linear in the flattened features below a head that flattens.
        forget_every: F, >= 0, steps from one forgetting to the next, the first step included; 5 is
            the published default, its search has 5 and 15; 0 or null: never, F = infinity.
        weight_decay: L2 penalty w/2 |v|^2 of all trainable variables of D and U, biases and norms
            too, in the main step's gradient ("coupled"), >= 0; 1e-4 is the published default.
        readout_weight_decay: the same of the readout, >= 0; 1e-4 is the published default.
        bn_mode: "once" takes the batch's statistics in all three passes, and lets moving statistics
            and dropout's generators move in the main pass alone (the readout's in identify);
            "published" lets them move in every pass, as the published code does.
    References: Tiwari and Shenoy 2023, arXiv:2301.13293.
    """

    def __init__(
        self,
        lower: keras.Model,
        upper: keras.Model,
        readout: keras.Layer,
        forget_every: int | None = 5,
        weight_decay: float = 0.0,
        readout_weight_decay: float = 0.0,
        bn_mode: Literal["once", "published"] = "once",
        **kwargs,
    ):
        forget_every = 0 if forget_every in (None, math.inf) else forget_every
        check_options(forget_every, weight_decay, readout_weight_decay, bn_mode)
        super().__init__(lower, upper, readout, **kwargs)
        self.forget_every, self.bn_mode = int(forget_every), bn_mode
        self.weight_decay = float(weight_decay)
        self.readout_weight_decay = float(readout_weight_decay)

    @classmethod
    def from_model(cls, model, layer, readout=None, **options):
        """A sieve of a Sequential or functional classifier, cut behind a layer.

        Args:
            model: inputs -> logits; its layers and weights become the sieve's.
            layer: the last layer of the lower part, by name, position or itself; a list of these
                for several sieves. Not one within a model that is itself a layer.
            readout: as in the constructor, a list where `layer` is one; None is a `DenseReadout`,
                linear in the flattened features, for each.
            **options: further ones of the constructor.
        Raises:
            ValueError: no such layer, or something passes the cut beside it.
        """
        lower, upper = cut(model, layer)
        if readout is None:
            made = [DenseReadout(model.outputs[0].shape[-1]) for _ in keras.tree.flatten([layer])]
            readout = made if isinstance(layer, (list, tuple)) else made[0]
        return cls(lower, upper, readout, **options)

    def objective(self, batch, training):
        """The main loss, and what is logged; no gradient of the readout's loss reaches D."""
        given = self.labelled(batch)
        features = self.features(given.inputs, training)
        loss, logs = self.judged(given, self.upper(features[-1], training=training))
        _, found = self.read(features, given, training)
        return loss, {**logs, **found}

    def judged(self, given, logits):
        """The main loss and its accuracy."""
        loss = weighted_mean(self.per_example(given.labels, logits), given.third)
        return loss, {"accuracy": ops.mean(right(given.labels, logits))}

    def read(self, features, given, training):
        """The losses of the readouts, and the means over them of what is logged."""
        losses, logs = [], []
        for readout, known in zip(self.readouts, features, strict=True):
            logits = readout(detached(known), training=training)  # [B, K]
            losses.append(weighted_mean(self.per_example(given.labels, logits), given.third))
            uniform = ops.mean(forgetting_loss(logits))
            logs.append((losses[-1], ops.mean(right(given.labels, logits)), uniform))
        means = [sum(column) / len(logs) for column in zip(*logs, strict=True)]
        return losses, {
            "readout_loss": means[0],
            "readout_accuracy": means[1],
            "leak": means[2] - ops.log(ops.cast(self.classes, means[2].dtype)),
        }

    def decoded(self, inputs):
        """CE(uniform, readout) at inference, mean over the readouts.  [B, ...] -> [B]"""

        def losses(inputs):
            pairs = zip(self.readouts, self.features(inputs), strict=True)
            return sum(forgetting_loss(a(known, training=False)) for a, known in pairs)

        return self.once_traced("_decoded", losses)(inputs) / len(self.readouts)

    def train_step(self, data):
        """Identify, forget where it is time, main."""
        batch = batch_of(data)
        given = self.labelled(batch)
        rows = ops.cast(ops.shape(keras.tree.flatten(batch)[0])[0], "float32")
        if self.forget_every == 0:
            values, forgets = self.main_step(given), False
        elif self.forget_every == 1:
            values, forgets = self.forgetting_step(given), True
        else:
            require_one_replica()
            forgets = ops.equal(self.step % self.forget_every, 0)
            values = tf.cond(
                forgets, lambda: self.forgetting_step(given), lambda: self.main_step(given)
            )
        forgotten = {"forget_loss": values.pop("forget_loss")}
        self.forget_means.update_state(forgotten, rows * ops.cast(forgets, "float32"))
        self.running_means.update_state(values, rows)
        self.step.assign(self.step + 1)
        return self.running_means.result()

    def main_step(self, given):
        """Identify and main, from one pass through D where that is the same."""
        if self.bn_mode == "published" and self.forget_every:
            found = self.identify(self.features(given.inputs, training=True), given)
            values, _ = self.learn(given)
        else:
            values, features = self.learn(given)
            found = self.identify(features, given)
        return {**values, **found, "forget_loss": ops.zeros_like(found["leak"])}

    def forgetting_step(self, given):
        """Identify and forget, from one pass through D where that is the same; then main."""
        once = self.bn_mode == "once"
        with kept(self.lower_states if once else []):
            features, tape = self.recorded(given.inputs)
            found = self.identify(features, given)
            if not once:
                features, tape = self.recorded(given.inputs)
            with kept(self.readout_states if once else []):
                forget_loss = self.forget(features, tape)
        values, _ = self.learn(given)
        return {**values, **found, "forget_loss": forget_loss}

    def recorded(self, inputs):
        """The features, and the tape that knows how D made them."""
        with tf.GradientTape() as tape:
            features = self.features(inputs, training=True)
        return features, tape

    def identify(self, features, given):
        """Update the readouts; nothing else moves."""
        optimizer, variables = self.readout_optimizer, self.readout_variables
        with tf.GradientTape() as tape:
            losses, found = self.read(features, given, training=True)
            penalties = [one for readout in self.readouts for one in readout.losses]
            loss = with_penalties(sum(losses), penalties)
            loss = share_of_replica(decayed(loss, variables, self.readout_weight_decay), optimizer)
        optimizer.apply(tape.gradient(loss, variables), variables)
        return found

    def forget(self, features, tape):
        """Update D so that the readouts, which stay as they are, know nothing.

        The gradient stops at D by the chain rule in two parts: through the readouts to the
        features, then from `tape` to D's variables.
        """
        with tf.GradientTape() as outer:
            outer.watch(features)
            pairs = zip(self.readouts, features, strict=True)
            losses = [ops.mean(forgetting_loss(a(known, training=True))) for a, known in pairs]
            loss = share_of_replica(sum(losses), self.forget_optimizer)
        into = outer.gradient(loss, features, unconnected_gradients="zero")
        variables = self.lower_variables
        gradients = tape.gradient(features, variables, output_gradients=into)
        self.forget_optimizer.apply(gradients, variables)
        return sum(losses) / len(losses)

    def learn(self, given):
        """Update D and U; the values, and the features from before the update."""
        variables = self.optimized_variables
        with tf.GradientTape() as tape:
            features = self.features(given.inputs, training=True)
            loss, logs = self.judged(given, self.upper(features[-1], training=True))
            loss = with_penalties(loss, self.penalties())
            whole = decayed(loss, variables, self.weight_decay)
            whole = share_of_replica(whole, self.optimizer)
        self.optimizer.apply(tape.gradient(whole, variables), variables)
        return {"loss": loss, **logs}, features

    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, return_dict=False):
        """One step; its values, and its `forget_loss`, NaN where it did not forget."""
        found = super().train_on_batch(x, y, sample_weight, class_weight, return_dict=True)
        total, rows = ops.convert_to_numpy(self.forget_means.totals)
        found["forget_loss"] = total / rows if rows else float("nan")
        return found if return_dict else list(found.values())

    def get_config(self):
        """The networks and the options."""
        names = ("forget_every", "weight_decay", "readout_weight_decay", "bn_mode")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def supplied(parts: dict) -> dict:
    """What the upper part tells the readout."""
    outputs = getattr(parts.get("upper"), "outputs", None)
    return {"num_classes": outputs[0].shape[-1]} if outputs else {}
