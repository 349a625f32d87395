"""Keras Tuner's Bayesian oracle, so that a resumed search need not fit again what it has fitted."""

import warnings

import keras_tuner
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from tfkit.search.engines.base import MISSING

STARTS = 50  # of the acquisition's optimiser, as Keras Tuner draws them


class GaussianProcessOracle(keras_tuner.oracles.BayesianOptimizationOracle):
    """A proposal depends on the outcomes so far, on two random states, and, where trials are
    running, on what the previous fit supposed of these. The first two come back by going through
    the journal; the suppositions stand in it. So recalling a proposal needs neither its fit nor
    the search for its optimum, which take half a second each time.

    Args:
        options: of Keras Tuner's oracle.
    """

    def __init__(self, **options):
        super().__init__(**options)
        self.recalled: dict | None = None  # the proposal that is being recalled
        self.supposed: dict[str, float] = {}  # of running trials, at the latest proposal
        self.unfitted: tuple | None = None  # points and scores of a recalled fit, until it is asked

    def populate_space(self, trial_id: str) -> dict:
        """Random values at first, then the optimum of the fit, or what is recalled of it."""
        self.supposed = {}
        if self.recalled is None or self.draws():
            # one thread: matrices are small, and digits must not depend on the processors
            with warnings.catch_warnings(), threadpool_limits(1):
                warnings.simplefilter("ignore", ConvergenceWarning)
                found = super().populate_space(trial_id)
            self.unfitted = None
            return found
        bounds = self._get_hp_bounds()
        self._random_state.uniform(bounds[:, 0], bounds[:, 1], size=(STARTS, len(bounds)))
        self.unfitted = self._vectorize_trials()
        return {"status": "RUNNING", "values": dict(self.recalled["values"])}

    def draws(self) -> bool:
        """Whether there are too few outcomes for a fit."""
        completed = sum(trial.status == "COMPLETED" for trial in self.trials.values())
        wanted = self.num_initial_points or max(3 * len(self.hyperparameters.space), 3)
        return completed < wanted

    def _vectorize_trials(self) -> tuple[np.ndarray, np.ndarray]:
        """Points in the unit cube [N, D] and scores to be made small [N]."""
        running = {trial.trial_id for trial in self.ongoing_trials.values()}
        points = {id: self.point(trial) for id, trial in self.trials.items()}
        sign = -1 if self.objective.direction == "max" else 1
        told = {id: sign * t.score for id, t in self.trials.items() if id not in running}
        real = [score for score in told.values() if score < MISSING]
        # failed before anything completed: now there is a worst value to count them with
        scores = {id: min(score, max(real, default=0.0)) for id, score in told.items()}
        for id in self.trials:
            if id in running:
                self.supposed[id] = scores[id] = self.suppose(id, points[id])
        x = np.array([points[id] for id in self.trials])
        return x, np.array([scores[id] for id in self.trials])

    def suppose(self, id: str, point: list[float]) -> float:
        """A pessimistic guess of a running trial by the previous fit."""
        if self.recalled is not None:
            return self.recalled["supposed"][id]
        if self.unfitted is not None:
            self.gpr.fit(*self.unfitted)
            self.unfitted = None
        mean, sd = self.gpr.predict(np.array([point]), return_std=True)
        return float(np.ravel(mean)[0] + np.ravel(sd)[0])  # before the first fit sd has no axis

    def point(self, trial) -> list[float]:
        """A trial in the unit cube; a parameter that it does not have counts with its default."""
        values = trial.hyperparameters.values
        return [hp.value_to_prob(values.get(hp.name, hp.default)) for hp in self._nonfixed_space()]
