"""Classifiers that are one network, and what may be asked of such a network."""

import keras
from keras import ops

from tfkit.classification.classifier import Classifier, right, weighted_mean
from tfkit.networks.checks import require_logits


class NetworkClassifier(Classifier):
    """A classifier that is one network, with coupled weight decay.

        what is differentiated = loss + weight_decay / 2 sum_v |v|^2      v: all trainable variables

    The objective is the mean loss of a batch, by weights where it has some, unless a subclass
    defines another. The decay is part of the gradient, as in the published codes,
    and not of the `loss` that is reported.
    """

    def __init__(self, network, weight_decay=0.0, **kwargs):
        super().__init__(**kwargs)
        self.classes = logits_of(type(self).__name__, "network", network)
        if not 0 <= weight_decay < float("inf"):
            raise ValueError(
                f"{type(self).__name__}: weight_decay must be finite and >= 0, got {weight_decay}."
            )
        self.network, self.weight_decay = network, float(weight_decay)
        self.built = True  # all variables exist: compile() can build the optimizers over them

    @property
    def optimized_variables(self):
        """What `optimizer` updates: the network's."""
        return self.network.trainable_variables

    def penalties(self):
        """Regularisation losses of the network's layers."""
        return self.network.losses

    def differentiated(self, loss):
        """With the weight decay."""
        return decayed(loss, self.optimized_variables, self.weight_decay)

    def call(self, inputs, training=False):
        """Logits.  [B, ...] -> [B, C]"""
        return self.network(inputs, training=training)

    def objective(self, batch, training):
        """The mean loss of a batch, weighted if it has weights, and the share of right answers."""
        given = self.labelled(batch)
        logits = self(given.inputs, training=training)  # [B, C]
        loss = weighted_mean(self.per_example(given.labels, logits), given.third)
        return loss, {"accuracy": ops.mean(right(given.labels, logits))}

    def get_config(self):
        """The network and the options."""
        network = keras.saving.serialize_keras_object(self.network)
        return {**super().get_config(), "network": network, "weight_decay": self.weight_decay}

    @classmethod
    def from_config(cls, config):
        """Rebuild the network, then the model."""
        network = keras.saving.deserialize_keras_object(config["network"])
        return cls(**{**config, "network": network})


def decayed(loss, variables, weight_decay):
    """Plus weight_decay / 2 |v|^2 of all variables ("coupled" decay).  [] -> []"""
    if not weight_decay:
        return loss
    return loss + weight_decay / 2 * sum(
        ops.cast(ops.sum(ops.square(v)), loss.dtype) for v in variables
    )


def logits_of(owner: str, name: str, network) -> int:
    """The number of classes of a network that gives logits.

    Raises:
        ValueError: it is no keras.Model with one output [B, C].
    """
    if not isinstance(network, keras.Model):
        raise ValueError(f"{owner}: {name} must be a keras.Model, got {type(network).__name__}.")
    shapes = [tuple(output.shape[1:]) for output in getattr(network, "outputs", None) or ()]
    if len(shapes) != 1 or len(shapes[0]) != 1:
        raise ValueError(
            f"{owner}: {name} must be functional or Sequential with one output of logits [B, C], "
            f"got {shapes or 'a network whose shapes are not known'}."
        )
    require_logits(f"{owner}: {name}", network)
    return shapes[0][0]


def last_dense(owner: str, name: str, network) -> keras.layers.Dense:
    """The layer that makes the logits, which must be a Dense without activation.

    Raises:
        ValueError: it is something else.
    """
    layer = network.layers[-1]
    linear = isinstance(layer, keras.layers.Dense) and layer.activation is keras.activations.linear
    if not linear:
        raise ValueError(
            f"{owner}: the last layer of {name} must be a Dense without activation, whose input "
            f"are the features; it is {type(layer).__name__} {layer.name}."
        )
    return layer


def features_of(owner: str, name: str, network) -> keras.Model:
    """The network up to the features that its last layer turns into logits."""
    return keras.Model(network.input, last_dense(owner, name, network).input, name="features")
