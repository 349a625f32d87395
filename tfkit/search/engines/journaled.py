"""Engines of one process that remember by a journal of questions and answers."""

import math
from abc import abstractmethod
from collections.abc import Mapping

from tfkit.search.engines.base import Engine, Status, Told, Trial, refuse_another
from tfkit.search.journal import Journal


class JournaledEngine(Engine):
    """A deterministic proposer, brought back by telling it again what it was told before."""

    def __init__(self, terms):
        super().__init__(terms)
        self.exhausted = False
        self.handed_out: set[str] = set()
        self.begin()
        self.journal = Journal(self.directory / "journal.jsonl", self.identity())
        refuse_another(self.directory, self.journal.events[0]["search"], self.identity())
        for event in list(self.journal.events[1:]):
            self._replay(event)

    @abstractmethod
    def begin(self) -> None:
        """Make the fresh proposer."""

    @abstractmethod
    def propose(self, id: str) -> Trial | None:
        """A new trial; None: nothing more (then `exhausted` is set), or nothing now."""

    @abstractmethod
    def adopt(self, trial: Trial) -> None:
        """Take a trial of the journal as it is, although `propose` came to another one."""

    @abstractmethod
    def learn(self, id: str, objective: float, failed: bool) -> None:
        """Hear the outcome of a trial."""

    def memo(self) -> dict:
        """What the journal's line of the latest proposal holds besides, to recall it quickly."""
        return {}

    def recall(self, trial: Trial, line: Mapping) -> None:
        """Bring the proposer to where it was when it had proposed a trial of the journal."""
        if self.propose(trial.id) != trial:
            self.adopt(trial)  # another processor or library may differ in a last digit

    @property
    def done(self) -> bool:
        """Whether all trials are asked and told."""
        return not self.open() and self.asked_all()

    def asked_all(self) -> bool:
        """Whether there is nothing new to ask, now or later."""
        full = self.trials is not None and len(self.asked) >= self.trials
        return self.exhausted or full

    def ask(self) -> Trial | None:
        """The next trial; one that an earlier process left open comes first, unchanged."""
        for id in self.open():
            if id not in self.handed_out:
                return self._hand_out(id)
        if self.asked_all():
            return None
        trial = self.propose(f"{len(self.asked):04d}")
        if trial is None:
            return None
        self.asked[trial.id] = trial
        self.journal.append({"ask": trial.id, **_described(trial), **self.memo()})
        return self._hand_out(trial.id)

    def tell(
        self,
        id: str,
        objective: float | None,
        *,
        status: Status = "completed",
        about: Mapping | None = None,
    ) -> None:
        """Report what became of a trial."""
        status = self.judged(id, objective, status)
        if objective is not None and not math.isfinite(objective):
            objective = None
        event = {"tell": id, "status": status, "objective": objective}
        self.journal.append({**event, **({"about": dict(about)} if about else {})})
        self._hear(id, Told(status, objective, dict(about or {})))

    def release(self, id: str) -> None:
        """Ask a trial again that could not be worked on."""
        self.handed_out.discard(id)

    def _hand_out(self, id: str) -> Trial:
        self.handed_out.add(id)
        return self.asked[id]

    def _hear(self, id: str, told: Told) -> None:
        failed = told.status != "completed"
        self.learn(id, self.worst() if failed else told.objective, failed)
        self.told[id] = told

    def _replay(self, event: dict) -> None:
        if "tell" in event:
            told = Told(event["status"], event["objective"], event.get("about", {}))
            return self._hear(event["tell"], told)
        known = Trial(event["ask"], event["values"], event.get("budget"), event.get("origin"))
        self.recall(known, event)
        self.asked[known.id] = known
        return None


def _described(trial: Trial) -> dict:
    """A trial as the journal's line has it, without what most trials lack."""
    further = {"budget": trial.budget, "origin": trial.origin}
    return {"values": trial.values, **{k: v for k, v in further.items() if v is not None}}
