"""One search in an Optuna storage: its identity, its trials, what was told of them."""

import time

import optuna
from optuna.exceptions import DuplicatedStudyError, UpdateFinishedTrialError
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from tfkit.search.engines.base import Told
from tfkit.search.engines.holder import Holder
from tfkit.search.engines.leases import first_lease

IDENTITY = "tfkit"  # the study's attribute that says which search it is
IDENTITY_SECONDS = 10.0  # that a study's creator has to say so
VALUES, TOLD = "values", "told"  # attributes of its trials


class SharedStudy:
    """A study that several processes create, read and write.

    Args:
        storage: where it lies.
        name: of the study.
        goal: "min" or "max".
    """

    Ended = UpdateFinishedTrialError  # what writing to a trial raises that another process told

    def __init__(self, storage: BaseStorage, name: str, goal: str):
        self.storage, self.name = storage, name
        direction = "maximize" if goal == "max" else "minimize"
        try:
            optuna.create_study(storage=storage, study_name=name, direction=direction)
            self.is_new = True
        except DuplicatedStudyError:
            self.is_new = False
        self.id = storage.get_study_id_from_name(name)

    def claimed(self, identity: dict) -> dict:
        """Which search the study holds: `identity`, where it is new.

        Of several processes one creates a study; the others wait until it has said what it is for.
        """
        end = time.monotonic() + (0 if self.is_new else IDENTITY_SECONDS)
        while IDENTITY not in (known := self.storage.get_study_user_attrs(self.id)):
            if time.monotonic() >= end:  # or its creator died before it had said so
                self.storage.set_study_user_attr(self.id, IDENTITY, identity)
            else:
                time.sleep(0.05)
        return known[IDENTITY]

    def trials(self) -> list[FrozenTrial]:
        """All trials in the order of their numbers, to be read only."""
        trials = self.storage.get_all_trials(self.id, deepcopy=False)
        return sorted(trials, key=lambda trial: trial.number)

    def trial(self, trial_id: int) -> FrozenTrial:
        """One trial as it is now."""
        return self.storage.get_trial(trial_id)

    def create(self, holder: Holder) -> FrozenTrial:
        """A new trial without values, which says from the first moment whose it is."""
        new = optuna.trial.create_trial(state=TrialState.RUNNING, user_attrs=first_lease(holder))
        return self.trial(self.storage.create_new_trial(self.id, new))

    def open(self, trial_id: int, sampler, pruner) -> optuna.trial.Trial:
        """A trial to draw values for and to report to."""
        if self.trial(trial_id).state == TrialState.WAITING:  # somebody enqueued it by hand
            self.storage.set_trial_state_values(trial_id, TrialState.RUNNING)
        study = optuna.load_study(
            study_name=self.name, storage=self.storage, sampler=sampler, pruner=pruner
        )
        return optuna.trial.Trial(study, trial_id)

    def values(self, trial: FrozenTrial) -> dict | None:
        """A trial's values by path; None while they are being drawn."""
        return trial.user_attrs.get(VALUES)

    def set_values(self, trial: optuna.trial.Trial, values: dict) -> None:
        """All values are drawn."""
        trial.set_user_attr(VALUES, values)

    def told(self, trial: FrozenTrial) -> Told:
        """What became of a finished trial."""
        if TOLD in trial.user_attrs:
            return Told(**trial.user_attrs[TOLD])
        return Told("completed" if trial.value is not None else "failed", trial.value, {})

    def tell(self, trial: optuna.trial.Trial, told: Told, worst: float) -> None:
        """End a trial; where another process was first, nothing happens.

        For Optuna a trial is complete or pruned: it would learn nothing from failed ones, so they
        are complete with the worst value so far.
        """
        try:
            trial.set_user_attr(TOLD, told._asdict())
            if told.status == "pruned":
                trial.study.tell(trial, state=TrialState.PRUNED)
            else:
                value = told.objective if told.status == "completed" else worst
                trial.study.tell(trial, float(value))
        except (self.Ended, ValueError):
            if not self.trial(trial._trial_id).state.is_finished():
                raise

    def close(self) -> None:
        """Give a connection back."""
        self.storage.remove_session()
