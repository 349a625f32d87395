"""On strip_bias: what the readout shows, and what the weights gain."""

import keras
import numpy as np
import pytest
from scipy import stats

from tfkit.data import strip_bias
from tfkit.methods.early_readouts.evaluate import evaluate
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


def of_labels(source, seed):
    keras.utils.set_random_seed(seed)
    network = perceptron((16, 8), 2, [16, 16])
    network.compile(keras.optimizers.Adam(1e-3), ENTROPY)
    network.fit(batches(source, "train", seed, "inputs", "labels"), epochs=12, **TRAINING)
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


@pytest.fixture(scope="module")
def pairs():
    """Of eight seeds: worst groups of the plain and the weighted student, and the diagnosis."""
    found = []
    for seed in range(8):
        keras.utils.clear_session()
        source = strip_bias.load(seed=seed)
        teacher = teacher_of(source, seed, epochs=12)
        plain = distilled(source, teacher, seed, 12, mixing=0.5, beta=0.0)
        weighted = distilled(source, teacher, seed, 12, mixing=0.5, mode="both")
        row = evaluate(weighted, source, "valid", ["error_ratio", "margin_ratio"], 0)
        row |= {"plain": worst_group(plain, source), "weighted": worst_group(weighted, source)}
        if seed < 3:
            row["labels"] = worst_group(of_labels(source, seed), source)
        found.append(row)
    return found


@pytest.mark.slow
def test_weights_gain_where_labels_and_teacher_share_the_loss(pairs):
    gains = [row["weighted"] - row["plain"] for row in pairs]
    half = stats.t.ppf(0.975, 7) * np.std(gains, ddof=1) / np.sqrt(8)
    assert np.mean(gains) - half > 0, gains


@pytest.mark.slow
def test_a_student_of_labels_alone_is_far_below_a_distilled_one(pairs):
    behind = [row["plain"] - row["labels"] for row in pairs if "labels" in row]
    assert len(behind) == 3 and min(behind) >= 12, behind


@pytest.mark.slow
def test_the_readout_tells_who_is_in_conflict_on_every_seed(pairs):
    assert min(row["error_ratio"] for row in pairs) >= 10, pairs
    assert min(row["margin_ratio"] for row in pairs) >= 1.3, pairs
