"""The two shortcut tasks, trained as the specification does, and wrong sieves beside."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tfkit.explain import gradient_times_input, region_share
from tfkit.layers import DenseReadout
from tfkit.losses import forgetting_loss
from tfkit.metrics import group_accuracy
from tfkit.models import FeatureSieve
from tfkit.objective import share_of_replica


def perceptron():
    """8 x 24 -> 64 -> 64 -> 2, cut behind the first hidden layer."""
    lower = [keras.Input((8, 24)), keras.layers.Flatten()]
    lower = keras.Sequential([*lower, keras.layers.Dense(64, activation="relu")])
    upper = [keras.Input((64,)), keras.layers.Dense(64, activation="relu")]
    return lower, keras.Sequential([*upper, keras.layers.Dense(2)])


def convolutions(norm=False):
    """16 and 32 filters of stride 2, cut between them, then flattened, 64 and 2 units."""

    def block(shape, filters):
        layers = [keras.layers.Conv2D(filters, 3, 2, padding="same")]
        layers += [keras.layers.BatchNormalization()] if norm else []
        return [keras.Input(shape), *layers, keras.layers.ReLU()]

    head = [keras.layers.Flatten(), keras.layers.Dense(64, activation="relu")]
    lower = keras.Sequential(block((8, 24, 3), 16))
    return lower, keras.Sequential([*block((4, 12, 16), 32), *head, keras.layers.Dense(2)])


def bare_readout(classes):
    """Linear in the features as they are."""
    return DenseReadout(classes, normalization="none")


def trained(data, networks, seed, steps, forget_rate, kind=FeatureSieve, **options):
    """A sieve after so many steps of 64."""
    keras.utils.set_random_seed(seed)
    model = kind(*networks(), options.pop("readout", DenseReadout)(2), **options)
    model.compile(
        keras.optimizers.Adam(1e-3),
        readout_optimizer=keras.optimizers.Adam(1e-2),
        forget_optimizer=keras.optimizers.SGD(forget_rate),
        jit_compile=False,
    )
    rows = tf.data.Dataset.from_tensor_slices((data["train"]["x"], data["train"]["y"])).cache()
    rows = rows.shuffle(len(data["train"]["y"]), seed=seed).repeat().batch(64)
    model.fit(rows.prefetch(4), steps_per_epoch=steps, verbose=0, shuffle=False)
    return model


def worst_group(model, data) -> float:
    """Least accuracy over label x attribute where the attribute tells nothing."""
    test = data["test"]
    answers = np.concatenate(
        [np.argmax(model(test["x"][at : at + 500]), axis=1) for at in range(0, len(test["y"]), 500)]
    )
    return group_accuracy(test["y"], answers, 2 * test["y"] + test["a"])["worst_group"]


def spurious_share(model, data) -> float:
    """Mean over test rows of the share of |gradient x input| on the shortcut's third."""
    x = data["test"]["x"][:500]
    third = np.zeros(x.shape[1:3], bool)
    third[:, :8] = True
    return float(np.nanmean(region_share(gradient_times_input(model, x), third)))


class WithoutStopGradient(FeatureSieve):
    """Wrong: identifying moves D too, which it teaches the shortcut."""

    def build_optimizers(self):
        super().build_optimizers()
        self.readout_optimizer = keras.optimizers.Adam(1e-2)
        self.readout_optimizer.build([*self.readout_variables, *self.lower_variables])

    def identify(self, features, given):
        _, found = self.read(features, given, training=True)
        variables = [*self.readout_variables, *self.lower_variables]
        with tf.GradientTape() as tape:
            logits = self.readout(self.lower(given.inputs, training=True), training=True)
            loss = ops.mean(self.per_example(given.labels, logits))
        self.readout_optimizer.apply(tape.gradient(loss, variables), variables)
        return found


class ForgetsInTheReadout(FeatureSieve):
    """Wrong: forgetting moves the readout, and D knows what it knew."""

    def build_optimizers(self):
        super().build_optimizers()
        self.forget_optimizer = keras.optimizers.SGD(0.03)
        self.forget_optimizer.build(self.readout_variables)

    def forget(self, features, tape):
        with tf.GradientTape() as outer:
            loss = ops.mean(forgetting_loss(self.readout(features[-1], training=True)))
            scaled = share_of_replica(loss, self.forget_optimizer)
        variables = self.readout_variables
        self.forget_optimizer.apply(outer.gradient(scaled, variables), variables)
        return loss


class AtInference(FeatureSieve):
    """Wrong beside batch normalisation: identifies and forgets with moving statistics."""

    def recorded(self, inputs):
        with tf.GradientTape() as tape:
            features = self.features(inputs, training=False)
        return features, tape
