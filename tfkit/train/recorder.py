"""What happens at the end of each chunk: measure, log, judge, save."""

import json
import math
import os
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from tfkit.train.callbacks import Watcher
from tfkit.train.checkpoint import Checkpoint, Checkpoints, snapshot
from tfkit.train.folder import write_atomically


class NonFinite(Exception):
    """The chunk that ends at `step` met a NaN or an infinity."""

    def __init__(self, step: int):
        super().__init__(f"a value is not finite in the chunk that ends at step {step}")
        self.step = step


def append_line(path: Path, values: dict) -> None:
    """Append one JSON line and hand it to the system at once."""
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(values) + "\n")
        file.flush()
        os.fsync(file.fileno())


def keep_lines(path: Path, step: int, stage: str = "") -> None:
    """Drop the lines of a stage's chunks after `step`: their checkpoint was never written."""
    if not path.exists():
        return
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            values = json.loads(line)
        except json.JSONDecodeError:  # the line that a kill cut short
            break
        if values.get("stage", "") != stage or values["step"] <= step:
            kept.append(line)
    write_atomically(path, "".join(line + "\n" for line in kept))


class Guard(keras.callbacks.Callback):
    """First in the list: what is not finite must not reach a metric, which would refuse it."""

    def __init__(self, recorder: "Recorder"):
        super().__init__()
        self.recorder = recorder

    def on_epoch_end(self, epoch, logs=None):
        """Stop where the loss or a variable is not finite."""
        arrays = snapshot(self.model).values()
        if not math.isfinite(float(logs["loss"])) or not all(map(all_finite, arrays)):
            raise NonFinite(self.recorder.step + self.params["steps"])


class Validation(keras.callbacks.Callback):
    """Adds `valid/<name>` of the held-out sample to a chunk's values, for callbacks behind it."""

    def __init__(self, measure: Callable[[], dict[str, float]]):
        super().__init__()
        self.measure = measure

    def on_epoch_end(self, epoch, logs=None):
        """Measure on the held-out sample."""
        logs.update({f"valid/{name}": float(value) for name, value in self.measure().items()})


class Recorder(keras.callbacks.Callback):
    """Last in the list: writes the chunk's line, then its checkpoint, in this order.

    A kill between the two leaves a line without checkpoint, which a resumed run drops and writes
    again with the same bytes; the other way round a line would be lost.
    """

    def __init__(
        self, folder: Path, watchers: list[Watcher], *, step: int, stage: str = "", tensorboard=None
    ):
        super().__init__()
        self.folder = folder
        self.watchers = watchers
        self.checkpoints = Checkpoints(folder / "checkpoints" / stage)
        self.stage = {"stage": stage} if stage else {}
        self.step = step
        self.chunk = 0
        self.tensorboard = tensorboard
        self.memory = None
        self.started = self.looked = time.perf_counter()

    def on_train_begin(self, logs=None):
        """Put back the memory that `fit` has just wiped."""
        if self.memory is not None:
            self.recall(self.memory)

    def remember(self) -> dict:
        """What the watchers know now, and whether one of them has stopped the training."""
        states = [watcher.get_state() for watcher in self.watchers]
        return {"watchers": states, "stopped": bool(self.model.stop_training)}

    def save_start(self, model: keras.Model) -> None:
        """The checkpoint before the first update, which a divergence is traced back to."""
        self.memory = {"watchers": [w.get_state() for w in self.watchers], "stopped": False}
        self.checkpoints.write(Checkpoint(0, self.memory, snapshot(model)), is_best=False)

    def recall(self, memory: dict) -> None:
        """Give each watcher what it remembered."""
        self.memory = memory
        for watcher, state in zip(self.watchers, memory["watchers"], strict=True):
            watcher.set_state(state)

    def on_epoch_begin(self, epoch, logs=None):
        """Start the chunk's clock."""
        self.started = self.looked = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        """Look at the running loss once a second: a long chunk must not go on for nothing."""
        now = time.perf_counter()
        if now - self.looked > 1.0:
            self.looked = now
            if not math.isfinite(float(logs["loss"])):
                raise NonFinite(self.step + self.params["steps"])

    def on_epoch_end(self, epoch, logs=None):
        """Judge, log and save the chunk."""
        steps = self.params["steps"]
        step = self.step + steps
        values = {name: float(value) for name, value in logs.items()}
        arrays = snapshot(self.model)
        seconds = time.perf_counter() - self.started
        append_line(self.folder / "metrics.jsonl", {"step": step, **self.stage, **values})
        if self.tensorboard is not None:
            self.tensorboard(step, values)
        self.memory = self.remember()
        is_best = any(w.improved for w in self.watchers if getattr(w, "restore_best", False))
        self.checkpoints.write(Checkpoint(step, self.memory, arrays), is_best)
        self.step = step
        timing = {"seconds": round(seconds, 4), "steps_per_second": round(steps / seconds, 3)}
        append_line(self.folder / "timing.jsonl", {"step": step, **self.stage, **timing})


def all_finite(array: np.ndarray) -> bool:
    """Whether a floating array holds neither NaN nor infinity."""
    return not np.issubdtype(array.dtype, np.floating) or bool(np.isfinite(array).all())
