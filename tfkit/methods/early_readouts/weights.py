"""Weights of examples from a readout's answers, and how they are remembered."""

import math

import keras
import numpy as np

from tfkit.losses import early_readout_weights
from tfkit.losses.distillation import margins

_PATIENCE = 3  # rounds in which errors were not surer, after which "surest" looks no further


class Ledger(keras.Layer):
    """What is remembered of every row of the training set; part of the model, so of checkpoints.

    Args:
        rows: of the training set.
        memory: "first", "fresh", "sticky" or "surest".
        flag_cap: largest share of the rows that may weigh more than 1, in (0, 1].
    """

    def __init__(self, rows: int, memory: str, flag_cap: float = 1.0):
        super().__init__(name="ledger", trainable=False)
        self.memory, self.flag_cap = memory, flag_cap

        def state(shape, start, name, dtype="float32"):
            return self.add_weight(shape, start, dtype, trainable=False, name=name)

        self.sample_weights = state((rows,), "ones", "sample_weights")
        self.margins = state((rows,), "zeros", "margins")  # of the last round
        self.flags = state((rows,), "zeros", "flags", "int32")  # rounds in which it erred
        self.effective = state((), keras.initializers.Constant(rows), "effective")
        self.rounds = state((), "zeros", "rounds", "int32")
        self.sureness = state((), "zeros", "sureness")  # mean margin of errors in the best round
        self.waited = state((), "zeros", "waited", "int32")  # rounds since the best one
        self.built = True

    @property
    def is_settled(self) -> bool:
        """Whether further rounds would be for nothing."""
        return self.memory == "surest" and self.waited.numpy() >= _PATIENCE

    def remember(self, rows, new, margin, wrong) -> bool:
        """Take up a round's weights, margins and errors of some rows.  [M] each

        Returns whether it did: "surest" passes over a round whose errors are not surer than those
        of all rounds before.
        """
        self.rounds.assign_add(1)
        sureness = float(margin[wrong].mean()) if wrong.any() else 0.0
        again = self.memory == "surest" and self.rounds.numpy() > 1
        if again and sureness <= self.sureness.numpy():
            self.waited.assign_add(1)
            return False
        self.sureness.assign(sureness)
        self.waited.assign(0)
        state = (self.sample_weights, self.margins, self.flags)
        weights, margins, flags = (variable.numpy() for variable in state)
        weights[rows] = remembered(weights[rows], new, wrong, self.memory)
        margins[rows] = margin
        flags[rows] += wrong
        weights = capped(weights, margins, self.flag_cap)
        self.sample_weights.assign(weights)
        self.margins.assign(margins)
        self.flags.assign(flags)
        self.effective.assign(effective_sample_size(weights))
        return True


def judged(logits, labels, alpha: float, beta: float):
    """New weights, the readout's margins, and whether it errs.  [N, C], [N] -> [N] each

    Args:
        logits: the readout's.
        labels: class numbers.
        alpha: as in `early_readout_weights`.
        beta: as in `early_readout_weights`.
    """
    margin, wrong = (np.asarray(value) for value in margins(logits, labels))
    return np.asarray(early_readout_weights(logits, labels, alpha, beta)), margin, wrong


def remembered(before, new, wrong, memory: str):
    """Weights after a round.  [N] each -> [N]

    Args:
        before: the weights so far.
        new: those of this round.
        wrong: whether the readout of this round errs.
        memory: "sticky" overwrites where it errs only, so that who was flagged once stays flagged;
            the others take the new ones.
    """
    return np.where(wrong, new, before) if memory == "sticky" else new


def capped(weights, margins, share: float):
    """Weights of which no more than a share is above 1: the largest stay.  [N], [N] -> [N]

    Args:
        weights: all that are remembered, so that "sticky" does not gather more and more.
        margins: what decides between equal weights.
        share: in (0, 1].
    """
    most = math.floor(share * len(weights) + 1e-6)  # 0.29 * 100 is below 29
    heavy = np.flatnonzero(weights > 1)
    order = np.lexsort((-margins[heavy], -weights[heavy]))
    kept = weights.copy()
    kept[heavy[order[most:]]] = 1
    return kept


def effective_sample_size(weights) -> float:
    """(sum w)^2 / sum w^2: as many examples of equal weight tell as much.  [N] -> float"""
    weights = np.asarray(weights, "float64")
    return float(np.square(weights.sum()) / np.square(weights).sum())
