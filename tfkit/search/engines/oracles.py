"""Engines whose proposals come from Keras Tuner's oracles."""

import math
from abc import abstractmethod
from collections.abc import Mapping

import keras_tuner
import numpy as np
from keras_tuner.src.engine import trial as kt_trial

from tfkit.search.engines.base import Trial
from tfkit.search.engines.gaussian_process import GaussianProcessOracle
from tfkit.search.engines.journaled import JournaledEngine
from tfkit.search.space import hyperparameters

ALIKE = 1e-9  # values of a range that differ by less are one value, computed in two ways


class KerasTunerEngine(JournaledEngine):
    """Asks one of Keras Tuner's oracles. For the oracle every trial completes, some with the worst
    value; it keeps nothing on disk, since the journal brings it back.
    """

    usual: int | None = 10  # trials, where nobody says how many; None: as many as there are

    def begin(self) -> None:
        """Make the oracle. It is told of no number of trials, and so calls them as we do."""
        self.trials = self.usual if self.trials is None else self.trials
        self.oracle = self.make_oracle(
            objective=keras_tuner.Objective("objective", self.goal),
            seed=self.seed + 1,  # Keras Tuner takes 0 for "any seed"
            hyperparameters=self.hyperparameters(),
        )
        self.oracle.verbose = 0
        self.oracle.save = self.oracle._save_trial = keep_nothing

    def hyperparameters(self) -> keras_tuner.HyperParameters:
        """The space as the oracle sees it."""
        return hyperparameters(self.space, self.defaults)

    @abstractmethod
    def make_oracle(self, **options) -> keras_tuner.Oracle:
        """The oracle."""

    def propose(self, id: str) -> Trial | None:
        """Ask the oracle; where it has stopped, so has this engine."""
        # Keras Tuner hands one tuner the same trial until it has heard of it: each has its own
        trial = self.oracle.create_trial(f"tfkit-{id}")
        if trial.status == kt_trial.TrialStatus.STOPPED:
            self.exhausted = True
        if trial.status != kt_trial.TrialStatus.RUNNING:
            return None
        values = trial.hyperparameters.values
        return self.as_trial(id, {path: plain(value) for path, value in values.items()})

    def as_trial(self, id: str, values: dict) -> Trial:
        """The oracle's values as a trial."""
        return Trial(id, values)

    def adopt(self, trial: Trial) -> None:
        """Let the oracle believe that it had proposed the journal's values."""
        self.oracle.trials[trial.id].hyperparameters.values.update(trial.values)

    def learn(self, id: str, objective: float, failed: bool) -> None:
        """Tell the oracle."""
        trial = self.oracle.trials[id]
        self.oracle.update_trial(id, {"objective": objective})
        trial.status = kt_trial.TrialStatus.COMPLETED
        self.oracle.end_trial(trial)


class Random(KerasTunerEngine):
    """Independent draws from the space (Keras Tuner's RandomSearch).

    References: Bergstra and Bengio 2012, https://jmlr.org/papers/v13/bergstra12a.html
    """

    def make_oracle(self, **options) -> keras_tuner.Oracle:
        """Keras Tuner's oracle for random search."""
        return keras_tuner.oracles.RandomSearchOracle(max_trials=None, **options)


class Grid(KerasTunerEngine):
    """Every combination of the space once, or the first so many (Keras Tuner's GridSearch).

        choice, bool, int      all values
        with step s            lo, lo + s, …; with log lo, lo s, …
        float, or log int      without a step ten values, at 5 %, 15 %, … of the range

    The first combination is the recipe's own values; then the space's last path moves fastest, and
    each path goes from the recipe's own value through the others in order. The seed draws nothing.
    Trials may run in parallel and end in any order.

    References: O'Malley et al. 2019, https://github.com/keras-team/keras-tuner
    """

    usual = None

    def hyperparameters(self) -> keras_tuner.HyperParameters:
        """The space with its ranges written out, and no value of them twice."""
        ranges = {hp.name: hp for hp in super().hyperparameters().space}
        listed, defaults = dict(self.space), dict(self.defaults)
        for path, rule in self.space.items():
            if "float" in rule or "int" in rule:
                when = {"when": rule["when"]} if "when" in rule else {}
                listed[path] = {"choice": written_out(ranges[path]), **when}
                defaults.pop(path, None)  # it is the first one
        return hyperparameters(listed, defaults)

    def make_oracle(self, **options) -> keras_tuner.Oracle:
        """Keras Tuner's oracle for grid search."""
        return keras_tuner.oracles.GridSearchOracle(**options)

    def propose(self, id: str) -> Trial | None:
        """The next combination; the oracle would wait for this one to end before it names another,
        because in Keras Tuner a trial may add to the space.
        """
        trial = super().propose(id)
        if trial is None:
            self.exhausted = True
        else:
            self.oracle._populate_next.append(id)
        return trial

    def adopt(self, trial: Trial) -> None:
        """The oracle goes on from the combination in its own digits."""


class Bayesian(KerasTunerEngine):
    """Gaussian process over the space, asked where it might be best (Keras Tuner's
    BayesianOptimization).

        score ~ GP(Matern 5/2 + alpha I)      next = argmin_x  mean(x) - beta sd(x)

    The first trials are random. Running trials count with mean + sd, so that several at once
    differ; a parameter that a trial does not have counts with its default. One proposal takes half
    a second.

    Args:
        num_initial_points: random trials before the first fit, >= 1; null: three per path.
        alpha: noise of the objective as a share of its variance, > 0; Keras Tuner's default.
        beta: weight of exploration, >= 0; Keras Tuner's default.
    References: Snoek et al. 2012, arXiv:1206.2944; Srinivas et al. 2010, arXiv:0912.3995.
    """

    def __init__(
        self,
        terms,
        *,
        num_initial_points: int | None = None,
        alpha: float = 1e-4,
        beta: float = 2.6,
    ):
        if num_initial_points is not None and num_initial_points < 1:
            raise ValueError(f"num_initial_points must be >= 1, got {num_initial_points}.")
        if alpha <= 0:
            raise ValueError(f"alpha must be > 0, got {alpha}.")
        if beta < 0:
            raise ValueError(f"beta must be >= 0, got {beta}.")
        self.num_initial_points, self.alpha, self.beta = num_initial_points, alpha, beta
        super().__init__(terms)

    def options(self) -> dict:
        """Part of the search's identity."""
        names = ("num_initial_points", "alpha", "beta")
        return {name: getattr(self, name) for name in names}

    def make_oracle(self, **options) -> keras_tuner.Oracle:
        """Keras Tuner's oracle, with a memory."""
        return GaussianProcessOracle(max_trials=None, **self.options(), **options)

    def memo(self) -> dict:
        """What the oracle supposed of the trials that were running."""
        return {"supposed": self.oracle.supposed} if self.oracle.supposed else {}

    def recall(self, trial: Trial, line: Mapping) -> None:
        """Draw the same random numbers, and leave out what takes time: the fit and its optimum."""
        self.oracle.recalled = {"values": trial.values, "supposed": line.get("supposed", {})}
        try:
            super().recall(trial, line)
        finally:
            self.oracle.recalled = None


def written_out(hp) -> list:
    """The values of a range, its default first, without those that differ from it by a rounding."""
    number = type(hp.min_value)
    values = [number(value) for value in (sorted(hp.values) if hp.step is None else stepped(hp))]
    near = ALIKE * (hp.max_value - hp.min_value)
    first = number(hp.default)
    return [first, *(v for v in values if not math.isclose(v, first, abs_tol=near))]


def stepped(hp) -> list:
    """All values from the lowest to the highest; Keras Tuner rounds the number of steps down, and
    so loses the highest of [0, 1] by 0.1.
    """
    low, high, step = hp.min_value, hp.max_value, hp.step
    steps = math.log(high / low, step) if hp.sampling == "log" else (high - low) / step
    numbers = range(math.floor(steps + ALIKE) + 1)
    exact = (low * step**k if hp.sampling == "log" else low + step * k for k in numbers)
    return [float(f"{value:.12g}") for value in exact]  # 0.3, not 0.30000000000000004


def keep_nothing(*_) -> None:
    """Instead of an oracle's saving."""


def plain(value):
    """A NumPy number as Python's own: recipes and journals know no other."""
    return value.item() if isinstance(value, np.generic) else value
