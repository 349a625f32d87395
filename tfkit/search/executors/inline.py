"""The executor that needs no other process."""

import time

from tfkit.search.executors.base import POLL_SECONDS, Executor, Queue, Surroundings
from tfkit.search.work import Sources, perform


class Inline(Executor):
    """One task after the other in this process, which has TensorFlow loaded already.

    References: the order is that of Keras Tuner's `Tuner.search`,
        https://keras.io/keras_tuner/api/tuners/base_tuner
    """

    def run(self, queue: Queue, around: Surroundings) -> None:
        """Run all tasks."""
        sources = Sources(around.recipe, around.source)
        while not queue.done:
            task = queue.next()
            if task is None:
                if not queue.done:
                    time.sleep(POLL_SECONDS)
                continue

            def report(step, value, task=task):
                return queue.report(task, step, value)

            queue.finished(task, perform(task, sources, report, around.bar))
