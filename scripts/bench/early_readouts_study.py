"""What DeDiER's gain over plain distillation hangs on, in NumPy: many seeds in minutes.

    .venv/bin/python scripts/bench/early_readouts_study.py --seeds 0-7            # the whole table
    .venv/bin/python scripts/bench/early_readouts_study.py --only base surest --seeds 100-107

strip_bias; a teacher of 128 + 128 units from examples whose attribute tells nothing; a student of
16 + 16; 12 epochs of batches of 128, Adam 1e-3; a round after the first epoch: 60 steps of Adam
3e-2 on the first hidden layer; alpha 2, beta 3. Data, teacher and student vary with the seed and
are shared by the two of a pair. Printed: worst group of plain distillation, in points, and the
gain with its 95 % interval, at mixing 1 and at mixing 0.5, mode "both". This is a second
implementation, without TensorFlow, vectorised over seeds; the room's own does the same.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy_training import Adam, F, softmax

BASE = {
    "units": (16, 16),
    "epochs": 12,
    "batch": 128,
    "rate": 1e-3,
    "temperature": 3.0,
    "layer": 1,
    "start": "glorot",
    "round_at": None,  # updates before the round; None: an epoch
    "surest": None,  # updates between rounds of memory "surest"; None: one round
}
WORLD = {
    "rho": 0.95,
    "size": 6000,
    "teacher_rho": 0.5,
    "teacher_size": 6000,
    "teacher_epochs": 12,
    "teacher_draw": 0,
    "teacher_start": "glorot",
}
CASES = {
    "base": [{}],
    "start": [{"start": "torch"}, {"start": "he"}],
    "temperature": [{"temperature": t} for t in (1.0, 2.0, 6.0, 20.0)],
    "units": [{"units": u} for u in ((4, 4), (8, 8), (32, 32), (64, 64), (8,), (16,))],
    "layer": [{"layer": 2}],
    "epochs": [{"epochs": e} for e in (2, 3, 4, 6, 24, 48)],
    "rate": [{"rate": 3e-4}, {"rate": 3e-4, "round_at": 150}, {"rate": 3e-3}],
    "round_at": [{"round_at": k} for k in (1, 10, 94, 200)],
    "size": [{"size": n, "round_at": k} for n in (2000, 20000) for k in (None, 47)],
    "batch": [{"batch": 512}],
    "teacher_epochs": [{"teacher_epochs": e} for e in (1, 3, 40)],
    "teacher": [{"teacher_draw": 1}, {"teacher_size": 20000}, {"teacher_start": "torch"}],
    "teacher_rho": [{"teacher_rho": r} for r in (0.8, 0.95)],
    "rho": [{"rho": r} for r in (0.9, 0.98, 0.99, 0.995)],
    "surest": [{"size": n, "surest": k} for n in (6000, 20000, 2000) for k in (None, 16)],
}


class Networks:
    """One perceptron a seed, all computed at once."""

    def __init__(self, sizes, seeds, start, rate):
        generators = [np.random.default_rng([77, seed]) for seed in seeds]
        self.kernels, self.biases = [], []
        for i, o in zip(sizes[:-1], sizes[1:], strict=True):
            drawn = [first_weights(g, i, o, start) for g in generators]
            self.kernels.append(np.array([k for k, _ in drawn], F))
            self.biases.append(np.array([b for _, b in drawn], F)[:, None])
        self.adam = Adam([*self.kernels, *self.biases], rate)

    def forward(self, x):
        layers = [x]
        for kernel, bias in zip(self.kernels, self.biases, strict=True):
            hidden = layers[-1] @ kernel + bias
            layers.append(hidden if kernel is self.kernels[-1] else np.maximum(hidden, 0))
        return layers

    def update(self, layers, gradient):
        kernels, biases = [], []
        for k in reversed(range(len(self.kernels))):
            kernels.insert(0, layers[k].swapaxes(1, 2) @ gradient)
            biases.insert(0, gradient.sum(1, keepdims=True))
            if k:
                gradient = (gradient @ self.kernels[k].swapaxes(1, 2)) * (layers[k] > 0)
        self.adam.apply([*kernels, *biases])


def first_weights(generator, i, o, start):
    """Kernel and bias: of Keras ("glorot"), of torch, or He's normal."""
    if start == "he":
        return generator.normal(0, np.sqrt(2 / i), (i, o)), np.zeros(o)
    limit = np.sqrt(6 / (i + o)) if start == "glorot" else 1 / np.sqrt(i)
    bias = np.zeros(o) if start == "glorot" else generator.uniform(-limit, limit, o)
    return generator.uniform(-limit, limit, (i, o)), bias


def fit(networks, x, gradient, seeds, epochs, batch, between=None):
    """Shuffled batches; `gradient` (logits, rows) of a mean over the batch; acts between steps."""
    count, step = x.shape[1], 0
    generators = [np.random.default_rng([5, seed]) for seed in seeds]
    every = np.arange(len(seeds))[:, None]
    for _ in range(epochs):
        order = np.array([g.permutation(count) for g in generators])
        for first in range(0, count, batch):
            if between:
                between(step)
            rows = every, order[:, first : first + batch]
            layers = networks.forward(x[rows])
            networks.update(layers, (gradient(layers[-1], rows) / rows[1].shape[1]).astype(F))
            step += 1


class World:
    """Data and teacher's logits for every seed."""

    def __init__(self, seeds, setting):
        from tfkit.data.shortcuts import strip_bias, strip_bias_teacher

        size = setting["size"]
        drawn = [strip_bias(seed, setting["rho"], None, (size, 1, 4000)) for seed in seeds]
        of_teacher = [setting[f"teacher_{name}"] for name in ("rho", "size", "draw")]
        taught = [strip_bias_teacher(seed, *of_teacher) for seed in seeds]
        self.seeds = seeds
        self.x, self.y, _ = stacked([d["train"] for d in drawn])
        self.test = stacked([d["test"] for d in drawn])
        x, y, _ = stacked(taught)
        truth = np.eye(2, dtype=F)[y]
        start, epochs = setting["teacher_start"], setting["teacher_epochs"]
        teacher = Networks((128, 128, 128, 2), [s + 1000 for s in seeds], start, 1e-3)
        order = [s + 500 for s in seeds]
        fit(teacher, x, lambda z, rows: softmax(z) - truth[rows], order, epochs, 128)
        parts = range(0, size, 1000)
        logits = [teacher.forward(self.x[:, p : p + 1000])[-1] for p in parts]
        self.logits = np.concatenate(logits, axis=1)
        self.teacher = self.worst_group(teacher)

    def worst_group(self, networks):
        """In points, one a seed."""
        x, y, a = self.test
        right = networks.forward(x)[-1].argmax(-1) == y
        masks = [(y == c) & (a == d) for c in (0, 1) for d in (0, 1)]
        return 100 * np.min([(right * m).sum(1) / m.sum(1) for m in masks], axis=0)


def stacked(parts):
    x = np.array([p["x"] for p in parts]).reshape(len(parts), -1, 128)
    return x, np.array([p["y"] for p in parts]), np.array([p["a"] for p in parts])


def readout_weights(networks, world, layer, alpha=2.0, beta=3.0):
    """exp(beta m^alpha) where a readout of 60 steps errs, else 1; mean margin of errors."""
    features = networks.forward(world.x)[layer]
    truth = np.eye(2, dtype=F)[world.y]
    width = features.shape[2]
    draws = [np.random.default_rng([9, seed]) for seed in world.seeds]
    limit = np.sqrt(6 / (width + 2))
    kernel = np.array([g.uniform(-limit, limit, (width, 2)) for g in draws], F)
    bias = np.zeros((len(draws), 1, 2), F)
    adam = Adam([kernel, bias], 3e-2)
    for _ in range(60):
        g = (softmax(features @ kernel + bias) - truth) / F(truth.shape[1])
        adam.apply([features.swapaxes(1, 2) @ g, g.sum(1, keepdims=True)])
    p = softmax(features @ kernel + bias)
    margin, wrong = np.abs(p[..., 0] - p[..., 1]), p.argmax(-1) != world.y
    sureness = (margin * wrong).sum(1) / np.maximum(wrong.sum(1), 1)
    return np.where(wrong, np.exp(beta * margin**alpha), 1).astype(F), sureness


def student(world, mixing, weighted, case):
    """Worst group of a student, plain or by early readouts; weights on both terms."""
    networks = Networks((128, *case["units"], 2), world.seeds, case["start"], case["rate"])
    truth, t = np.eye(2, dtype=F)[world.y], F(case["temperature"])
    wanted, weights = softmax(world.logits / t), np.ones(world.y.shape, F)
    moment, every = case["round_at"] or -(-world.y.shape[1] // case["batch"]), case["surest"]
    best, waited = np.full(len(weights), -1.0), np.zeros(len(weights), int)

    def between(step):
        due = step and step % every == 0 if every else step == moment
        if not (weighted and due) or waited.min() >= 3:
            return
        found, sureness = readout_weights(networks, world, case["layer"])
        taken = (sureness > best) & (waited < 3)
        weights[taken], best[taken] = found[taken], sureness[taken]
        waited[:] = np.where(taken, 0, waited + 1)

    def gradient(z, rows):
        follow = mixing * t * (softmax(z / t) - wanted[rows])
        learn = (1 - mixing) * (softmax(z) - truth[rows]) if mixing < 1 else 0
        return weights[rows][..., None] * (follow + learn)

    order = [s + 900 for s in world.seeds]
    fit(networks, world.x, gradient, order, case["epochs"], case["batch"], between)
    return world.worst_group(networks)


def interval(values):
    from scipy.stats import t

    half = t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    mean = values.mean()
    return f"{mean:+5.1f} [{mean - half:+.1f}, {mean + half:+.1f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", default="0-7", help="from-to")
    parser.add_argument("--only", nargs="*", choices=CASES, default=list(CASES))
    options = parser.parse_args()
    low, high = map(int, options.seeds.split("-"))
    seeds, worlds = list(range(low, high + 1)), {}
    for group in options.only:
        for change in CASES[group]:
            setting = {**WORLD, **{k: v for k, v in change.items() if k in WORLD}}
            key = str(setting)
            worlds = {key: worlds[key] if key in worlds else World(seeds, setting)}
            case, told = {**BASE, **change}, ", ".join(f"{k} {v}" for k, v in change.items())
            line = f"{told or 'as above':34s} teacher {worlds[key].teacher.mean():.1f}"
            for mixing in (1.0, 0.5):
                plain = student(worlds[key], mixing, False, case)
                gain = student(worlds[key], mixing, True, case) - plain
                line += f" | mixing {mixing}: plain {plain.mean():.1f}, gain {interval(gain)}"
            print(line, flush=True)


if __name__ == "__main__":
    main()
