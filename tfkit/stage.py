"""One stage of a training, as a room's `stages.py` lists them and the engine runs them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf


class Stage(NamedTuple):
    """One stage, either a `fit` of `model` or a piece of `work` with its own resumable loop.

    Args:
        name: names the stage in `metrics.jsonl`, in `checkpoints/` and in `train.stages`.
        model: the keras.Model to fit; it may share layers with the room's model, or be it.
        work: (assembly, carried, folder) -> dict of arrays, for what cannot be a `fit`;
            `carried` holds the arrays of earlier stages by stage name, `folder` is its own.
        batches: (assembly, step) -> endless data set that begins with the batch of that step, a
            pure function of recipe and step; None: the recipe's training batches.
        callbacks: assembly -> callbacks that change the model between two steps. Each acts in
            `on_train_batch_begin` before steps that are multiples of its attribute `every`, and
            remembers in the model's variables only, so that checkpoints hold all of it.
        train: options of the recipe's `train` section that are other here, such as {"epochs": 1};
            the recipe's `train.stages.<name>` goes over them.
    """

    name: str
    model: keras.Model | None = None
    work: Callable[[object, dict, Path], dict[str, np.ndarray]] | None = None
    batches: Callable[[object, int], tf.data.Dataset] | None = None
    callbacks: Callable[[object], list[keras.callbacks.Callback]] | None = None
    train: Mapping[str, object] = MappingProxyType({})
