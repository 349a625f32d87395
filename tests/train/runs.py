"""Runs of the toy rooms, whole, interrupted and resumed, in one process."""

import keras

from tfkit import recipe as recipes
from tfkit.train import device
from tfkit.train.build import load_data
from tfkit.train.folder import RunFolder
from tfkit.train.run import note_start, train

RECIPE = {
    "name": "toy",
    "seed": 5,
    "data": {"name": "toy_room.data:load", "batch_size": 8},
    "model": {"name": "toy_room.model:Toy"},
    "train": {
        "steps": 23,
        "save_every": 5,
        "threads": 2,
        "optimizer": {"name": "adam", "learning_rate": 0.01},
        "critic_optimizer": {"name": "rmsprop"},
    },
}


def recipe(**train):
    """The toy recipe with other keys of `train`."""
    return recipes.load({**RECIPE, "train": {**RECIPE["train"], **train}})


def run(path, known, callback=None):
    """Train `known` in `path`; `callback` joins every fit."""
    folder = RunFolder(path)
    path.mkdir(parents=True, exist_ok=True)
    folder.write_recipe(known)
    device.prepare(known.resolved["train"])
    source = load_data(known.resolved)
    note_start(folder, known.resolved, source)
    with device.configured(known.resolved["train"]):
        return folder, train(folder, known.resolved, 1, source=source)


class Killed(BaseException):
    """What a kill looks like from inside."""


def kill_after(monkeypatch, updates):
    """Let the process 'die' after so many more batches of `fit`."""
    from tfkit.train.recorder import Recorder

    left = [updates]

    def on_train_batch_begin(self, batch, logs=None):
        if left[0] == 0:
            raise Killed
        left[0] -= 1

    monkeypatch.setattr(Recorder, "on_train_batch_begin", on_train_batch_begin, raising=False)


def bytes_of(folder):
    """What must not differ between an interrupted and an uninterrupted run."""
    return (folder / "metrics.jsonl").read_bytes(), folder.weights.read_bytes()


keras.config.disable_traceback_filtering()
