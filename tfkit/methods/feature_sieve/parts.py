"""What a sieve is made of: the lower part's segments, the upper part, readouts, optimizers."""

import keras

from tfkit.classification.classifier import Classifier
from tfkit.objective import RunningMeans


class Parts(Classifier):
    """The networks of a sieve with their variables, states and three optimizers; updates nothing.

    Shapes: inputs [B, ...] -> logits [B, K]
    """

    logged = ("accuracy", "readout_loss", "readout_accuracy", "leak")

    def __init__(self, lower, upper, readout, **kwargs):
        _check_kinds(lower, upper, readout)
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
        _check_fit(self.logits_shape, read)
        _check_apart([*self.segments, self.upper, *self.readouts])
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

    @property
    def network(self) -> keras.Model:
        """U of D without the readout, the same layers as a functional model."""
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
        return [v for segment in self.segments for v in segment.non_trainable_variables]

    @property
    def readout_states(self) -> list:
        """The same of the readouts."""
        return [v for readout in self.readouts for v in readout.non_trainable_variables]

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
        super().compile(optimizer=optimizer, **kwargs)
        self.readout_optimizer = self._prepared(
            readout_optimizer or keras.optimizers.SGD(1e-2, momentum=0.9, name="readout_optimizer")
        )
        self.forget_optimizer = self._prepared(
            forget_optimizer or keras.optimizers.SGD(1e-2, name="forget_optimizer")
        )
        if getattr(self.forget_optimizer, "weight_decay", None):
            raise ValueError(
                "FeatureSieve: forget_optimizer must not decay weights, got weight_decay "
                f"{self.forget_optimizer.weight_decay}; leave it to the main optimizer."
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
        self.optimizer.build(self.optimized_variables)
        self.readout_optimizer.build(self.readout_variables)
        self.forget_optimizer.build(self.lower_variables)

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


def _check_kinds(lower, upper, readout):
    lists = [isinstance(part, (list, tuple)) for part in (lower, readout)]
    if lists[0] != lists[1] or (lists[0] and not 0 < len(lower) == len(readout)):
        raise ValueError(
            "FeatureSieve: lower and readout must be one network each, or lists of the same "
            f"length, got {_told(lower)} and {_told(readout)}."
        )
    parts = {
        "lower": lower if lists[0] else [lower],
        "readout": readout if lists[1] else [readout],
        "upper": [upper],
    }
    for name, given in parts.items():
        for one in given:
            if not isinstance(one, keras.Layer):
                raise ValueError(
                    f"FeatureSieve: {name} must be a keras.Model or keras.Layer, got "
                    f"{type(one).__name__}."
                )


def _told(part):
    return f"{len(part)} in a list" if isinstance(part, (list, tuple)) else type(part).__name__


def _check_fit(logits, read):
    for name, shape in [("upper", logits), *(("readout", shape) for shape in read)]:
        if len(shape) != 2 or shape[1] != logits[-1] or logits[-1] < 2:
            raise ValueError(
                f"FeatureSieve: {name} must give logits [B, K] of the same K >= 2 classes, "
                f"its output has shape {shape}; upper's has shape {logits}."
            )


def _check_apart(parts):
    seen = set()
    for part in parts:
        own = {id(variable) for variable in part.variables}
        if seen & own:
            raise ValueError(
                f"FeatureSieve: {part.name} shares variables with another part; lower, upper and "
                "readout must have no layer in common."
            )
        seen |= own
