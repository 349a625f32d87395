"""Plain training, and balancing of groups; what needs several stages is in files of its own."""

from typing import Literal

import keras
from keras import ops

from tfkit.classification.classifier import right, weighted_mean
from tfkit.classification.networks import NetworkClassifier
from tfkit.methods.group_robustness.balance import balanced_rows
from tfkit.methods.group_robustness.dfr import DFR
from tfkit.methods.group_robustness.distillation import KnowledgeDistillation
from tfkit.methods.group_robustness.group_dro import GroupDRO
from tfkit.methods.group_robustness.groups import (
    checked_counts,
    checked_groups,
    groups_of,
    has_groups,
)
from tfkit.methods.group_robustness.jtt import JTT
from tfkit.methods.group_robustness.transplant import DeTT, SimKD

__all__ = [
    "DFR",
    "DeTT",
    "ERM",
    "GroupDRO",
    "JTT",
    "KnowledgeDistillation",
    "Reweighting",
    "SimKD",
    "Subsampling",
]


@keras.saving.register_keras_serializable(package="tfkit")
class ERM(NetworkClassifier):
    """Empirical risk minimisation: plain training, the first of all baselines.

        loss = mean_b CE(f(x_b), y_b)

    Shapes: inputs [B, ...] -> logits [B, C]
    Needs: inputs, labels
    Logs: loss, accuracy
    Args:
        network: inputs -> logits [B, C], such as a `perceptron`; functional or Sequential.
        weight_decay: L2 penalty w/2 |v|^2 of all trainable variables in the gradient, >= 0.
    References: Vapnik 1991, https://papers.nips.cc/paper/1991/hash/ff4d5fbbafdf976cfdc032e3bde78de5
    """

    def __init__(self, network: keras.Model, weight_decay: float = 0.0, **kwargs):
        super().__init__(network, weight_decay, **kwargs)


@keras.saving.register_keras_serializable(package="tfkit")
class Reweighting(NetworkClassifier):
    """Weighs examples so that every group counts alike.

        loss = mean_b w(g_b) CE(f(x_b), y_b)        w(g) = N / (G n_g)

    The weights' mean over the training set is 1. Uses group labels in training.

    Shapes: inputs [B, ...] -> logits [B, C]
    Needs: inputs, labels, groups
    Logs: loss, accuracy
    Args:
        network: inputs -> logits [B, C], such as a `perceptron`; functional or Sequential.
        group_counts: n_g, training examples of each of the G groups, each >= 0; told by the data.
        weight_decay: L2 penalty w/2 |v|^2 of all trainable variables in the gradient, >= 0.
    References: Idrissi et al. 2022, arXiv:2110.14503 (RWG, which draws by these weights instead).
    """

    third = "groups"
    group_labels = "training"

    def __init__(self, network: keras.Model, group_counts, weight_decay: float = 0.0, **kwargs):
        super().__init__(network, weight_decay, **kwargs)
        self.group_counts = checked_counts("Reweighting", group_counts)
        sizes = ops.cast(self.group_counts, "float32")
        filled = ops.cast(sizes > 0, "float32")
        total = ops.sum(sizes) / ops.sum(filled)
        self.weights_by_group = total * filled / ops.maximum(sizes, 1.0)  # [G]

    def check_third(self, given):
        """Refuse what are no numbers of groups."""
        checked_groups("Reweighting", given, self.group_counts)

    def objective(self, batch, training):
        """The weighted mean loss of a batch, and the share of right answers."""
        given, weights = self.labelled(batch), None
        logits = self(given.inputs, training=training)  # [B, C]
        if training or has_groups(given):
            weights = ops.take(self.weights_by_group, groups_of(self, given), axis=0)  # [B]
        loss = weighted_mean(self.per_example(given.labels, logits), weights)
        return loss, {"accuracy": ops.mean(right(given.labels, logits))}

    def get_config(self):
        """The network and the options."""
        return {**super().get_config(), "group_counts": self.group_counts}


@keras.saving.register_keras_serializable(package="tfkit")
class Subsampling(NetworkClassifier):
    """Plain training on a part of the data in which all groups have the same size.

        loss = mean_b CE(f(x_b), y_b)        rows drawn once: min_g n_g of each group

    The strongest of the simple baselines. "oversample" instead repeats the rows of smaller groups
    until they are as many as those of the largest. A recipe trains on these rows; from Python,
    `rows = model.rows(groups, seed)`, then `model.fit(x[rows], y[rows])`. Uses group labels in
    training.

    Shapes: inputs [B, ...] -> logits [B, C]
    Needs: inputs, labels
    Logs: loss, accuracy
    Args:
        network: inputs -> logits [B, C], such as a `perceptron`; functional or Sequential.
        kind: "subsample" (SUBG) or "oversample".
        weight_decay: L2 penalty w/2 |v|^2 of all trainable variables in the gradient, >= 0.
    References: Idrissi et al. 2022, arXiv:2110.14503 (SUBG).
    """

    group_labels = "training"

    def __init__(
        self,
        network: keras.Model,
        kind: Literal["subsample", "oversample"] = "subsample",
        weight_decay: float = 0.0,
        **kwargs,
    ):
        super().__init__(network, weight_decay, **kwargs)
        if kind not in ("subsample", "oversample"):
            raise ValueError(f"Subsampling: kind must be subsample or oversample, got {kind!r}.")
        self.kind = kind

    def rows(self, groups, seed: int = 0):
        """Rows of the training set in which all groups are alike.  [N] int -> [M] int"""
        return balanced_rows(groups, self.kind, seed)

    def get_config(self):
        """The network and the options."""
        return {**super().get_config(), "kind": self.kind}
