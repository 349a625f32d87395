"""The six representations of the golden file, and worlds whose scores are known."""

import json
from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).parents[1] / "golden"
ARRAYS = np.load(GOLDEN / "disentanglement_metrics.npz")
NUMBERS = json.loads((GOLDEN / "disentanglement_metrics.json").read_text())["representations"]
NAMES = list(NUMBERS)
_PARTS = {"train": ARRAYS["idx_train"], "test": ARRAYS["idx_test"]}


def rows(name, part="train"):
    """Codes and factors of one part of a representation."""
    return ARRAYS[f"codes_{name}"][_PARTS[part]], ARRAYS["states"][_PARTS[part]]


def held_out(name):
    """The test part as keyword arguments."""
    codes, factors = rows(name, "test")
    return {"codes_test": codes, "factors_test": factors}


def uniform(count, size, factors, seed=0):
    """Independent factors of `size` values."""
    return np.random.RandomState(seed).randint(size, size=(count, factors))
