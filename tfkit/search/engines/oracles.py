"""Engines whose proposals come from Keras Tuner's oracles."""

import shutil
import tempfile
import weakref
from abc import abstractmethod

import keras_tuner
from keras_tuner.src.engine import trial as kt_trial

from tfkit.search.engines.base import Trial
from tfkit.search.engines.journaled import JournaledEngine
from tfkit.search.space import hyperparameters


class KerasTunerEngine(JournaledEngine):
    """Asks one of Keras Tuner's oracles. For the oracle every trial completes, some with the worst
    value; it keeps nothing on disk, since the journal brings it back.
    """

    def begin(self) -> None:
        """Make the oracle, with a folder of its own to write to, which nobody reads."""
        self.oracle_trials: dict[str, kt_trial.Trial] = {}
        self.scratch = tempfile.mkdtemp(prefix="tfkit-oracle-")
        weakref.finalize(self, shutil.rmtree, self.scratch, ignore_errors=True)
        self.oracle = self.make_oracle(
            objective=keras_tuner.Objective("objective", self.goal),
            seed=self.seed + 1,  # Keras Tuner takes 0 for "any seed"
            hyperparameters=hyperparameters(self.space, self.defaults),
        )
        self.oracle.verbose = 0
        self.oracle._set_project_dir(self.scratch, "oracle")

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
        self.oracle_trials[id] = trial
        return self.as_trial(id, dict(trial.hyperparameters.values))

    def as_trial(self, id: str, values: dict) -> Trial:
        """The oracle's values as a trial."""
        return Trial(id, values)

    def adopt(self, trial: Trial) -> None:
        """Let the oracle believe that it had proposed the journal's values."""
        self.oracle_trials[trial.id].hyperparameters.values.update(trial.values)

    def learn(self, id: str, objective: float, failed: bool) -> None:
        """Tell the oracle."""
        trial = self.oracle_trials[id]
        self.oracle.update_trial(trial.trial_id, {"objective": objective})
        trial.status = kt_trial.TrialStatus.COMPLETED
        self.oracle.end_trial(trial)


class Random(KerasTunerEngine):
    """Independent draws from the space (Keras Tuner's RandomSearch).

    References: Bergstra and Bengio 2012, https://jmlr.org/papers/v13/bergstra12a.html
    """

    def make_oracle(self, **options) -> keras_tuner.Oracle:
        """Keras Tuner's oracle for random search."""
        return keras_tuner.oracles.RandomSearchOracle(max_trials=self.trials or 10, **options)
