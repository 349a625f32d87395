"""What debiasing costs: steps of the feature sieve, epochs of early readouts, against plain ones.

    .venv/bin/python scripts/bench/debias.py                 # both parts
    .venv/bin/python scripts/bench/debias.py sieve --jit

`sieve`: six convolutions on 32 x 32 x 3, batch 64, the sieve behind the second convolution, also
behind its pooling; a step with a linear readout over a step of plain training (`fit` with the same
optimizer) is to be at most 1.6 at forget_every 1 and 1.2 at 5. The published readout (depth 2,
width 256), which alone costs many times the network, is measured beside it with `--published`.
`dedier`: see debias_distillation.py. All take their turn in every round, in one process; printed
are medians of the rounds' ratios. Wall-clock time wants a quiet machine; on a busy one take
`--clock cpu`.
"""

import argparse
import os
import statistics
import time
from functools import partial

CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
TARGETS = {1: 1.6, 5: 1.2}  # by forget_every, of a linear readout
BATCH = 64


def network(seed=0):
    """Six convolutions in three resolutions."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((32, 32, 3))])
    for number, width in enumerate((32, 32, 64, 64, 128, 128), start=1):
        name = f"conv_{number}"
        model.add(layers.Conv2D(width, 3, padding="same", activation="relu", name=name))
        if number in (2, 4):
            model.add(layers.MaxPooling2D(name=f"pool_{number}"))
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(10, name="logits"))
    return model


def trainers(jit, published):
    """Name -> a compiled model."""
    import keras

    from tfkit.layers import ConvReadout, DenseReadout
    from tfkit.models import FeatureSieve

    plain = network()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    plain.compile(keras.optimizers.Adam(1e-3), loss=loss, metrics=["accuracy"], jit_compile=jit)
    found = {"plain": plain}
    cases = [("linear", "conv_2", DenseReadout), ("linear", "pool_2", DenseReadout)]
    if published:
        cases.append(("published", "pool_2", partial(ConvReadout, normalization="batch")))
    for name, layer, readout in cases:
        for forget_every in TARGETS:
            model = FeatureSieve.from_model(
                network(), layer, readout(10), forget_every=forget_every
            )
            model.compile(
                keras.optimizers.Adam(1e-3),
                readout_optimizer=keras.optimizers.Adam(1e-2),
                forget_optimizer=keras.optimizers.SGD(1e-2),
                jit_compile=jit,
            )
            found[f"{name} behind {layer}, F = {forget_every}"] = model
    return found


def sieve(options) -> bool:
    """Print the ratios; whether all targets are met."""
    import numpy as np
    import tensorflow as tf

    generator = np.random.default_rng(0)
    x = generator.random((8 * BATCH, 32, 32, 3)).astype("float32")
    y = generator.integers(0, 10, len(x)).astype("int32")
    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(BATCH).cache().repeat()
    models, clock = trainers(options.jit, options.published), CLOCKS[options.clock]
    seconds = {name: [] for name in models}
    for number in range(options.rounds + 1):
        order = list(models)[:: 1 if number % 2 else -1]
        for name in order:
            began = clock()
            models[name].fit(data, steps_per_epoch=options.steps, verbose=0, shuffle=False)
            if number:  # the round before the first traces and fills caches
                seconds[name].append((clock() - began) / options.steps)
    met = True
    print(f"plain: {1e3 * statistics.median(seconds['plain']):.1f} ms a step")
    for name in list(models)[1:]:
        pairs = zip(seconds[name], seconds["plain"], strict=True)
        ratio = statistics.median(one / other for one, other in pairs)
        target = TARGETS[int(name[-1])] if name.startswith("linear") else None
        told = "" if target is None else f", target {target}"
        print(f"sieve, {name}: {ratio:.2f} times plain{told}", flush=True)
        met &= target is None or ratio <= target
    return met


def main() -> None:
    """One line a case; exit status 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[[], "sieve", "dedier"], default=[])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=30, help="of the sieve, a multiple of 5")
    parser.add_argument("--published", action="store_true", help="and the published readout")
    parser.add_argument("--jit", action="store_true", help="compile steps with XLA")
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="cpu: of all threads")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    parts = options.parts or ["sieve", "dedier"]
    met = sieve(options) if "sieve" in parts else True
    if "dedier" in parts:
        from debias_distillation import dedier

        met = dedier(options) and met
    raise SystemExit(0 if met else 1)


if __name__ == "__main__":
    main()
