"""Which step was the first to go wrong, and in which tensor: exact replay from a checkpoint."""

from collections.abc import Sequence
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from tfkit.train import checkpoint
from tfkit.train.recorder import all_finite


class Divergence(NamedTuple):
    """The first update that met a NaN or an infinity, and the first tensor that held one."""

    step: int
    tensor: str


def first_bad(named: dict[str, np.ndarray]) -> str | None:
    """The name of the first array that is not finite."""
    return next((name for name, array in named.items() if not all_finite(array)), None)


def named_arrays(batch) -> dict[str, np.ndarray]:
    """A batch, tensor or dict of tensors, as arrays by name."""
    named = batch if isinstance(batch, dict) else {"input": batch}
    return {f"batch/{name}": np.asarray(value) for name, value in named.items()}


def locate(
    model: keras.Model,
    batches: tf.data.Dataset,
    start: checkpoint.Checkpoint,
    end: int,
    acting: Sequence[keras.callbacks.Callback] = (),
) -> Divergence:
    """Replay the updates after `start`, one by one, up to update `end`, and look at each.

    A run is a pure function of its recipe, so the replay meets what the run met; the good path
    pays nothing for the diagnosis. A tensor of an update is looked for in the order in which it
    comes to be: the batch, the logged terms, then the updated variables. `acting` are the callbacks
    that change the model between steps.
    """
    checkpoint.put_back(model, start.arrays, "the checkpoint before the divergence")
    callbacks = keras.callbacks.CallbackList(list(acting), model=model)
    callbacks.on_epoch_begin(0)
    model.make_train_function()
    fed = iter(model.distribute_strategy.experimental_distribute_dataset(batches))
    for step, batch in enumerate(batches.take(end - start.step), start=start.step + 1):
        bad = first_bad(named_arrays(batch))
        if bad is None:
            callbacks.on_train_batch_begin(step - 1 - start.step)
            model.reset_metrics()
            logs = model.train_function(fed)
            terms = {f"log/{k}": np.asarray(v) for k, v in logs.items() if k != "loss"}
            bad = first_bad({**terms, "log/loss": np.asarray(logs["loss"])})
            bad = bad or first_bad(checkpoint.snapshot(model))
        if bad is not None:
            return Divergence(step, bad)
    return Divergence(end, "log/loss (an infinite sum over the chunk; each step alone is finite)")
