"""What a sieve is made of: the lower part's segments, the upper part, readouts, optimizers."""

from functools import cached_property

import keras
from keras import ops

from tfkit.classification.classifier import Classifier
from tfkit.methods.feature_sieve.checks import check_apart, check_fit, check_kinds
from tfkit.methods.feature_sieve.states import moved_by_passes
from tfkit.objective import RunningMeans, build_once


class Parts(Classifier):
    """The networks of a sieve with their variables, states and three optimizers; updates nothing.

    Shapes: inputs [B, ...] -> logits [B, K]
    """

    logged = ("accuracy", "readout_loss", "readout_accuracy", "leak")

    def __init__(self, lower, upper, readout, **kwargs):
        check_kinds(lower, upper, readout)
        super().__init__(**kwargs)
        self.lower, self.upper, self.readout = lower, upper, readout
        self.step = self.add_weight(
            shape=(), dtype="int64", initializer="zeros", trainable=False, name="step"
        )
        self.forget_means = RunningMeans(("forget_loss",), name="running_means_of_forgetting")
        given = getattr(self.segments[0], "inputs", None)
        if given:
            self._assemble(given[0].shape, given[0].dtype)

    @property
    def segments(self) -> list:
        """The lower part from the input up."""
        return list(self.lower) if isinstance(self.lower, (list, tuple)) else [self.lower]

    @property
    def readouts(self) -> list:
        """One for each segment."""
        return list(self.readout) if isinstance(self.readout, (list, tuple)) else [self.readout]

    @property
    def classes(self) -> int:
        """K."""
        return self.logits_shape[-1]

    def build(self, input_shape):
        """Make what is not made yet, and check that the parts fit."""
        if not self.built:
            self._assemble(input_shape, keras.config.floatx())

    def _assemble(self, input_shape, dtype):
        inputs = keras.KerasTensor((None, *input_shape[1:]), dtype)
        features = self.features(inputs)
        read = [tuple(a(known).shape) for a, known in zip(self.readouts, features, strict=True)]
        self.logits_shape = tuple(self.upper(features[-1]).shape)
        check_fit(self.logits_shape, read)
        check_apart([*self.segments, self.upper, *self.readouts])
        self.input_spec_of = (tuple(inputs.shape), inputs.dtype)
        self.built = True
        if self.compiled:
            self.build_optimizers()

    def labelled(self, batch):
        """The parts of a batch; the first batch makes what its shape decides."""
        found = super().labelled(batch)
        if not self.built:
            self.build(found.inputs.shape)
        return found

    def features(self, inputs, training=False):
        """What each segment gives, from the input up.  [B, ...] -> list of [B, ...]"""
        found = []
        for segment in self.segments:
            inputs = segment(inputs, training=training)
            found.append(inputs)
        return found

    def call(self, inputs, training=False):
        """Logits.  [B, ...] -> [B, K]"""
        return self.upper(self.features(inputs, training)[-1], training=training)

    @cached_property
    def network(self) -> keras.Model:
        """U of D without the readout, the same layers as a functional model."""
        if not self.built:
            raise ValueError(
                "FeatureSieve: the network is not known before the first batch; call the model on "
                "one, or give a lower part that knows its input's shape."
            )
        shape, dtype = self.input_spec_of
        inputs = keras.Input(shape[1:], dtype=dtype, name="inputs")
        return keras.Model(inputs, self.upper(self.features(inputs)[-1]), name="network")

    def export(self, filepath, *args, **kwargs):
        """Write a SavedModel of `network`: no readout."""
        return self.network.export(filepath, *args, **kwargs)

    @property
    def lower_variables(self) -> list:
        """What forgetting updates: D's trainable variables."""
        return [v for segment in self.segments for v in segment.trainable_variables]

    @property
    def readout_variables(self) -> list:
        """What identifying updates."""
        return [v for readout in self.readouts for v in readout.trainable_variables]

    @property
    def optimized_variables(self) -> list:
        """What the main step updates: those of D and U."""
        return [*self.lower_variables, *self.upper.trainable_variables]

    @property
    def lower_states(self) -> list:
        """What a pass through D moves: moving statistics, generators of dropout."""
        return [v for segment in self.segments for v in moved_by_passes(segment)]

    @property
    def readout_states(self) -> list:
        """The same of the readouts."""
        return [v for readout in self.readouts for v in moved_by_passes(readout)]

    def penalties(self) -> list:
        """Regularisation losses of the layers of D and U."""
        return [one for part in (*self.segments, self.upper) for one in part.losses]

    def compile(self, optimizer="rmsprop", readout_optimizer=None, forget_optimizer=None, **kwargs):
        """Three optimizers, each over its own variables; those of D belong to two.

        Args:
            optimizer: of the main step.
            readout_optimizer: of identifying; None is the published one, SGD with momentum 0.9 and
                learning rate 1e-2. Its rate should be the main step's or larger: a readout that
                lags erases yesterday's features.
            forget_optimizer: of forgetting; None is the published one, SGD with learning rate 1e-2.
                Momentum would go on pushing after the readout knows nothing.
            **kwargs: `loss` of labels and logits, the readouts' too, and Keras' options.
        """
        forgets = keras.optimizers.get(
            forget_optimizer or keras.optimizers.SGD(1e-2, name="forget_optimizer")
        )
        if decay := getattr(forgets, "inner_optimizer", forgets).weight_decay:
            raise ValueError(
                f"FeatureSieve: forget_optimizer must not decay weights, got weight_decay {decay}; "
                "leave it to the main optimizer."
            )
        super().compile(optimizer=optimizer, **kwargs)
        self.forget_optimizer = self._prepared(forgets)
        self.readout_optimizer = self._prepared(
            readout_optimizer or keras.optimizers.SGD(1e-2, momentum=0.9, name="readout_optimizer")
        )
        if self.built:
            self.build_optimizers()

    def _prepared(self, optimizer):
        found, scaled = keras.optimizers.get(optimizer), keras.optimizers.LossScaleOptimizer
        # as Keras does with the first optimizer
        if isinstance(self.optimizer, scaled) and not isinstance(found, scaled):
            found = scaled(found, name=f"{found.name}_loss_scale")
        return found

    def build_optimizers(self):
        """Give every optimizer its variables, before anything is traced or restored."""
        if self.forget_every and not self.lower_variables:
            raise ValueError(
                "FeatureSieve: nothing below the cut can be trained, so nothing can be forgotten; "
                "unfreeze it, cut later, or take forget_every=0."
            )
        build_once(self.optimizer, self.optimized_variables)
        build_once(self.readout_optimizer, self.readout_variables)
        build_once(self.forget_optimizer, self.lower_variables)

    def get_compile_config(self):
        """What `compile` was given, for `.keras` files."""
        config = super().get_compile_config()
        if not config:
            return config
        names = ("readout_optimizer", "forget_optimizer")
        own = {n: keras.saving.serialize_keras_object(getattr(self, n)) for n in names}
        return {**config, **own}

    def get_config(self):
        """The networks and the Keras options."""
        names = ("lower", "upper", "readout")
        own = {n: keras.saving.serialize_keras_object(_plain(getattr(self, n))) for n in names}
        return {**super().get_config(), **own}

    @classmethod
    def from_config(cls, config):
        """Rebuild the networks, then the model."""
        names = ("lower", "upper", "readout")
        own = {name: keras.saving.deserialize_keras_object(config[name]) for name in names}
        return cls(**{**config, **own})


def _plain(part):
    return list(part) if isinstance(part, (list, tuple)) else part


def detached(features):
    """What a layer gave, without its gradient but with its mask, of which the readout may ask."""
    found = ops.stop_gradient(features)
    if (mask := getattr(features, "_keras_mask", None)) is not None:
        found._keras_mask = mask
    return found
