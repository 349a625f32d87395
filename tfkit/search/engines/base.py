"""What every engine is: something that proposes trials and is told what became of them."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from tfkit.errors import UsageError

Status = Literal["completed", "failed", "diverged", "pruned"]
MISSING = 1e30  # what an engine hears when every trial so far has failed


class Trial(NamedTuple):
    """One proposal.

    Args:
        id: four digits in order of asking.
        values: by dotted path.
        budget: how much of the resource (steps or epochs) to train it for; None: all.
        origin: the trial whose checkpoint it goes on from, if any.
    """

    id: str
    values: dict
    budget: int | None = None
    origin: str | None = None


class Told(NamedTuple):
    """What became of a trial; `about` is whatever else was said of it (seconds, error, curve)."""

    status: Status
    objective: float | None
    about: dict


class Terms(NamedTuple):
    """What every engine is given.

    Args:
        space: dotted path -> distribution, as in the recipe.
        trials: how many to ask for at the most; None: as many as the engine has.
        seed: of the proposals; equal seeds propose equal trials.
        directory: where the engine's memory lies.
        goal: whether the objective is to be small or large, "min" or "max".
        defaults: the recipe's own values by path.
        objective: what the told numbers are called; a resumed search must have the same.
        work: what else the search must agree on, such as a digest of the recipe.
    """

    space: dict
    trials: int | None
    seed: int
    directory: Path
    goal: str
    defaults: dict
    objective: str
    work: str = ""


class Engine(ABC):
    """Asks for trials and is told what became of them; goes on where its directory stopped.

    Args:
        terms: what every engine is given.
    """

    shared = False  # whether several living processes may work on one search
    prunes = False  # whether it wants to hear the objective of running trials
    promotes = False  # whether trials go on from other trials' checkpoints
    resource: str | None = None  # what budgets are counted in: "steps" or "epochs"

    def __init__(self, terms):
        if terms.goal not in ("min", "max"):
            raise UsageError(f"search.goal: must be min or max, got {terms.goal!r}.")
        self.space, self.trials, self.seed = terms.space, terms.trials, terms.seed
        self.directory, self.goal = terms.directory, terms.goal
        self.defaults, self.objective = terms.defaults, terms.objective
        self.work = terms.work
        self.asked: dict[str, Trial] = {}
        self.told: dict[str, Told] = {}

    def identity(self) -> dict:
        """What a search must agree on to be the same search; more trials make no other one."""
        return {
            "engine": type(self).__name__,
            "seed": self.seed,
            "objective": self.objective,
            "goal": self.goal,
            "space": self.space,
            "defaults": self.defaults,
            **({"work": self.work} if self.work else {}),
            **self.options(),
        }

    def options(self) -> dict:
        """Options of this kind of engine that are part of the search's identity."""
        return {}

    @staticmethod
    def filled(options: Mapping, train: Mapping) -> dict:
        """The options of a recipe, with what its `train` section says where they say nothing."""
        return dict(options)

    @property
    @abstractmethod
    def done(self) -> bool:
        """Whether all trials are asked and told."""

    @abstractmethod
    def ask(self) -> Trial | None:
        """The next trial; one that a dead process left open comes first, unchanged.

        None: nothing to ask now. It is the end only where `done` says so: until then a running
        trial may give reason for another.
        """

    @abstractmethod
    def tell(
        self,
        id: str,
        objective: float | None,
        *,
        status: Status = "completed",
        about: Mapping | None = None,
    ) -> None:
        """Report what became of a trial.

        A trial that did not complete never wins: the engine hears the worst value so far, and what
        its objective last was is kept to be shown.

        Args:
            id: of the trial.
            objective: its value; may be None, or the last finite one, where it did not complete.
            status: how it ended; a completed trial without a finite value counts as diverged.
            about: what else is worth keeping, as JSON values: seconds, error, curve.
        Raises `UsageError` where the trial is not open, or the status is none.
        """

    def should_prune(self, id: str, step: int, value: float) -> bool:
        """Whether a running trial is not worth going on with; most engines never prune."""
        return False

    def close(self) -> None:  # noqa: B027  (most engines hold nothing)
        """Let go of what is held, so that another process may go on at once."""

    @abstractmethod
    def release(self, id: str) -> None:
        """Take back a trial that was asked and could not be worked on; it is asked again."""

    def open(self) -> list[str]:
        """Trials that were asked and never told."""
        return [id for id in self.asked if id not in self.told]

    def worst(self) -> float:
        """The worst objective of a completed trial so far."""
        done = [told.objective for told in self.told.values() if told.status == "completed"]
        if self.goal == "max":
            return min(done, default=-MISSING)
        return max(done, default=MISSING)

    def judged(self, id: str, objective: float | None, status: Status) -> Status:
        """The status that a trial really ended with; refuses one that is none, and a trial that is
        not open.
        """
        if status not in get_args(Status):
            known = ", ".join(get_args(Status))
            raise UsageError(f"search: a trial ends as one of {known}, not as {status!r}.")
        if id not in self.asked or id in self.told:
            raise UsageError(f"search: trial {id} is not open; open are {self.open()}.")
        finite = objective is not None and math.isfinite(objective)
        return "diverged" if status == "completed" and not finite else status


def refuse_another(place, before: Mapping, now: Mapping, cure: str = "Start a new run") -> None:
    """Raise a `UsageError` with what differs between the search in `place` and this one, and what
    to do about it.
    """
    different = [key for key in {**before, **now} if before.get(key) != now.get(key)]
    if different:
        changes = "\n".join(f"  {k}: {before.get(k)!r} → {now.get(k)!r}" for k in different)
        raise UsageError(
            f"{place} holds another search; it differs from this one in\n{changes}\n"
            f"{cure}, or undo the change (the number of trials may change)."
        )
