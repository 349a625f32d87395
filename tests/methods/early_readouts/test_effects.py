"""On strip_bias: what the readout shows, and what the weights gain."""

import keras
import numpy as np
import pytest
from scipy import stats

from tfkit.data import strip_bias
from tfkit.metrics import group_accuracy
from tfkit.models import DebiasedDistillation
from tfkit.networks.perceptron import perceptron

ENTROPY = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
TRAINING = {"steps_per_epoch": 48, "verbose": 0, "shuffle": False}


def batches(source, part, seed, *keys):
    """Of 125, in another order each epoch, which a seeded `fit` on arrays has not."""
    return source.drawn(part, 125, seed=seed).map(lambda batch: tuple(batch[k] for k in keys))


def teacher_of(source, seed, epochs):
    keras.utils.set_random_seed(1000 + seed)
    network = perceptron((16, 8), 2, [128, 128])
    network.compile("adam", ENTROPY)
    taught = batches(source, "teacher", 500 + seed, "inputs", "labels")
    network.fit(taught, epochs=epochs, **TRAINING)
    return network


def distilled(source, teacher, seed, epochs, **options):
    keras.utils.set_random_seed(seed)
    student = perceptron((16, 8), 2, [16, 16])
    model = DebiasedDistillation(student, teacher, "hidden_1", 6_000, **options)
    model.compile(keras.optimizers.Adam(1e-3))
    drawn = batches(source, "train", seed, "inputs", "labels", "index")
    model.fit(drawn, whole=source.in_order("train", 1_000), epochs=epochs, **TRAINING)
    return model


def worst_group(model, source):
    part = source.splits["test"]
    chosen = model.predict(part["inputs"], batch_size=1000, verbose=0).argmax(axis=1)
    return 100 * group_accuracy(part["labels"], chosen, part["groups"])["worst_group"]


def test_an_early_readout_errs_surely_where_the_shortcut_contradicts():
    source = strip_bias.load(seed=1)
    model = distilled(source, teacher_of(source, 1, epochs=1), 1, epochs=2)
    ledger = model.ledger
    part, margin = source.splits["train"], np.asarray(ledger.margins)
    against, wrong = part["groups"] % 2 != part["labels"], np.asarray(ledger.flags) > 0
    assert wrong[against].mean() >= 10 * wrong[~against].mean()
    assert margin[against & wrong].mean() >= 1.3 * margin[~against & wrong].mean()
    weights = np.asarray(model.sample_weights)
    means = [weights[part["groups"] == k].mean() for k in range(4)]  # label x attribute
    assert min(means[1], means[2]) > 2 > 1.2 > max(means[0], means[3])


@pytest.mark.slow
def test_weights_gain_where_labels_and_teacher_share_the_loss():
    gains = []
    for seed in range(8):
        keras.utils.clear_session()
        source = strip_bias.load(seed=seed)
        teacher = teacher_of(source, seed, epochs=12)
        scores = [
            worst_group(distilled(source, teacher, seed, 12, mixing=0.5, **o), source)
            for o in ({"beta": 0.0}, {"mode": "both"})
        ]
        gains.append(scores[1] - scores[0])
    half = stats.t.ppf(0.975, 7) * np.std(gains, ddof=1) / np.sqrt(8)
    assert np.mean(gains) - half > 0, gains
