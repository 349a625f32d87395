"""The time that a search may take, with room left to confirm what it finds."""

import time
from collections.abc import Sequence


class Clock:
    """Counts from the command's start.

    Args:
        budget: seconds for search and confirmation together; None: no end.
        confirmations: trainings that the confirmation will take.
        workers: tasks that run at the same time.
    """

    def __init__(self, budget: float | None, confirmations: int, workers: int):
        self.budget, self.confirmations, self.workers = budget, confirmations, workers
        self.begun = time.monotonic()

    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.begun

    def allows(self, trials: Sequence[float], whole: Sequence[float]) -> bool:
        """Whether another trial fits, judged by how long finished ones took.

            elapsed + mean trial + longest whole training * rounds of the confirmation <= budget

        Before one has finished nothing is known, and the answer is yes until the budget is over.

        Args:
            trials: seconds of the finished trials.
            whole: what each would have taken if it had been trained to the end in one go.
        """
        if self.budget is None:
            return True
        if not trials:
            return self.elapsed() < self.budget
        rounds = -(-self.confirmations // self.workers)
        need = sum(trials) / len(trials) + max(whole) * rounds
        return self.elapsed() + need <= self.budget
