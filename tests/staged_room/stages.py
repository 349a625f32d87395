"""Fit, then a closed form from what was fitted, then fit again."""

import numpy as np

from tfkit.stage import Stage


def stages(model, source):
    """The three stages."""
    return [Stage("first", model), Stage("moments", work=moments), Stage("second", model)]


def moments(assembly, carried, folder):
    """Mean prediction on the held-out data, which is also the hidden layer's new bias."""
    x = assembly.source.splits["valid"]["x"]
    mean = np.asarray(assembly.model(x)).mean(axis=0)
    bias = assembly.model.net.layers[-1].bias
    bias.assign(bias + mean)
    (folder / "moments.txt").write_text(f"{len(carried)} stages before\n")
    return {"mean": mean}
