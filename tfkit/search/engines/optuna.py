"""The engine whose memory is an Optuna storage: any number of processes may work on one search."""

import contextlib
import json
import re
import threading
import weakref
from collections.abc import Mapping
from typing import Literal, get_args

from tfkit.errors import UsageError
from tfkit.extras import need
from tfkit.search.engines.base import Engine, Status, Told, Trial, refuse_another
from tfkit.search.engines.distributions import draw, varied

TRIALS = 10  # where the recipe says nothing
Sampler = Literal["tpe", "cma_es", "random"]
Pruner = Literal["none", "median", "hyperband", "successive_halving"]


class Optuna(Engine):
    """Optuna's samplers and pruners, for any number of processes on any number of machines.

    Each process runs the same command on the same storage; none is the chief. A trial is drawn
    from the seed and its number, whoever asks for it. Whoever works on a trial holds its lease; a
    trial whose process died is taken over by exactly one other, with its number and its values,
    and goes on from its checkpoint where the folder of the run is the same, else anew. A process
    that was suspended for longer than a lease may find its trial taken over: what it tells of it
    then is dropped, and the trial ends as the new holder says.

    With a journal file, leases are files in `<journal>.leases`, and the folder's own clock counts.
    With a database they are in the database, and each process watches the others' heartbeats: it
    takes nothing over from another machine within one lease from its start.

    Args:
        storage: the path of Optuna's journal file, on a folder that all machines share, or a
            database's URL (sqlite:///search.db on one machine, postgresql://user@host/name;
            passwords belong into PGPASSWORD or the like, not into a recipe); null: the file
            `optuna.journal` in the search's folder.
        study: the name of the search, for a storage that holds several.
        sampler: what proposes: a Parzen estimator, the covariance matrix adaptation (for
            numbers; what is a choice or has a `when` is drawn at random), or chance.
        constant_liar: whether running trials count as bad ones, so that processes keep out of
            each other's way; only for tpe; null: yes, with tpe.
        pruner: which running trials to give up: those below the median of the others at their
            step, or the worse ones of each round of successive halving, or of several such.
        warmup: the first step at which a trial may be pruned, >= 0; 0: the pruner's own.
        lease: seconds without a heartbeat after which a process counts as dead, > 0; one that
            died on the same machine is known at once.
    References: Akiba et al. 2019, arXiv:1907.10902; Bergstra et al. 2011,
        https://proceedings.neurips.cc/paper/2011/hash/86e8f7ab32cfd12577bc2619bc635690-Abstract.html
        (tpe); Hansen 2016, arXiv:1604.00772 (cma_es); Li et al. 2020, arXiv:1810.05934 (pruners).
    """

    shared = True

    def __init__(
        self,
        terms,
        *,
        storage: str | None = None,
        study: str = "tfkit",
        sampler: Sampler = "tpe",
        constant_liar: bool | None = None,
        pruner: Pruner = "none",
        warmup: int = 0,
        lease: float = 60.0,
    ):
        super().__init__(terms)
        self.trials = self.trials or TRIALS
        self.place = storage or str(self.directory / "optuna.journal")
        self.study, self.sampler, self.pruner = study, sampler, pruner
        self.constant_liar, self.warmup, self.lease = constant_liar, warmup, lease
        self.prunes = pruner != "none"
        self.check_options()
        need("search.engine: optuna", "optuna", "optuna", *["cmaes"] * (sampler == "cma_es"))
        self.lock = threading.RLock()
        self.held = {}  # id -> Optuna's trial, while this engine works on it
        self.join()
        weakref.finalize(self, self.leases.close)

    def check_options(self) -> None:
        """Refuse values that are none, and options that would be read and ignored."""
        for name, known in (("sampler", get_args(Sampler)), ("pruner", get_args(Pruner))):
            if (given := getattr(self, name)) not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, got {given!r}.")
        if not re.fullmatch(r"[\w-][\w.-]*", self.study):
            raise ValueError(f"study must be letters, digits, '-', '_', '.', got {self.study!r}.")
        if self.warmup < 0:
            raise ValueError(f"warmup must be >= 0, got {self.warmup}.")
        if self.lease <= 0:
            raise ValueError(f"lease must be > 0, got {self.lease}.")
        if self.constant_liar is not None and self.sampler != "tpe":
            raise ValueError(f"constant_liar is for tpe alone; {self.sampler} has no use for it.")
        if self.warmup and self.pruner == "none":
            raise ValueError(f"warmup={self.warmup} needs a pruner; there is none.")
        if self.sampler == "cma_es" and not any(varied(rule) for rule in self.space.values()):
            raise ValueError("sampler cma_es needs a float or int without `when` in the space.")

    def options(self) -> dict:
        """Where the storage is and how long a lease lasts make no other search."""
        liar = self.sampler == "tpe" and self.constant_liar is not False
        pruning = {"pruner": self.pruner, "warmup": self.warmup}
        return {"sampler": self.sampler, "constant_liar": liar, **pruning}

    def join(self) -> None:
        """Open the storage, and create the search in it or join it."""
        from tfkit.search.engines import storage
        from tfkit.search.engines.storage_leases import leases_for
        from tfkit.search.engines.study import SharedStudy

        opened = storage.open_storage(self.place)
        with self.reaching():
            self.memory = SharedStudy(opened, self.study, self.goal)
            identity = json.loads(json.dumps(self.identity()))
            cure = "Start a new run, or give search.engine.study another name"
            place = f"{storage.shown(self.place)}, study {self.study},"
            refuse_another(place, self.memory.claimed(identity), identity, cure)
            self.leases = leases_for(self.place, opened, self.study, self.lease)
            self.refresh()

    def reaching(self):
        """A context in which the storage's errors become one sentence."""
        from tfkit.search.engines.storage import reaching

        return reaching(self.place)

    def refresh(self) -> list:
        """Read the storage: `asked` and `told` are what it holds; returns Optuna's trials."""
        trials = self.memory.trials()
        known, self.asked, self.told = self.told, {}, {}
        for trial in trials:
            id = f"{trial.number:04d}"
            if (values := self.memory.values(trial)) is not None:
                self.asked[id] = Trial(id, values)
                if trial.state.is_finished():
                    self.told[id] = known.get(id) or self.memory.told(trial)
        return trials

    @property
    def done(self) -> bool:
        """Whether all trials are asked and told, by whichever process."""
        with self.lock, self.reaching():
            trials = self.refresh()[: self.trials]
        return len(trials) == self.trials and all(trial.state.is_finished() for trial in trials)

    def ask(self) -> Trial | None:
        """One that a dead process left open, with the values that it had; else a new trial."""
        with self.lock, self.reaching(), contextlib.suppress(self.memory.Ended):
            trials = self.refresh()
            for trial in trials[: self.trials]:
                if not trial.state.is_finished() and self.leases.take(trial):
                    if taken := self.draw(trial._trial_id):
                        return taken
            if len(trials) < self.trials:
                return self.begin()
        return None

    def begin(self) -> Trial | None:
        """Create a trial. Its number is the storage's to give; one too many is left for later."""
        trial = self.memory.create(self.leases.me)
        if not self.leases.hold(trial):
            return None  # it took so long that another process thought this one dead
        if trial.number >= self.trials:
            self.leases.drop(trial.number, self.leases.release)
            return None
        return self.draw(trial._trial_id)

    def draw(self, trial_id: int) -> Trial | None:
        """Let Optuna propose values for a trial that has none yet; None: it has just ended.

        What a process that died in the middle of this has drawn already stands.
        """
        from tfkit.search.engines.seeded_sampler import pruner_for, sampler_for

        state = self.memory.trial(trial_id)
        id = f"{state.number:04d}"
        if state.state.is_finished():
            self.leases.drop(state.number, self.leases.remove)
            return None
        sampler = sampler_for(self.sampler, self.seed, id, self.options()["constant_liar"])
        trial = self.memory.open(trial_id, sampler, pruner_for(self.pruner, self.warmup))
        if self.memory.values(state) is None:
            self.memory.set_values(trial, draw(trial, self.space))
        self.held[id] = trial
        self.refresh()
        return self.asked[id]

    def tell(
        self,
        id: str,
        objective: float | None,
        *,
        status: Status = "completed",
        about: Mapping | None = None,
    ) -> None:
        """Report what became of a trial.

        What a process tells of a trial that another one has taken over from it is dropped: `told`
        will hold what the new holder tells. Raises `UsageError` where the trial is not open, or
        was never this engine's.
        """
        with self.lock, self.reaching():
            self.refresh()
            if id in self.held and self.is_lost(id):
                return self.forget(id, None)
            status = self.judged(id, objective, status)
            if id not in self.held:
                raise UsageError(f"search: trial {id} is another process's.")
            told = Told(status, objective, dict(about or {}))
            self.memory.tell(self.held[id], told, self.worst())
            self.forget(id, self.leases.remove)
            self.refresh()

    def should_prune(self, id: str, step: int, value: float) -> bool:
        """Whether a running trial is not worth going on with, or is another process's by now."""
        with self.lock, self.reaching(), contextlib.suppress(self.memory.Ended):
            if id in self.held and not self.is_lost(id):
                self.held[id].report(value, step)
                return self.held[id].should_prune()
        return True

    def is_lost(self, id: str) -> bool:
        """Whether another process took over, or has told, a trial that this one was working on."""
        trial = self.memory.trial(self.held[id]._trial_id)
        return trial.state.is_finished() or self.leases.lost(trial)

    def release(self, id: str) -> None:
        """Leave a trial that could not be worked on to whoever asks next."""
        with self.lock, self.reaching():
            if id in self.held:
                self.forget(id, self.leases.release)

    def forget(self, id: str, how) -> None:
        """Work on a trial no longer."""
        self.leases.drop(self.held.pop(id).number, how)

    def close(self) -> None:
        """Let another process take over at once what is not told yet."""
        with self.lock:
            self.leases.close()
            self.held.clear()
            self.memory.close()
