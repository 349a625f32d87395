"""Runs `Model.fit` in chunks of `save_every` steps and resumes it exactly."""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from tfkit.errors import Diverged
from tfkit.train import checkpoint
from tfkit.train.callbacks import Watcher
from tfkit.train.divergence import locate
from tfkit.train.recorder import Guard, NonFinite, Recorder, Validation, keep_lines

LOOP_SECONDS = 1e-3  # what the Python loop around a step costs: all that can be saved of it
SLOW_STEP_SECONDS = 0.02  # above this the loop is lost in the step
MOST_STEPS_PER_EXECUTION = 64


class Plan(NamedTuple):
    """How long to train and how: the numbers of the recipe's `train` section that matter here.

    Args:
        steps: of the whole training, over which schedules are laid out.
        save_every: steps of a chunk.
        steps_per_execution: steps in one call of the train function, or "auto".
        until: the step to stop at for now, the end of a chunk; None: `steps`.
        between: something may happen before steps that are multiples of this; 0: nothing does.
    """

    steps: int
    save_every: int
    steps_per_execution: int | str
    until: int | None = None
    between: int = 0

    @property
    def end(self) -> int:
        """The last step of this time."""
        return self.steps if self.until is None else self.until

    @property
    def common(self) -> int:
        """Every chunk, the last one too, and what happens between is a multiple of this."""
        return math.gcd(self.save_every, self.steps % self.save_every, self.between)


class StepTimer(keras.callbacks.Callback):
    """Times each call of the train function."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_train_batch_begin(self, batch, logs=None):
        """Start."""
        self.started = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        """Stop."""
        self.seconds.append(time.perf_counter() - self.started)

    def median(self) -> float:
        """Median over the later half, behind tracing and the filling of the pipeline."""
        return float(np.median(self.seconds[len(self.seconds) // 2 :]))


def steps_at_once(common: int, seconds: float, tracing: float, left: int) -> int:
    """How many steps one call should run: a divisor of `common`, near 1/3 s at the most.

    Another number means another trace, which is about as long as the first: it must pay.
    """
    if seconds > SLOW_STEP_SECONDS or left * min(seconds, LOOP_SECONDS) < 2 * tracing:
        return 1
    most = min(MOST_STEPS_PER_EXECUTION, common, max(1, int(0.3 / max(seconds, 1e-6))))
    return next(n for n in range(most, 0, -1) if common % n == 0)


class Fit:
    """One resumable training of one model.

    Args:
        model: compiled, with every optimizer built.
        batches: step -> endless dataset that begins with the batch of that step (0-based).
        folder: the run folder.
        plan: how long.
        watchers: callbacks of the recipe.
        measure: values of the held-out sample at the end of a chunk, or None.
        stage: name of the stage, "" where there is only one.
        acting: callbacks that change the model between steps, see `tfkit.stage.Stage`.
        tensorboard: (step, values) -> None, or None.
    """

    def __init__(
        self,
        model: keras.Model,
        batches: Callable[[int], tf.data.Dataset],
        folder: Path,
        plan: Plan,
        *,
        watchers: list[Watcher] = (),
        measure: Callable[[], dict] | None = None,
        stage: str = "",
        acting: list[keras.callbacks.Callback] = (),
        tensorboard: Callable | None = None,
    ):
        self.model, self.batches, self.folder, self.plan = model, batches, folder, plan
        self.stage, self.acting = stage, list(acting)
        self.recorder = Recorder(
            folder, list(watchers), step=0, stage=stage, tensorboard=tensorboard
        )
        self.callbacks = [
            Guard(self.recorder),
            *([Validation(measure)] if measure else []),
            *watchers,
            self.recorder,
        ]
        self.store = self.recorder.checkpoints
        self.timed = False

    def watch(self, callback: keras.callbacks.Callback) -> None:
        """Add a callback that only looks, behind the recorder: it may end the training by raising,
        and what it has seen is saved.
        """
        self.callbacks.append(callback)

    def resume(self) -> int:
        """Go back to the last checkpoint, if there is one; the step that was reached."""
        path = self.store.last()
        step = -1
        if path is not None:
            saved = checkpoint.load(path)
            checkpoint.put_back(self.model, saved.arrays, str(path))
            self.recorder.recall(saved.memory)
            self.recorder.step = step = saved.step
        for name in ("metrics.jsonl", "timing.jsonl"):
            keep_lines(self.folder / name, step, self.stage)
        if path is None:
            self.recorder.save_start(self.model)
        return self.recorder.step

    def run(self) -> None:
        """Train up to `plan.end`; raises `Diverged` where a value is not finite any more."""
        self.resume()
        try:
            while self.recorder.step < self.plan.end and not self.recorder.memory["stopped"]:
                self.next_chunks()
        except NonFinite as found:
            self.diverged(found.step)
        if self.store.best.exists():  # a callback asked for it
            best = checkpoint.load(self.store.best)
            checkpoint.put_back(self.model, best.arrays, str(self.store.best))

    def next_chunks(self) -> None:
        """One call of `fit`: all whole chunks, or the rest; alone the first where it is timed."""
        plan, step = self.plan, self.recorder.step
        whole = (plan.end - step) // plan.save_every
        timer = StepTimer() if self.is_to_time() else None
        chunks = 1 if timer or not whole else whole
        first = step // plan.save_every
        self.model.fit(
            self.batches(step),
            initial_epoch=first,
            epochs=first + chunks,
            steps_per_epoch=plan.save_every if whole else plan.end - step,
            callbacks=[*self.acting, *([timer] if timer else []), *self.callbacks],
            verbose=0,
            shuffle=False,
        )
        if timer and len(timer.seconds) > 1:
            self.timed = True
            left = plan.end - self.recorder.step
            seconds, tracing = timer.median(), timer.seconds[0]
            self.run_at_once(steps_at_once(plan.common, seconds, tracing, left))

    def is_to_time(self) -> bool:
        """Whether to find out how long a step takes; else take what the recipe says."""
        if self.plan.steps_per_execution == "auto":
            return not self.timed and self.plan.common > 1
        asked = min(self.plan.steps_per_execution, self.plan.common)
        self.run_at_once(next(n for n in range(asked, 0, -1) if self.plan.common % n == 0))
        return False

    def run_at_once(self, steps: int) -> None:
        """Let one call of the train function run `steps` steps."""
        if steps != self.model.steps_per_execution:
            self.model.steps_per_execution = steps
            self.model.train_function = None

    def diverged(self, end: int) -> None:
        """Find the culprit and say what is left."""
        start = checkpoint.load(self.store.last())
        self.run_at_once(1)
        found = locate(self.model, self.batches(start.step), start, end, self.acting)
        raise Diverged(
            f"{self.folder}: diverged at step {found.step}: {found.tensor} is the first tensor "
            f"that is not finite. The last good checkpoint is that of step {start.step}; try a "
            "smaller train.optimizer.learning_rate, or global_clipnorm.",
            step=found.step,
            tensor=found.tensor,
        )
