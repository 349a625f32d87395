"""Leases in a database, for processes that share nothing else."""

from pathlib import Path

from optuna.exceptions import DuplicatedStudyError
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial

from tfkit.search.engines.holder import Holder
from tfkit.search.engines.leases import FileLeases, Lease, Leases
from tfkit.search.engines.storage import is_url

RELEASED = "released"


class StorageLeases(Leases):
    """Leases as attributes `lease.<generation>` of the trials in an Optuna storage.

    A storage gives a name to one study alone, which makes a lease exclusive: taking a trial over
    begins with creating the study "<search>: trial <number>, lease <generation>", which stays
    empty. The heartbeat is a number that grows; how long it has not is watched by each process
    itself.
    """

    def __init__(self, seconds: float, storage: BaseStorage, study: str):
        super().__init__(seconds)
        self.storage, self.study = storage, study
        self.claimed: dict[int, int] = {}  # by others who have not said so in the trial yet
        self.beats = 0

    def newest(self, trial: FrozenTrial) -> Lease:
        """The attribute of the highest generation."""
        generation = max(generations(trial), default=-1)
        known = trial.user_attrs.get(f"lease.{generation}") or {"beat": None}
        taken = self.claimed.get(trial.number, -1)
        age = self.watched(trial.number, (generation, known["beat"], taken))
        if taken > generation:
            return Lease(taken, None, age)
        if known["beat"] == RELEASED:
            age = float("inf")
        return Lease(generation, Holder(**known["holder"]) if generation >= 0 else None, age)

    def create(self, trial: FrozenTrial, generation: int) -> bool:
        """A study's name is given once; generation 0 came with the trial itself."""
        if generation > 0:
            try:
                name = self.name(trial.number, generation)
                self.storage.create_new_study([StudyDirection.MINIMIZE], name)
            except DuplicatedStudyError:
                self.claimed[trial.number] = generation
                return False
        self.write(trial._trial_id, generation, 0)
        return True

    def name(self, number: int, generation: int) -> str:
        """The study that stands for a lease."""
        return f"{self.study}: trial {number:04d}, lease {generation}"

    def write(self, trial_id: int, generation: int, beat) -> None:
        """Say in the trial who has it."""
        state = {"holder": self.me._asdict(), "beat": beat}
        self.storage.set_trial_user_attr(trial_id, f"lease.{generation}", state)

    def beat(self, number: int) -> None:
        """A higher number."""
        self.beats += 1
        generation, trial_id = self.held[number]
        self.write(trial_id, generation, self.beats)

    def release(self, number: int) -> None:
        """A word in place of the number."""
        generation, trial_id = self.held[number]
        self.write(trial_id, generation, RELEASED)

    def remove(self, number: int) -> None:
        """Delete the empty studies; the attributes stay as a record."""
        for generation in range(1, self.held[number][0] + 1):
            try:
                study = self.storage.get_study_id_from_name(self.name(number, generation))
            except KeyError:
                continue
            self.storage.delete_study(study)

    def keep_alive(self) -> None:
        """The thread has a connection of its own, which ends with it."""
        super().keep_alive()
        self.storage.remove_session()


def generations(trial: FrozenTrial) -> list[int]:
    """The generations of a trial's leases."""
    names = [name for name in trial.user_attrs if name.startswith("lease.")]
    return [int(name.partition(".")[2]) for name in names]


def leases_for(place: str, storage: BaseStorage, study: str, seconds: float) -> Leases:
    """Leases that all who reach a storage see: beside a journal, or in a database."""
    if is_url(place):
        return StorageLeases(seconds, storage, study)
    return FileLeases(seconds, Path(f"{place}.leases").expanduser() / study)
