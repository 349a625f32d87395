"""Engines propose trials. An executor runs them; the two know nothing of each other."""

import math
import shutil
import tempfile
import weakref
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Literal, NamedTuple

import keras_tuner
from keras_tuner.src.engine import trial as kt_trial

from tfkit import catalog
from tfkit.errors import TfkitError, UsageError
from tfkit.search.journal import Journal
from tfkit.search.space import hyperparameters

Status = Literal["completed", "failed", "diverged", "pruned"]
MISSING = 1e30  # what an engine hears when every trial so far has failed


class Trial(NamedTuple):
    """One proposal: `id`, four digits in order of asking, and the `values` by dotted path."""

    id: str
    values: dict


class Engine(ABC):
    """Asks for trials and is told what became of them; goes on where its directory stopped.

    Args:
        space: dotted path -> distribution, as in the recipe.
        trials: how many to ask for at the most.
        seed: of the proposals; equal seeds propose equal trials.
        directory: where the journal lies.
        goal: whether the objective is to be small or large.
        defaults: the recipe's own values by path.
    """

    def __init__(self, space, *, trials, seed, directory, goal, defaults):
        if goal not in ("min", "max"):
            raise ValueError(f"Engine: goal must be 'min' or 'max', got {goal!r}.")
        self.space, self.trials, self.seed, self.goal = space, trials, seed, goal
        self.defaults = defaults
        self.values: dict[str, dict] = {}
        self.told: dict[str, tuple[Status, float | None]] = {}
        self.exhausted = False
        self.handed_out: set[str] = set()
        self.begin()
        about = {"engine": type(self).__name__, "seed": seed, "goal": goal, "space": dict(space)}
        self.journal = Journal(Path(directory) / "journal.jsonl", about)
        for event in list(self.journal.events[1:]):
            self._replay(event)

    @abstractmethod
    def begin(self) -> None:
        """Make the fresh proposer."""

    @abstractmethod
    def propose(self, id: str) -> dict | None:
        """Values of a new trial; None: nothing more, or nothing now."""

    @abstractmethod
    def learn(self, id: str, objective: float, failed: bool) -> None:
        """Hear the outcome of a trial."""

    @property
    def done(self) -> bool:
        """Whether all trials are asked and told."""
        return not self.open() and (self.exhausted or len(self.values) >= self.trials)

    def open(self) -> list[str]:
        """Trials that were asked and never told: a killed process left them."""
        return [id for id in self.values if id not in self.told]

    def ask(self) -> Trial | None:
        """The next trial; one that an earlier process left open comes first, unchanged."""
        for id in self.open():
            if id not in self.handed_out:
                return self._hand_out(id)
        if self.exhausted or len(self.values) >= self.trials:
            return None
        id = f"{len(self.values):04d}"
        values = self.propose(id)
        if values is None:
            return None
        self.values[id] = values
        self.journal.append({"ask": id, "values": values})
        return self._hand_out(id)

    def tell(self, id: str, objective: float | None, *, status: Status = "completed") -> None:
        """Report what became of a trial.

        A trial that did not complete never wins: the engine hears the worst value so far.
        """
        if id not in self.values or id in self.told:
            raise UsageError(f"Engine: trial {id} is not open; open are {self.open()}.")
        if status == "completed" and not (objective is not None and math.isfinite(objective)):
            status = "diverged"
        self.journal.append({"tell": id, "status": status, "objective": objective})
        self._hear(id, objective, status)

    def should_prune(self, id: str, step: int, value: float) -> bool:
        """Whether a running trial is not worth going on with; the engines here never prune."""
        return False

    def _hand_out(self, id: str) -> Trial:
        self.handed_out.add(id)
        return Trial(id, dict(self.values[id]))

    def _hear(self, id: str, objective: float | None, status: Status) -> None:
        failed = status != "completed"
        self.learn(id, self.worst() if failed else objective, failed)
        self.told[id] = (status, objective)

    def worst(self) -> float:
        """The worst objective of a completed trial so far."""
        done = [value for status, value in self.told.values() if status == "completed"]
        if self.goal == "max":
            return min(done, default=-MISSING)
        return max(done, default=MISSING)

    def _replay(self, event: dict) -> None:
        if "tell" in event:
            return self._hear(event["tell"], event["objective"], event["status"])
        if (values := self.propose(event["ask"])) != event["values"]:
            raise TfkitError(
                f"{self.journal.path}: trial {event['ask']} was {event['values']}, but the engine "
                f"now proposes {values}; was another version of Keras Tuner at work?"
            )
        self.values[event["ask"]] = values
        return None


class KerasTunerEngine(Engine):
    """An engine whose proposals come from one of Keras Tuner's oracles."""

    def begin(self) -> None:
        """Make the oracle, with a folder of its own to write to, which nobody reads."""
        self.oracle_trials: dict[str, kt_trial.Trial] = {}
        self.scratch = tempfile.mkdtemp(prefix="tfkit-oracle-")
        weakref.finalize(self, shutil.rmtree, self.scratch, ignore_errors=True)
        self.oracle = self.make_oracle(
            objective=keras_tuner.Objective("objective", self.goal),
            max_trials=self.trials,
            seed=self.seed + 1,  # Keras Tuner takes 0 for "any seed"
            hyperparameters=hyperparameters(self.space, self.defaults),
        )
        self.oracle.verbose = 0
        self.oracle._set_project_dir(self.scratch, "oracle")

    @abstractmethod
    def make_oracle(self, **options) -> keras_tuner.Oracle:
        """The oracle."""

    def propose(self, id: str) -> dict | None:
        """Ask the oracle; where it has stopped, so has this engine."""
        # Keras Tuner hands one tuner the same trial until it has heard of it: each has its own
        trial = self.oracle.create_trial(f"tfkit-{id}")
        if trial.status == kt_trial.TrialStatus.STOPPED:
            self.exhausted = True
        if trial.status != kt_trial.TrialStatus.RUNNING:
            return None
        self.oracle_trials[id] = trial
        return dict(trial.hyperparameters.values)

    def learn(self, id: str, objective: float, failed: bool) -> None:
        """Tell the oracle; for it every trial has completed, some with the worst value."""
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
        return keras_tuner.oracles.RandomSearchOracle(**options)


def make_engine(
    kind: str, space, *, trials=10, seed=0, directory, goal="min", defaults=None, **options
) -> Engine:
    """The engine called `kind`; a directory with a journal goes on where that stopped.

    Args:
        kind: a name that `tfkit list engine` shows: "random".
        space: dotted path -> distribution, as in the recipe.
        trials: how many to ask for at the most.
        seed: tfkit's seed s is Keras Tuner's s + 1.
        directory: where the journal lies.
        goal: "min" or "max".
        defaults: the recipe's own values by path.
        options: of the engine.
    """
    entry = catalog.find("engine", kind)
    if entry is None:
        known = ", ".join(entry.name for entry in catalog.load().of("engine"))
        raise UsageError(f"search.engine: there is no engine {kind!r}; there are: {known}.")
    engine = catalog.resolve(entry)
    return engine(
        space,
        trials=trials,
        seed=seed,
        directory=directory,
        goal=goal,
        defaults=defaults,
        **options,
    )
