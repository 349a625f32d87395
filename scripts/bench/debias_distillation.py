"""What DeDiER's rounds and weights cost over plain distillation; `debias.py dedier` runs it.

Six convolutions on 32 x 32 x 3, batch 64, the teacher's logits known before, so that no teacher's
forward pass hides what the method costs. An epoch of plain distillation is Keras' own `fit` of the
student on these logits. Printed are medians of the rounds' ratios: an epoch without a round; with
one, reading the second convolution, as `memory="fresh"` has in each; and the mean over a training
of 12 epochs with its one round (`memory="first"`), which is to be at most 1.1.
"""

import statistics

BATCH, EXAMPLES, EPOCHS, TARGET = 64, 2048, 12, 1.1


def dedier(options) -> bool:
    """Print the ratios; whether the target is met."""
    import numpy as np
    from debias import CLOCKS

    clock = CLOCKS[options.clock]
    generator = np.random.default_rng(0)
    x = generator.random((EXAMPLES, 32, 32, 3)).astype("float32")
    y = generator.integers(0, 10, EXAMPLES).astype("int32")
    models = trainers(options.jit, x, y)
    seconds = {name: [] for name in models}
    for number in range(options.rounds + 1):
        for name in list(models)[:: 1 if number % 2 else -1]:
            began = clock()
            models[name]()
            if number:  # the turn before the first traces and fills caches
                seconds[name].append(clock() - began)
    plain = seconds["plain"]
    ratios = {
        name: statistics.median(one / other for one, other in zip(times, plain, strict=True))
        for name, times in seconds.items()
    }
    print(f"plain distillation: {statistics.median(plain):.2f} s an epoch of {EXAMPLES} examples")
    without, with_one = ratios["without a round"], ratios["with a round"]
    mean = ((EPOCHS - 1) * without + with_one) / EPOCHS
    print(f"dedier, an epoch without a round: {without:.2f} times plain")
    print(f"dedier, an epoch with a round: {with_one:.2f} times plain")
    print(f"dedier, mean of {EPOCHS} epochs: {mean:.2f} times plain, target {TARGET}", flush=True)
    return mean <= TARGET


def trainers(jit, x, y) -> dict:
    """Name -> a function that trains for an epoch, with the teacher's logits at hand."""
    import keras
    import numpy as np
    from debias import network

    from tfkit.losses import Distillation
    from tfkit.methods.early_readouts import Rounds
    from tfkit.methods.early_readouts.passes import over_arrays
    from tfkit.methods.early_readouts.teacher import know_teacher
    from tfkit.models import DebiasedDistillation

    teacher, plain = network(1), network()
    logits = teacher.predict(x, verbose=0)
    plain.compile(
        keras.optimizers.Adam(1e-3),
        Distillation(),
        metrics=["categorical_accuracy"],
        jit_compile=jit,
    )
    found = {"plain": epoch_of(plain, (x, logits))}
    rows = np.arange(len(x), dtype="int32")
    training_set = over_arrays(x, y, rows)
    for name, first in (("without a round", 10**6), ("with a round", 0)):
        model = DebiasedDistillation(
            network(), teacher, "conv_2", len(x), memory="fresh", first_round=first
        )
        model.compile(keras.optimizers.Adam(1e-3), jit_compile=jit)
        know_teacher(model, training_set)
        found[name] = epoch_of(model, (x, y, rows), callbacks=[Rounds(training_set)])
    return found


def epoch_of(model, arrays, **options):
    """A function that fits a model for one epoch on arrays: by Keras' own `fit`, since the model's
    would ask the teacher again each time.
    """
    import keras
    import tensorflow as tf

    data = tf.data.Dataset.from_tensor_slices(arrays).batch(BATCH).cache()
    return lambda: keras.Model.fit(model, data, verbose=0, shuffle=False, **options)
