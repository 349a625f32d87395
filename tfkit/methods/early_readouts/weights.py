"""Weights of examples from a readout's answers, and how they are remembered."""

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
    """

    def __init__(self, rows: int, memory: str):
        super().__init__(name="ledger", trainable=False)
        self.memory = memory

        def state(shape, start, name, dtype="float32"):
            return self.add_weight(shape, start, dtype, trainable=False, name=name)

        self.sample_weights = state((rows,), "ones", "sample_weights")
        self.margins = state((rows,), "zeros", "margins")  # of the last round
        self.flags = state((rows,), "zeros", "flags", "int32")  # rounds in which the readout erred
        self.effective = state((), keras.initializers.Constant(rows), "effective")
        self.rounds = state((), "zeros", "rounds", "int32")
        self.sureness = state((), "zeros", "sureness")  # mean margin of errors in the best round
        self.waited = state((), "zeros", "waited", "int32")  # rounds since the best one
        self.built = True

    @property
    def is_settled(self) -> bool:
        """Whether further rounds would be for nothing."""
        return self.memory == "surest" and int(self.waited) >= _PATIENCE

    def remember(self, rows, new, margin, wrong) -> bool:
        """Take up a round's weights, margins and errors of some rows.  [M] each

        Returns whether it did: "surest" passes over a round whose errors are not surer than those
        of all rounds before.
        """
        self.rounds.assign_add(1)
        sureness = float(margin[wrong].mean()) if wrong.any() else 0.0
        if self.memory == "surest" and int(self.rounds) > 1 and sureness <= float(self.sureness):
            self.waited.assign_add(1)
            return False
        self.sureness.assign(sureness)
        self.waited.assign(0)
        weights, margins, flags = (
            np.array(variable) for variable in (self.sample_weights, self.margins, self.flags)
        )
        weights[rows] = remembered(weights[rows], new, wrong, self.memory)
        margins[rows] = margin
        flags[rows] += wrong
        self.sample_weights.assign(weights)
        self.margins.assign(margins)
        self.flags.assign(flags)
        self.effective.assign(effective_sample_size(weights))
        return True


def judged(logits, labels, alpha: float, beta: float, flag_cap: float = 1.0):
    """New weights, the readout's margins, and whether it errs.  [N, C], [N] -> [N] each

    Args:
        logits: the readout's.
        labels: class numbers.
        alpha: as in `early_readout_weights`.
        beta: as in `early_readout_weights`.
        flag_cap: largest share of examples that may weigh more than 1, in (0, 1]; where more err,
            the surest errors do, and the others count as right.
    """
    margin, wrong = (np.asarray(value) for value in margins(logits, labels))
    most = int(flag_cap * len(wrong))
    if wrong.sum() > most:
        surest = np.argsort(np.where(wrong, -margin, np.inf), kind="stable")[:most]
        wrong = np.zeros_like(wrong)
        wrong[surest] = True
    weights = np.asarray(early_readout_weights(logits, labels, alpha, beta))
    return np.where(wrong, weights, np.float32(1)), margin, wrong


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


def effective_sample_size(weights) -> float:
    """(sum w)^2 / sum w^2: as many examples of equal weight tell as much.  [N] -> float"""
    weights = np.asarray(weights, "float64")
    return float(np.square(weights.sum()) / np.square(weights).sum())
