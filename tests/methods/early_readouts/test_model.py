import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.methods.early_readouts.tasks import (
    CONFLICT,
    ROWS,
    X,
    Y,
    batches,
    made,
    network,
    same,
    values,
    weights,
)
from tfkit.layers import ConvReadout
from tfkit.losses import Distillation, early_readout_weights
from tfkit.methods.early_readouts import Rounds
from tfkit.methods.early_readouts.passes import over_arrays
from tfkit.methods.early_readouts.teacher import know_teacher
from tfkit.methods.early_readouts.weights import Ledger, effective_sample_size
from tfkit.models import DebiasedDistillation


def test_examples_against_the_shortcut_weigh_most():
    model = made()
    model.fit(X, Y, ROWS, epochs=2, batch_size=50, verbose=0)
    found = weights(model)
    assert found.min() == 1 and found.max() <= np.exp(3)
    assert found[CONFLICT].mean() > 3 and found[~CONFLICT].mean() < 1.2
    assert int(model.ledger.rounds) == 1
    logits = np.asarray(model.probe(X))
    np.testing.assert_allclose(found, early_readout_weights(logits, Y, 2.0, 3.0), rtol=1e-4)
    assert float(model.ledger.effective) == pytest.approx(effective_sample_size(found), rel=1e-5)


def test_a_round_moves_no_bit_of_the_student_and_early_layers_learn_on():
    student = network(8, 8, normalize=True)
    student.layers[-1].trainable = False
    model = made(student, readout_layer="norm_1")
    model.fit(X, Y, ROWS, epochs=1, batch_size=50, verbose=0)
    before, teacher = values(student), values(model.teacher)
    flags = [layer.trainable for layer in student.layers]
    readout = values(model.probe.readout)
    model.reweigh(lambda: [(X, Y, ROWS)])
    assert same(values(student), before)
    assert [layer.trainable for layer in student.layers] == flags
    assert not same(values(model.probe.readout), readout)
    assert len(model.trainable_variables) == len(student.trainable_variables)
    model.fit(X, Y, ROWS, epochs=1, batch_size=50, verbose=0)
    moved = [not np.array_equal(a, b) for a, b in zip(before, values(student), strict=True)]
    assert moved == [True] * 12 + [False] * 2  # statistics too; the frozen layer stays
    assert same(values(model.teacher), teacher)


def test_without_weights_it_is_keras_distillation():
    model = made(beta=0.0)
    model.fit(X, Y, ROWS, epochs=2, batch_size=50, shuffle=False, verbose=0)
    plain, teacher = network(8, 8), network(16, seed=9)
    plain.compile(keras.optimizers.Adam(1e-2), Distillation(3.0))
    plain.fit(X, np.asarray(teacher(X)), epochs=2, batch_size=50, shuffle=False, verbose=0)
    for one, other in zip(values(model.student), values(plain), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_weights_follow_the_sample_through_any_loader():
    straight, shuffled, keyed = (made() for _ in range(3))
    straight.reweigh(over_arrays(X, Y, ROWS))
    order = np.random.default_rng(1).permutation(len(Y))
    for model in (shuffled, keyed):  # the student must stay the same one
        model.optimizer.learning_rate = 0.0
    shuffled.fit(X[order], Y[order], ROWS[order], epochs=2, verbose=0)
    keyed.fit(
        batches(shuffle=3).map(lambda x, y, i: {"inputs": x, "labels": y, "index": i}),
        epochs=2,
        verbose=0,
    )
    assert weights(straight).max() > 2
    np.testing.assert_allclose(weights(shuffled), weights(straight), rtol=1e-4)
    np.testing.assert_allclose(weights(keyed), weights(straight), rtol=1e-4)


@pytest.mark.parametrize("given", ["sample_weight", "whole", "no index"])
def test_ways_to_give_the_training_set(given):
    model = made()
    model.optimizer.learning_rate = 0.0
    told = {"epochs": 2, "verbose": 0}
    if given == "sample_weight":
        model.fit(X, Y, sample_weight=ROWS, **told)
    elif given == "whole":
        model.fit(batches().repeat(), whole=batches(), steps_per_epoch=8, **told)
    else:
        model.fit(X, Y, **told)
    found = early_readout_weights(np.asarray(model.probe(X)), Y, 2.0, 3.0)
    np.testing.assert_allclose(weights(model), found, rtol=1e-4)
    assert weights(model).max() > 2


def rounds_at(every=None, **options):
    """Epochs before which a training of six epochs does a round."""

    class Model:
        memory, first_round, round_every, ledger = "first", 1, 1, Ledger(3, "first")
        epochs, updates = tf.Variable(0), tf.Variable(0)

        def reweigh(self, training_set):
            done.append(int(self.epochs))

    done, model, rounds = [], Model(), Rounds(None, every)
    vars(model).update(options)
    rounds.set_model(model)
    for _ in range(6):
        rounds.on_epoch_begin(0)
        for batch in range(2):
            rounds.on_train_batch_begin(batch)
            model.updates.assign_add(1)
        rounds.on_epoch_end(0)
        if every:
            model.epochs.assign_add(1)
    return done


def test_rounds_come_when_they_are_due():
    assert rounds_at() == [1]
    assert rounds_at(first_round=3) == [3]
    assert rounds_at(first_round=0) == [0]
    assert rounds_at(memory="sticky") == [1, 2, 3, 4, 5]
    assert rounds_at(memory="fresh", round_every=2) == [1, 3, 5]
    assert rounds_at(every=2, memory="fresh", round_every=2) == [1, 3, 5]
    assert rounds_at(every=4, memory="sticky") == [2, 4]  # of two of fit's epochs each


@pytest.mark.parametrize(
    ("memory", "wanted"),
    [
        ("sticky", [[5, 5, 1, 1], [5, 3, 3, 1], [2, 3, 3, 1]]),
        ("fresh", [[5, 5, 1, 1], [1, 3, 3, 1], [2, 1, 1, 1]]),
    ],
)
def test_memory(memory, wanted):
    model = made(num_train=4, memory=memory)
    wrong = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [1, 0, 0, 0]], bool)
    for flagged, level, after in zip(wrong, (5, 3, 2), wanted, strict=True):
        model.ledger.remember(np.arange(4), np.where(flagged, level, 1), np.full(4, 0.5), flagged)
        assert weights(model).tolist() == after
    assert np.asarray(model.ledger.flags).tolist() == [2, 2, 1, 0]


def test_the_surest_round_is_kept():
    model, index = made(num_train=4, memory="surest"), np.arange(4)
    wrong = np.array([True, True, False, False])
    sureness = (0.3, 0.6, 0.5, 0.6, 0.2)
    taken = [
        model.ledger.remember(index, np.full(4, 1 + n), np.full(4, sure), wrong)
        for n, sure in enumerate(sureness)
    ]
    assert taken == [True, True, False, False, False]
    assert weights(model).tolist() == [2] * 4 and model.ledger.is_settled
    assert float(model.ledger.sureness) == pytest.approx(0.6)


def test_a_round_passed_over_leaves_the_readout_as_it_was():
    model = made(memory="surest")
    model.reweigh(lambda: [(X, Y, ROWS)])
    before = values(model.probe), weights(model)
    model.ledger.sureness.assign(1.0)
    model.student.layers[0].kernel.assign(-model.student.layers[0].kernel)
    model.reweigh(lambda: [(X, Y, ROWS)])
    assert same(values(model.probe), before[0]) and np.array_equal(weights(model), before[1])
    assert int(model.ledger.rounds) == 2 and int(model.ledger.waited) == 1


def test_weights_multiply_what_the_mode_says():
    batch = (X[:8], Y[:8], ROWS[:8])
    losses = {}
    for mode in ("kd_only", "both"):
        for level in (1.0, 3.0):
            model = made(mode=mode, mixing=0.5)
            model.sample_weights.assign(np.full(len(Y), level))
            loss, logs = model.objective(batch, training=True)
            losses[mode, level] = float(loss), float(logs["distillation"])
    plain, follow = losses["both", 1.0]
    assert losses["both", 3.0][0] == pytest.approx(3 * plain, rel=1e-5)
    assert losses["kd_only", 3.0][0] == pytest.approx(plain + 2 * 0.5 * follow, rel=1e-5)
    model = made(mode="both", mixing=0.5, normalize_weights=True)
    model.sample_weights.assign(np.full(len(Y), 3.0))
    assert float(model.objective(batch, training=True)[0]) == pytest.approx(plain, rel=1e-5)
    model.normalize_weights = False
    held_out = model.objective(batch, training=False)[0]  # rows of another part have no weight
    assert float(held_out) == pytest.approx(plain, rel=1e-5)


def test_a_known_teacher_teaches_the_same():
    model, batch = made(), (X[5:9], Y[5:9], ROWS[5:9])
    asked = float(model.objective(batch, training=True)[0])
    know_teacher(model, lambda: [(X[::-1], Y, ROWS[::-1])])
    assert model.teacher_table.shape == (400, 2)
    assert float(model.objective(batch, training=True)[0]) == pytest.approx(asked, rel=1e-5)
    know_teacher(model, lambda: [(X[:60], Y, ROWS[:60])])  # does not meet all rows
    assert model.teacher_table is None


def test_three_classes_pictures_and_a_readout_with_batch_statistics():
    generator = np.random.default_rng(0)
    pictures = generator.random((60, 8, 8, 2)).astype("float32")
    labels = generator.integers(0, 3, 60)
    layers = keras.layers
    student = keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            layers.Conv2D(4, 3, name="conv"),
            layers.BatchNormalization(name="norm"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3),
        ]
    )
    teacher = keras.Sequential([keras.Input((8, 8, 2)), layers.Flatten(), layers.Dense(3)])
    readout = ConvReadout(3, depth=1, width=8, normalization="batch")
    model = DebiasedDistillation(
        student, teacher, "norm", 60, readout=readout, readout_epochs=3, readout_batch_size=16
    )
    model.compile("adam", readout_optimizer=keras.optimizers.SGD(0.1, momentum=0.9))
    start = values(readout)
    model.fit(pictures, labels, batch_size=20, epochs=2, verbose=0)
    assert weights(model).max() > 1
    assert all(not np.array_equal(a, b) for a, b in zip(start, values(readout), strict=True))
    once = values(readout)
    model.reweigh(lambda: [(pictures, labels, np.arange(60))])
    model.reweigh(lambda: [(pictures, labels, np.arange(60))])
    assert int(model.readout_optimizer.iterations) == 3 * 4  # each round starts anew
    assert not same(once, values(readout))


def test_too_many_features_are_computed_anew(monkeypatch):
    asked = []

    def training_set(epoch=None):
        asked.append(epoch)
        return over_arrays(X, Y, ROWS)(epoch)

    kept, anew, small = made(), made(), made(readout_epochs=2, readout_batch_size=100)
    kept.reweigh(training_set)
    assert asked == [None]
    monkeypatch.setattr("tfkit.methods.early_readouts.probe._KEPT", 10)
    anew.reweigh(training_set)  # a batch of the pass is the whole set here
    np.testing.assert_allclose(weights(anew), weights(kept), rtol=1e-3)
    asked.clear()
    small.reweigh(training_set)
    assert asked == [None, 0, 1, None] and int(small.readout_optimizer.iterations) == 2 * 4


@pytest.mark.parametrize("memory", ["first", "sticky"])
def test_no_more_are_flagged_than_the_cap_allows(memory):
    model = made(flag_cap=0.02, memory=memory)
    model.reweigh(lambda: [(X, Y, ROWS)])
    heavy = weights(model) > 1
    assert heavy.sum() == 8
    margins = np.asarray(model.ledger.margins)
    everyone = made()
    everyone.reweigh(lambda: [(X, Y, ROWS)])
    wrong = weights(everyone) > 1
    assert margins[heavy].min() >= margins[wrong & ~heavy].max()


def test_a_saved_model_goes_on(tmp_path):
    model = made(memory="sticky", mixing=0.5)
    model.fit(X, Y, epochs=2, batch_size=100, verbose=0)
    model.save(tmp_path / "model.keras")
    model.teacher.save(tmp_path / "teacher.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert same(values(loaded), values(model)) and int(loaded.epochs) == 2
    np.testing.assert_allclose(loaded.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-5)
    loaded.fit(X, Y, epochs=1, batch_size=100, verbose=0)
    assert int(loaded.ledger.rounds) == 2
    taught = made(teacher=str(tmp_path / "teacher.keras"))
    assert same(values(taught.teacher), values(model.teacher))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: made(num_train=None), "num_train must be the number of rows"),
        (lambda: made(readout_layer="hidden_9"), r"hidden_1, hidden_2, logits\), got 'hidden_9'"),
        (lambda: made(teacher=network(4, classes=3)), "the same classes, got 2 and 3"),
        (lambda: made(mixing=1.5), "mixing must be >= 0 and <= 1, got 1.5"),
        (
            lambda: made(memory="none"),
            "memory must be one of first, fresh, sticky, surest, got 'none'",
        ),
        (lambda: made().fit(batches().repeat(), steps_per_epoch=8), "pass whole="),
        (lambda: made().fit(X[:9], Y[:9]), "9 examples without index"),
        (lambda: made().fit(X, Y, ROWS + 1), "0 to 399, got 1 to 400"),
        (lambda: made().fit(X, Y, sample_weight=np.full(400, 0.5)), "it is no sample weight"),
        (lambda: made().fit(batches().map(lambda x, y, i: (x, y))), "got no index"),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_rounds_may_be_given():
    model, passes = made(), []

    def training_set():
        passes.append(int(model.updates))
        return [(X, Y, ROWS)]

    endless = batches(100).repeat()
    rounds = Rounds(training_set, every=4)
    model.fit(endless, epochs=3, steps_per_epoch=3, callbacks=[rounds], verbose=0)
    assert passes == [0, 4]  # the teacher's logits, then the round before the fifth step
