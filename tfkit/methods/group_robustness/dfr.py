"""Deep feature reweighting: the last layer is fitted anew on balanced groups."""

from typing import Literal

import keras
import numpy as np
import tensorflow as tf

from tfkit.classification.networks import NetworkClassifier, features_of, last_dense
from tfkit.methods.group_robustness.last_layer import refitted


@keras.saving.register_keras_serializable(package="tfkit")
class DFR(NetworkClassifier):
    """Deep feature reweighting: plain training, then a last layer fitted where groups are balanced.

        network   loss = mean_b CE(f(x_b), y_b)
        refit     W, c = mean over `repeats` draws, each with as many examples of every group, of
                  logistic regressions with an L1 penalty of strength 1/C on standardised features

    C is chosen on one half of the examples by worst-group accuracy. Standardising is folded into W
    and c, so the network stays a network. A recipe has the two as stages; from Python, `fit`, then
    `refit(inputs, labels, groups)`. Uses the group labels of the validation part (or of training).

    Shapes: inputs [B, ...] -> logits [B, C]
    Needs: inputs, labels
    Logs: loss, accuracy
    Args:
        network: inputs -> logits [B, C], such as a `perceptron`; its last layer a Dense.
        part: which part of the data the last layer is fitted to in a recipe; "valid" is the paper's
            better one, and is no measure of this model any more.
        repeats: regressions that are averaged, >= 1; 20 is the paper's.
        weight_decay: L2 penalty w/2 |v|^2 of all trainable variables in the gradient, >= 0; 1e-3
            is the paper's.
    References: Kirichenko et al. 2023, arXiv:2204.02937; code:
        PolinaKirichenko/deep_feature_reweighting.
    """

    def __init__(
        self,
        network: keras.Model,
        part: Literal["valid", "train"] = "valid",
        repeats: int = 20,
        weight_decay: float = 0.0,
        **kwargs,
    ):
        super().__init__(network, weight_decay, **kwargs)
        if part not in ("valid", "train"):
            raise ValueError(f"DFR: part must be valid or train, got {part!r}.")
        if repeats < 1:
            raise ValueError(f"DFR: repeats must be >= 1, got {repeats}.")
        self.part, self.repeats = part, repeats
        self.last = last_dense("DFR", "network", network)
        self.features = features_of("DFR", "network", network)

    @property
    def group_labels(self):
        """The part whose group labels are used."""
        return {"valid": "validation", "train": "training"}[self.part]

    def refit(self, inputs, labels, groups, seed: int = 0):
        """Fit the last layer to examples, balanced by groups; nothing else moves.

        Args:
            inputs: [N, ...], or batches of them one after the other.
            labels: class numbers [N].
            groups: numbers of groups [N].
            seed: of the draws.
        """
        if hasattr(inputs, "shape"):
            inputs = np.array_split(inputs, 1 + len(inputs) // 512)
        network = tf.function(lambda x: self.features(x, training=False), reduce_retracing=True)
        features = np.concatenate([np.asarray(network(rows), "float32") for rows in inputs])
        kernel, bias = refitted(
            features, np.asarray(labels), np.asarray(groups), self.classes, self.repeats, seed
        )
        self.last.kernel.assign(kernel)
        self.last.bias.assign(bias)

    def get_config(self):
        """The network and the options."""
        return {**super().get_config(), "part": self.part, "repeats": self.repeats}
