"""What a feature sieve's luck hangs on, in NumPy with many seeds at once; and where it is weaker.

    .venv/bin/python scripts/bench/feature_sieve_study.py replica                  # the whole table
    .venv/bin/python scripts/bench/feature_sieve_study.py replica --seeds 0-19 --forget-every 1
    .venv/bin/python scripts/bench/feature_sieve_study.py replica --seeds 1000-1049 \\
        --forget-every 5 --readout none --slope 0.3        # or --only-above 0.7, or --readout scale
    .venv/bin/python scripts/bench/feature_sieve_study.py threshold --seeds 1-5

`replica` reproduces "What decides" in the room's README: strip_xor, a perceptron of 64 + 64 units
with a linear readout behind the first, batches of 64, Adam 1e-3 and 1e-2; forgetting by SGD .03 in
600 steps at F = 1, by .1 in 1,000 steps at F = 5. Printed: how many seeds end with a worst group
below .95, and how many of 64 early units with life. It is a second implementation of the three
updates, without TensorFlow, vectorised over seeds: 1 CPU minute for 100 seeds of a setting.

`threshold` reproduces "Where it is weaker" by the room itself: patch_threshold, two convolutions
with pooling, 800 steps, F = 5. Printed: average and worst group, mean and deviation over seeds.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy_training import Adam, F, softmax

BATCH, UNITS, CHUNK = 64, 64, 25
SETTINGS = {1: {"rate": 0.03, "steps": 600}, 5: {"rate": 0.1, "steps": 1000}}
READOUTS = ("none", "center", "batch", "scale")
RATES = {"none": (0.01, 0.1), "center": (0.01, 0.1), "batch": (0.003, 0.01, 0.1)}  # of threshold


def transposed(arrays):
    return arrays.swapaxes(1, 2)


def normalised(kind, features):
    """What a readout sees, and how a gradient at it comes back to the features.  [R, B, D]"""
    if kind == "none":
        return features, lambda g: g
    if kind == "scale":  # one number a batch, and no centring
        r = 1 / np.sqrt((features**2).mean((1, 2), keepdims=True) + F(1e-6))
        seen = features * r
        return seen, lambda g: r * (g - seen * (g * seen).mean((1, 2), keepdims=True))
    centred = features - features.mean(1, keepdims=True)
    if kind == "center":
        return centred, lambda g: g - g.mean(1, keepdims=True)
    r = 1 / np.sqrt(features.var(1, keepdims=True) + F(1e-3))
    seen, mean = centred * r, lambda g: g.mean(1, keepdims=True)
    return seen, lambda g: r * (g - mean(g) - seen * mean(g * seen))


class Sieves:
    """One sieve a seed, all computed at once; the early layer's ReLU may leak by `slope`."""

    def __init__(self, seeds, readout, slope):
        self.kind, self.slope = readout, F(slope)
        draws = [np.random.default_rng([seed, 1, 0]) for seed in seeds]
        shapes = ((192, UNITS), (UNITS, UNITS), (UNITS, 2), (UNITS, 2))
        kernels = [np.array([glorot(g, *shape) for g in draws], F) for shape in shapes]
        biases = [np.zeros((len(draws), 1, shape[1]), F) for shape in shapes]
        pairs = list(zip(kernels, biases, strict=True))
        self.early, self.hidden, self.last, self.readout = pairs
        self.adam = Adam([*self.early, *self.hidden, *self.last], 1e-3)
        self.readout_adam = Adam([*self.readout], 1e-2)

    def features(self, x):
        """Before and after the early layer's activation."""
        before = x @ self.early[0] + self.early[1]
        return before, np.maximum(before, self.slope * before)

    def into_early(self, x, before, gradient):
        """From the features to the early layer's kernel and bias."""
        gradient = gradient * np.where(before > 0, F(1), self.slope)
        return transposed(x) @ gradient, gradient.sum(1, keepdims=True)

    def identify(self, features, truth):
        """-> share of the batch that each readout had right."""
        seen, _ = normalised(self.kind, features)
        p = softmax(seen @ self.readout[0] + self.readout[1])
        g = (p - truth) / BATCH
        self.readout_adam.apply([transposed(seen) @ g, g.sum(1, keepdims=True)])
        return (p.argmax(-1) == truth.argmax(-1)).mean(-1)

    def forget(self, x, before, features, rate, where):
        """By SGD, in the sieves that `where` names by 1."""
        seen, back = normalised(self.kind, features)
        g = (softmax(seen @ self.readout[0] + self.readout[1]) - F(0.5)) / BATCH
        gradients = self.into_early(x, before, back(g @ transposed(self.readout[0])))
        for array, gradient in zip(self.early, gradients, strict=True):
            array -= F(rate) * gradient * where[:, None, None]

    def learn(self, x, truth):
        before, features = self.features(x)
        inner = np.maximum(features @ self.hidden[0] + self.hidden[1], 0)
        g = (softmax(inner @ self.last[0] + self.last[1]) - truth) / BATCH
        last = [transposed(inner) @ g, g.sum(1, keepdims=True)]
        g = (g @ transposed(self.last[0])) * (inner > 0)
        hidden = [transposed(features) @ g, g.sum(1, keepdims=True)]
        early = self.into_early(x, before, g @ transposed(self.hidden[0]))
        self.adam.apply([*early, *hidden, *last])
        return (before > 0).any(1).sum(-1)  # units alive

    def answers(self, x):
        inner = np.maximum(self.features(x)[1] @ self.hidden[0] + self.hidden[1], 0)
        return (inner @ self.last[0] + self.last[1]).argmax(-1)


def glorot(generator, i, o):
    limit = np.sqrt(6 / (i + o))
    return generator.uniform(-limit, limit, (i, o))


def stacked(parts):
    x = np.array([p["x"] for p in parts]).reshape(len(parts), -1, 192)
    return x, np.array([p["y"] for p in parts]), np.array([p["a"] for p in parts])


def replica(seeds, forget_every, readout, slope, only_above):
    """Worst group and living units of each seed."""
    from tfkit.data.shortcuts import strip_xor

    drawn = [strip_xor(seed, sizes=(4000, 100, 2000)) for seed in seeds]
    x, y, _ = stacked([d["train"] for d in drawn])
    sieves, every = Sieves(seeds, readout, slope), np.arange(len(seeds))[:, None]
    orders = [np.random.default_rng([seed, 2, 0]) for seed in seeds]
    for step in range(SETTINGS[forget_every]["steps"]):
        if (first := step * BATCH % (4000 // BATCH * BATCH)) == 0:
            order = np.array([g.permutation(4000) for g in orders])
        rows = every, order[:, first : first + BATCH]
        batch, truth = x[rows], np.eye(2, dtype=F)[y[rows]]
        before, features = sieves.features(batch)
        known = sieves.identify(features, truth)
        if step % forget_every == 0:
            where = (known > only_above).astype(F)
            sieves.forget(batch, before, features, SETTINGS[forget_every]["rate"], where)
        alive = sieves.learn(batch, truth)
    x, y, a = stacked([d["test"] for d in drawn])
    right = sieves.answers(x) == y
    masks = [(y == c) & (a == d) for c in (0, 1) for d in (0, 1)]
    return np.min([(right * m).sum(1) / m.sum(1) for m in masks], axis=0), alive


def print_replica(seeds, options):
    for forget_every in options.forget_every:
        for readout in options.readout:
            parts = [
                replica(seeds[k : k + CHUNK], forget_every, readout, options.slope, options.above)
                for k in range(0, len(seeds), CHUNK)
            ]
            worst, alive = (np.concatenate(column) for column in zip(*parts, strict=True))
            bad = worst < 0.95
            told = f"{readout}, F = {forget_every}: {bad.sum()} of {len(seeds)} fail"
            living = f"alive {alive[~bad].mean():.1f}"
            if bad.any():
                told += f" ({', '.join(str(s) for s in np.array(seeds)[bad])})"
                living += f", where it fails {alive[bad].mean():.1f}"
            print(f"{told}; median worst group {np.median(worst):.3f}; {living}", flush=True)


def networks():
    """16 and 32 filters, each with pooling, 64 and 2 units; cut behind the first pooling."""
    from keras import Input, Sequential
    from keras import layers as kl

    def block(shape, filters):
        convolution = kl.Conv2D(filters, 3, padding="same", activation="relu")
        return [Input(shape), convolution, kl.MaxPooling2D()]

    head = [kl.Flatten(), kl.Dense(64, activation="relu"), kl.Dense(2)]
    return Sequential(block((16, 8, 3), 16)), Sequential([*block((8, 4, 16), 32), *head])


def threshold(seed, forget_every, normalization, rate):
    """Average and worst group of the room's own sieve."""
    import keras
    import tensorflow as tf

    from tfkit.data.shortcuts import patch_threshold
    from tfkit.layers import DenseReadout
    from tfkit.metrics import group_accuracy
    from tfkit.models import FeatureSieve

    data = patch_threshold(seed=seed)
    train, test = data["train"], data["test"]
    keras.utils.set_random_seed(seed)
    parts = *networks(), DenseReadout(2, normalization=normalization)
    model = FeatureSieve(*parts, forget_every=forget_every)
    model.compile(
        keras.optimizers.Adam(1e-3),
        readout_optimizer=keras.optimizers.Adam(1e-2),
        forget_optimizer=keras.optimizers.SGD(rate),
        jit_compile=False,
    )
    rows = tf.data.Dataset.from_tensor_slices((train["x"], train["y"]))
    rows = rows.shuffle(len(train["y"]), seed=seed).repeat().batch(BATCH)
    model.fit(rows, steps_per_epoch=800, verbose=0, shuffle=False)
    answers = np.argmax(model.predict(test["x"], verbose=0), axis=1)
    found = group_accuracy(test["y"], answers, 2 * test["y"] + test["a"])
    return found["average"], found["worst_group"]


def print_threshold(seeds):
    sieves = [(5, kind, rate) for kind, rates in RATES.items() for rate in rates]
    for forget_every, normalization, rate in [(0, "none", 0.1), *sieves]:
        found = np.array([threshold(s, forget_every, normalization, rate) for s in seeds])
        told = f"{normalization}, rate {rate}" if forget_every else "plain"
        pairs = zip(("average", "worst group"), found.mean(0), found.std(0, ddof=1), strict=True)
        means = ", ".join(f"{name} {mean:.3f} ± {spread:.3f}" for name, mean, spread in pairs)
        print(f"{told}: {means}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=("replica", "threshold"))
    parser.add_argument("--seeds", help="from-to; 0-99 of the replica, 1-5 of threshold")
    parser.add_argument("--forget-every", nargs="*", type=int, choices=SETTINGS, default=[1, 5])
    parser.add_argument("--readout", nargs="*", choices=READOUTS, default=READOUTS[:3])
    parser.add_argument("--slope", type=float, default=0.0, help="of a leaky ReLU")
    parser.add_argument("--only-above", type=float, default=-1.0, dest="above")
    options = parser.parse_args()
    whole = {"replica": "0-99", "threshold": "1-5"}
    low, high = map(int, (options.seeds or whole[options.part]).split("-"))
    seeds = list(range(low, high + 1))
    print_replica(seeds, options) if options.part == "replica" else print_threshold(seeds)


if __name__ == "__main__":
    main()
