"""The figures of the early readouts' README that the model itself gives, pair by pair of one seed.

    .venv/bin/python scripts/bench/early_readouts_pairs.py table --seeds 0-15
    .venv/bin/python scripts/bench/early_readouts_pairs.py order --seeds 0-15
    .venv/bin/python scripts/bench/early_readouts_pairs.py few --seeds 0-7

strip_bias; a teacher of 128 + 128 units, a student of 16 + 16, Adam 1e-3. Data, teacher and student
vary with the seed and are shared by those of a seed. `table`: 12 epochs of batches of 125, in
another order each epoch. `order`: batches of 128 as Keras' seeded `fit` on arrays draws them, in
one order. `few`: 900 examples, 60 epochs of batches of 100, rounds from the fifth epoch on. 50 s a
seed on a core, `few` 2 min. Printed: average and worst group in points, then gains of pairs with
95 % intervals, and the readout's errors where the shortcut contradicts over those where it agrees.
"""

import argparse
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from scipy.stats import t

from tfkit.data import strip_bias
from tfkit.methods.early_readouts.evaluate import evaluate
from tfkit.metrics import group_accuracy
from tfkit.models import DebiasedDistillation
from tfkit.networks.perceptron import perceptron

ENTROPY = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
DIAGNOSIS = ["error_ratio", "margin_ratio"]
PLAIN, BOTH = {"beta": 0.0}, {"mixing": 0.5, "mode": "both"}
PAIRS = {
    "distillation 1": PLAIN,
    "DeDiER 1": {},
    "distillation .5": PLAIN | BOTH,
    "DeDiER .5": BOTH,
}
ONCE, FRESH = {"first_round": 5}, {"first_round": 5, "memory": "fresh"}
CASES = {
    "table": {"size": 6000, "batch": 125, "epochs": 12, "methods": PAIRS},
    "order": {"size": 6000, "batch": 128, "epochs": 12, "methods": PAIRS, "arrays": True},
    "few": {
        "size": 900,
        "batch": 100,
        "epochs": 60,
        "methods": {
            "distillation 1": PLAIN,
            "fresh 1": FRESH,
            "distillation .5": PLAIN | BOTH,
            "once .5": ONCE | BOTH,
            "fresh .5": FRESH | BOTH,
        },
    },
}
GAINS = (
    ("distillation 1", "labels"),
    ("distillation .5", "labels"),
    ("DeDiER 1", "distillation 1"),
    ("DeDiER .5", "distillation .5"),
    ("fresh 1", "distillation 1"),
    ("once .5", "distillation .5"),
    ("fresh .5", "distillation .5"),
)


def fitted(model, source, case, part, seed, keys):
    """The model after all epochs on a part, in one order of batches or in another each epoch."""
    given = {"epochs": case["epochs"], "verbose": 0}
    if case.get("arrays"):
        arrays = (source.splits[part][key] for key in keys)
        model.fit(*arrays, batch_size=case["batch"], **given)
        return model
    drawn = source.drawn(part, case["batch"], seed=seed)
    if "index" in keys:
        given["whole"] = source.in_order("train", 1_000)
    steps = case["size"] // case["batch"]
    batches = drawn.map(lambda batch: tuple(batch[key] for key in keys))
    model.fit(batches, steps_per_epoch=steps, shuffle=False, **given)
    return model


def classifier(source, case, part, seed, order, units):
    """A network that learns from labels alone."""
    keras.utils.set_random_seed(seed)
    network = perceptron((16, 8), 2, units)
    network.compile(keras.optimizers.Adam(1e-3), ENTROPY)
    return fitted(network, source, case, part, order, ("inputs", "labels"))


def student(source, case, teacher, seed, options):
    keras.utils.set_random_seed(seed)
    network = perceptron((16, 8), 2, [16, 16])
    model = DebiasedDistillation(network, teacher, "hidden_1", case["size"], **options)
    keras.utils.set_random_seed(seed + 50)
    model.compile(keras.optimizers.Adam(1e-3))
    return fitted(model, source, case, "train", seed, ("inputs", "labels", "index"))


def scores(network, source):
    """Average and worst group of the test part, in points."""
    part = source.splits["test"]
    chosen = network.predict(part["inputs"], batch_size=1_000, verbose=0).argmax(axis=1)
    found = group_accuracy(part["labels"], chosen, part["groups"])
    return 100 * found["average"], 100 * found["worst_group"]


def of_a_seed(case, seed) -> dict:
    """name -> scores; and the diagnosis by the readout of the first method that has a round."""
    keras.utils.clear_session()
    source = strip_bias.load(seed=seed, train_size=case["size"], teacher_draw=0)
    teacher = classifier(source, case, "teacher", 1000 + seed, 500 + seed, [128, 128])
    labels = classifier(source, case, "train", seed, seed, [16, 16])
    found = {"teacher": scores(teacher, source), "labels": scores(labels, source)}
    for name, options in case["methods"].items():
        model = student(source, case, teacher, seed, options)
        found[name] = scores(model, source)
        if options.get("beta") != 0.0 and "diagnosis" not in found:
            found["diagnosis"] = tuple(evaluate(model, source, "valid", DIAGNOSIS, 0).values())
    return found


def interval(values) -> str:
    """Mean [95 % interval], least and largest."""
    half = t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    mean, ends = values.mean(), f"from {values.min():+.1f} to {values.max():+.1f}"
    return f"{mean:+.1f} [{mean - half:+.1f}, {mean + half:+.1f}], {ends}"


def report(rows: list[dict]) -> None:
    """Means and deviations, gains of pairs, and the diagnosis."""
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    ratios = columns.pop("diagnosis")
    for name, values in columns.items():
        told = (f"{v.mean():.1f} ± {v.std(ddof=1):.1f}" for v in values.T)
        print(f"{name:16s} average {next(told)}, worst group {next(told)}")
    for one, other in GAINS:
        if one in columns:
            gain = (columns[one] - columns[other]).T
            print(
                f"{one} over {other}: worst group {interval(gain[1])}; average {interval(gain[0])}"
            )
    for name, values in zip(DIAGNOSIS, ratios.T, strict=True):
        print(f"{name} {np.median(values):.1f}, from {values.min():.1f} to {values.max():.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("case", choices=CASES)
    parser.add_argument("--seeds", default="0-7", help="from-to")
    options = parser.parse_args()
    low, high = map(int, options.seeds.split("-"))
    rows = []
    for seed in range(low, high + 1):
        rows.append(of_a_seed(CASES[options.case], seed))
        print(
            seed,
            {name: np.round(value, 1).tolist() for name, value in rows[-1].items()},
            flush=True,
        )
    report(rows)


if __name__ == "__main__":
    main()
