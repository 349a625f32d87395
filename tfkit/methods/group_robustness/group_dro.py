"""Group distributionally robust optimisation."""

from typing import Literal

import keras
import numpy as np
from keras import ops

from tfkit.classification.classifier import right
from tfkit.classification.networks import NetworkClassifier
from tfkit.methods.group_robustness.balance import balanced_rows
from tfkit.methods.group_robustness.groups import (
    checked_counts,
    checked_groups,
    groups_of,
    has_groups,
)


@keras.saving.register_keras_serializable(package="tfkit")
class GroupDRO(NetworkClassifier):
    """Group distributionally robust optimisation: learns from the group that is worst off.

        L_g  = mean over the batch's examples of group g of CE, 0 where it has none
        q_g <- q_g exp(step_size (L_g + adjustment / sqrt(n_g))) / Z
        loss = sum_g q_g L_g

    q, at first even over the groups that have examples, is a variable of the model, updated before
    the loss is taken; evaluation leaves it as it is. `largest_share` is its largest entry. Uses
    group labels in training.

    Shapes: inputs [B, ...] -> logits [B, C]
    Needs: inputs, labels, groups
    Logs: loss, accuracy, largest_share
    Args:
        network: inputs -> logits [B, C], such as a `perceptron`; functional or Sequential.
        group_counts: n_g, training examples of each of the G groups, each >= 0; told by the data.
        step_size: of q, >= 0; 0.01 is the paper's.
        sampling: "groups": a recipe's batches have all groups alike on average, as the paper's
            (`--reweight_groups` of its code); "plain": as the data come, so that a batch may lack a
            small group. From Python, `rows = model.rows(groups)`, `model.fit(x[rows], y[rows],
            groups=groups[rows])`.
        adjustment: C of the generalisation adjustment, >= 0; the paper takes 0 to 5.
        weight_decay: L2 penalty w/2 |v|^2 of all trainable variables in the gradient, >= 0; the
            paper's success hangs on a strong one, such as 1e-1 or 1.
    References: Sagawa et al. 2020, arXiv:1911.08731, algorithm 1; code: kohpangwei/group_DRO.
    """

    logged = ("accuracy", "largest_share")
    third = "groups"
    group_labels = "training"

    def __init__(
        self,
        network: keras.Model,
        group_counts,
        step_size: float = 0.01,
        sampling: Literal["plain", "groups"] = "plain",
        adjustment: float = 0.0,
        weight_decay: float = 0.0,
        **kwargs,
    ):
        super().__init__(network, weight_decay, **kwargs)
        for name, value in {"step_size": step_size, "adjustment": adjustment}.items():
            if not 0 <= value < float("inf"):
                raise ValueError(f"GroupDRO: {name} must be finite and >= 0, got {value}.")
        if sampling not in ("plain", "groups"):
            raise ValueError(f"GroupDRO: sampling must be plain or groups, got {sampling!r}.")
        self.group_counts, self.sampling = checked_counts("GroupDRO", group_counts), sampling
        self.step_size, self.adjustment = float(step_size), float(adjustment)
        sizes = np.array(self.group_counts)
        filled = sizes > 0  # an empty group has no loss to weigh
        self.shares = self.add_weight(
            (len(sizes),),
            lambda shape, dtype=None: ops.cast(filled / filled.sum(), dtype),
            "float32",
            trainable=False,
            name="group_shares",
            aggregation="mean",
        )
        margins = np.where(filled, self.adjustment / np.sqrt(np.maximum(sizes, 1)), 0.0)
        self.margins = margins.astype("float32")  # [G]

    def check_third(self, given):
        """Refuse what are no numbers of groups."""
        checked_groups("GroupDRO", given, self.group_counts)

    def rows(self, groups, seed: int = 0):
        """Rows to train on where batches are to be drawn by groups.  [N] int -> [M] int"""
        return balanced_rows(groups, "oversample", seed)

    def objective(self, batch, training):
        """The robust loss of a batch, the share of right answers, and the largest share."""
        given = self.labelled(batch)
        logits = self(given.inputs, training=training)  # [B, C]
        losses = self.per_example(given.labels, logits)  # [B]
        if not training and not has_groups(given):
            loss = ops.mean(losses)
        else:
            by_group = self.group_losses(losses, groups_of(self, given))  # [G]
            if training:
                self.shares.assign(self.updated(ops.stop_gradient(by_group)))
            loss = ops.sum(ops.cast(self.shares.value, by_group.dtype) * by_group)
        return loss, {
            "accuracy": ops.mean(right(given.labels, logits)),
            "largest_share": ops.max(self.shares),
        }

    def group_losses(self, losses, groups):
        """Mean loss of each group, 0 for one that the batch lacks.  [B], [B] int -> [G]"""
        members = ops.one_hot(groups, len(self.group_counts), dtype=losses.dtype)  # [B, G]
        return ops.matmul(losses, members) / ops.maximum(ops.sum(members, axis=0), 1.0)

    def updated(self, by_group):
        """q after a batch with these losses.  [G] -> [G]"""
        grown = self.step_size * (ops.cast(by_group, "float32") + self.margins)
        return ops.softmax(ops.log(self.shares) + grown)  # normalised in logarithms: no overflow

    def get_config(self):
        """The network and the options."""
        options = ("group_counts", "step_size", "sampling", "adjustment")
        return {**super().get_config(), **{name: getattr(self, name) for name in options}}
