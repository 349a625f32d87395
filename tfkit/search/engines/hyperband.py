"""Hyperband: many short trials, of which the better ones go on."""

import math
from collections.abc import Mapping
from typing import Literal

import keras_tuner

from tfkit.search.engines.base import MISSING, Trial
from tfkit.search.engines.oracles import KerasTunerEngine

MAXIMUM = 100  # where nobody says


class Hyperband(KerasTunerEngine):
    """Many short trials, of which the best 1 / factor go on for factor times as long, and so on
    (Keras Tuner's Hyperband).

        budget of rung k from the top = ceil(maximum / factor^k) >= minimum
        bracket s begins with about factor^s (s_max + 1) / (s + 1) trials s rungs below the top

    Brackets run from the longest ladder to none. A trial that goes on continues from the checkpoint
    of the one it was, whose budget counts as spent. What failed or diverged never goes on; a small
    space whose combinations are used up is halved as it is.

    Args:
        factor: one in how many goes on, >= 2; 3 is the paper's.
        resource: unit of maximum and minimum; null: the one in which `train` counts.
        maximum: full budget, >= 2; null: what `train` says.
        minimum: smallest budget, >= 1; null: `train.save_every` where steps count, else 1.
        iterations: how often all brackets are run, >= 1.
    References: Li et al. 2018, https://jmlr.org/papers/v18/16-558.html
    """

    promotes = True
    usual = None

    def __init__(
        self,
        terms,
        *,
        factor: int = 3,
        resource: Literal["steps", "epochs"] | None = None,
        maximum: int | None = None,
        minimum: int | None = None,
        iterations: int = 1,
    ):
        maximum = MAXIMUM if maximum is None else maximum
        minimum = 1 if minimum is None else minimum
        for name, value, least in (
            ("factor", factor, 2),
            ("maximum", maximum, 2),
            ("minimum", minimum, 1),
            ("iterations", iterations, 1),
        ):
            if value < least:
                raise ValueError(f"{name} must be >= {least}, got {value}.")
        if maximum < minimum * factor:
            raise ValueError(
                f"maximum {maximum} leaves nothing to divide by factor {factor} above minimum "
                f"{minimum}; it must be at least {minimum * factor}."
            )
        self.factor, self.resource, self.iterations = factor, resource, iterations
        self.maximum, self.minimum = maximum, minimum
        super().__init__(terms)

    @staticmethod
    def filled(options: Mapping, train: Mapping) -> dict:
        """The options of a recipe with what its `train` section says where they say nothing."""
        unit = options.get("resource") or ("steps" if train["epochs"] is None else "epochs")
        least = train["save_every"] if unit == "steps" else 1
        usual = {"resource": unit, "maximum": train[unit], "minimum": least}
        return {**options, **{k: v for k, v in usual.items() if options.get(k) is None}}

    def options(self) -> dict:
        """Part of the search's identity."""
        names = ("factor", "resource", "maximum", "minimum", "iterations")
        return {name: getattr(self, name) for name in names}

    def make_oracle(self, **options) -> keras_tuner.Oracle:
        """Keras Tuner's oracle with our brackets."""
        return HalvingOracle(
            minimum=self.minimum,
            max_epochs=self.maximum,
            factor=self.factor,
            hyperband_iterations=self.iterations,
            **options,
        )

    def as_trial(self, id: str, values: dict) -> Trial:
        """What the oracle says of its brackets becomes the trial's budget and origin."""
        own = {path: value for path, value in values.items() if not path.startswith("tuner/")}
        return Trial(id, own, values["tuner/epochs"], values.get("tuner/trial_id"))

    def learn(self, id: str, objective: float, failed: bool) -> None:
        """What failed is worse than anything: the worst value so far might yet be a good one."""
        hopeless = -MISSING if self.goal == "max" else MISSING
        super().learn(id, hopeless if failed else objective, failed)


class HalvingOracle(keras_tuner.oracles.HyperbandOracle):
    """Keras Tuner's oracle with a smallest budget, with rungs that shrink where trials failed or
    the space has no further combination, and with no trace of an answer that named no trial.

    Args:
        minimum: smallest budget.
        options: of Keras Tuner's oracle.
    """

    def __init__(self, *, minimum: int, **options):
        self.minimum = minimum
        self.used_up = False  # whether the space has no further combination
        super().__init__(**options)

    def populate_space(self, trial_id: str) -> dict:
        """The next trial of the brackets that have begun, else of a new one."""
        while True:
            for bracket in self._brackets:
                found = self.fresh(trial_id, bracket) or self.promoted(trial_id, bracket)
                if found is not None:
                    return {"status": "RUNNING", "values": found}
            if self.used_up or self.last_bracket():
                return {"status": "IDLE" if self.ongoing_trials else "STOPPED"}
            self._increment_bracket_num()
            self._start_new_bracket()

    def last_bracket(self) -> bool:
        """Whether no bracket follows those that have begun."""
        last = self._current_iteration + 1 == self.hyperband_iterations
        return last and self._current_bracket == 0

    def fresh(self, trial_id: str, bracket: dict) -> dict | None:
        """Random values for the lowest rung while it has room."""
        number, lowest = bracket["bracket_num"], bracket["rounds"][0]
        if self.used_up or len(lowest) >= self._get_size(number, 0):
            return None
        before = self._seed_state
        values = self._random_values()
        if values is None:
            self.used_up, self._seed_state = True, before
            return None
        lowest.append({"past_id": None, "id": trial_id})
        return {**values, "tuner/epochs": self._get_epochs(number, 0)}

    def promoted(self, trial_id: str, bracket: dict) -> dict | None:
        """The best of a rung that must be among those that go on, however the others end."""
        rungs = bracket["rounds"]
        room = self.room(bracket)
        for rung in range(1, len(rungs)):
            gone = {entry["past_id"] for entry in rungs[rung]}
            waiting = [self.trials[e["id"]] for e in rungs[rung - 1] if e["id"] not in gone]
            ended = [trial for trial in waiting if trial.status == "COMPLETED"]
            if len(ended) > room[rung - 1] - room[rung]:
                sign = -1 if self.objective.direction == "max" else 1
                best = min(ended, key=lambda trial: sign * trial.score)
                rungs[rung].append({"past_id": best.trial_id, "id": trial_id})
                own = best.hyperparameters.values
                budget = self._get_epochs(bracket["bracket_num"], rung)
                return {**own, "tuner/trial_id": best.trial_id, "tuner/epochs": budget}
        return None

    def room(self, bracket: dict) -> list[int]:
        """How many trials each rung of a bracket will hold in the end, as far as is known now."""
        rungs = bracket["rounds"]
        planned = self._get_size(bracket["bracket_num"], 0)
        room = [len(rungs[0]) if self.used_up else planned]
        for below in rungs[:-1]:
            failed = sum(self.failed(entry["id"]) for entry in below)
            room.append(min(math.ceil(room[-1] / self.factor), room[-1] - failed))
        return room

    def failed(self, id: str) -> bool:
        """Whether a trial ended without an objective."""
        score = self.trials[id].score
        return score is not None and abs(score) == MISSING

    def _get_num_brackets(self) -> int:
        count = 1
        while self.max_epochs >= self.minimum * self.factor**count:
            count += 1
        return count

    def _get_size(self, bracket_num: int, round_num: int) -> int:
        # Keras Tuner's, whose smallest budget is 1
        ladder = math.ceil(1 + math.log(self.max_epochs / self.minimum, self.factor))
        return math.ceil(ladder / (bracket_num + 1) * self.factor ** (bracket_num - round_num))
