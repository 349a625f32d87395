"""Every random stream of a run, derived from the recipe's one seed."""

import keras
import numpy as np

from tfkit.seeding import derive

STREAMS = ("init", "data", "dropout", "eval")


def streams(seed: int, replicate: int) -> dict[str, int]:
    """The seeds of one run by stream, as they stand in `provenance.json`."""
    return {stream: derive(seed, "", replicate, stream) for stream in STREAMS}


def seed_initialisers(seeds: dict[str, int]) -> None:
    """Set the global generators that weight initialisers draw from; called inside each run."""
    keras.utils.set_random_seed(seeds["init"])


def seed_generators(model: keras.Model) -> list[keras.Variable]:
    """The states of all seed generators (dropout, sampling noise) of `model`, in its order."""
    return [v for v in model.variables if "seed_generator" in v.path]


def seed_noise(model: keras.Model, seeds: dict[str, int]) -> None:
    """Start every seed generator of `model` from the dropout stream, so that it owes nothing to
    how many numbers the initialisers drew.
    """
    for index, state in enumerate(seed_generators(model)):
        state.assign(np.array([seeds["dropout"], index], state.dtype))
