"""Callbacks that a recipe may name. A chunk of `save_every` steps is their epoch.

Each remembers in plain JSON values (`get_state`, `set_state`), so that an interrupted run goes on
with the same memory: Keras wipes its own callbacks whenever `fit` begins.
"""

import math
from abc import ABC, abstractmethod
from typing import Literal

import keras


class Watcher(keras.callbacks.Callback, ABC):
    """Watches one value of each chunk and remembers the best and how long ago it was.

    Args:
        monitor: a name that the chunk reports: one of the model's logs or `valid/…`.
        goal: whether smaller or larger is better.
        patience: chunks without improvement after which it acts, >= 1.
        min_delta: an improvement smaller than this does not count, >= 0.
    """

    def __init__(
        self,
        monitor: str = "loss",
        goal: Literal["min", "max"] = "min",
        patience: int = 3,
        min_delta: float = 0.0,
    ):
        super().__init__()
        if goal not in ("min", "max"):
            raise ValueError(f"{type(self).__name__}: goal must be 'min' or 'max', got {goal!r}.")
        for word, value, least in (("patience", patience, 1), ("min_delta", min_delta, 0)):
            if value < least:
                raise ValueError(f"{type(self).__name__}: {word} must be >= {least}, got {value}.")
        self.monitor = monitor
        self.sign = 1.0 if goal == "max" else -1.0
        self.patience = patience
        self.min_delta = min_delta
        self.best = None
        self.waited = 0
        self.improved = False

    def get_state(self) -> dict:
        """What must survive an interruption."""
        return {"best": self.best, "waited": self.waited}

    def set_state(self, state: dict) -> None:
        """Take up the memory that `get_state` gave."""
        self.best, self.waited = state["best"], state["waited"]

    def on_epoch_end(self, epoch, logs=None):
        """Compare this chunk's value with the best so far."""
        if self.monitor not in (logs or {}):
            raise ValueError(
                f"{type(self).__name__}: monitor {self.monitor!r} is not reported; "
                f"reported are {', '.join(sorted(logs or {}))}."
            )
        value = float(logs[self.monitor])
        gain = math.inf if self.best is None else self.sign * (value - self.best)
        self.improved = gain > self.min_delta
        if self.improved:
            self.best, self.waited = value, 0
        else:
            self.waited += 1
            if self.waited >= self.patience:
                self.out_of_patience()

    @abstractmethod
    def out_of_patience(self):
        """What to do after `patience` chunks without improvement."""


class EarlyStopping(Watcher):
    """Ends training when a value has not improved for `patience` chunks of `save_every` steps.

        stop after chunk c  if  best over chunks c-patience+1 … c  does not beat the best before

    Args:
        monitor: a name that the chunk reports: one of the model's logs or `valid/…`.
        goal: whether smaller or larger is better.
        patience: chunks without improvement after which it acts, >= 1.
        min_delta: an improvement smaller than this does not count, >= 0.
        restore_best: the final weights are those of the best chunk instead of the last.
    References: Prechelt 1998, https://doi.org/10.1007/3-540-49430-8_3
    """

    def __init__(
        self,
        monitor: str = "loss",
        goal: Literal["min", "max"] = "min",
        patience: int = 3,
        min_delta: float = 0.0,
        restore_best: bool = False,
    ):
        super().__init__(monitor, goal, patience=patience, min_delta=min_delta)
        self.restore_best = restore_best

    def out_of_patience(self):
        """Stop."""
        self.model.stop_training = True


class KeepBest(Watcher):
    """Trains to the end and gives back the weights of the chunk with the best value.

        weights = those after chunk c,    c = argmax over chunks of (± monitor), the first of equals

    Args:
        monitor: a name that the chunk reports: one of the model's logs or `valid/…`.
        goal: whether smaller or larger is better.
    References: the rule of Keras' ModelCheckpoint(save_best_only=True),
        https://keras.io/api/callbacks/model_checkpoint
    """

    restore_best = True

    def __init__(self, monitor: str = "loss", goal: Literal["min", "max"] = "min"):
        super().__init__(monitor, goal)

    def out_of_patience(self):
        """Nothing: it never ends a training."""


class ReduceOnPlateau(Watcher):
    """Multiplies the learning rate by `factor` when a value has stopped improving.

        rate <- max(rate * factor, minimum)   after `patience` chunks without improvement

    Args:
        monitor: a name that the chunk reports: one of the model's logs or `valid/…`.
        goal: whether smaller or larger is better.
        patience: chunks without improvement after which it acts, >= 1.
        min_delta: an improvement smaller than this does not count, >= 0.
        factor: what the rate is multiplied by, in (0, 1).
        minimum: the rate never falls below this, >= 0.
    References: the rule of Keras' ReduceLROnPlateau, https://keras.io/api/callbacks/reduce_lr_on_plateau
    """

    def __init__(
        self,
        monitor: str = "loss",
        goal: Literal["min", "max"] = "min",
        patience: int = 3,
        min_delta: float = 0.0,
        factor: float = 0.1,
        minimum: float = 0.0,
    ):
        super().__init__(monitor, goal, patience=patience, min_delta=min_delta)
        if not 0 < factor < 1 or minimum < 0:
            raise ValueError(
                "ReduceOnPlateau: factor must lie between 0 and 1 and minimum must not be "
                f"negative, got {factor} and {minimum}."
            )
        self.factor = factor
        self.minimum = minimum

    def out_of_patience(self):
        """Lower the rate, and give it `patience` chunks to show."""
        rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        self.model.optimizer.learning_rate = max(rate * self.factor, self.minimum)
        self.waited = 0
