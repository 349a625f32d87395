"""What would silently train something else is refused, or means the same."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.methods.early_readouts.tasks import network, same, shortcut, values
from tfkit.methods.early_readouts import Rounds
from tfkit.methods.early_readouts.passes import arrays_of, over_batches
from tfkit.methods.early_readouts.probe import early_part, frozen_copy
from tfkit.methods.early_readouts.row_numbers import rows_of_batch
from tfkit.methods.early_readouts.weights import Ledger, capped
from tfkit.models import DebiasedDistillation

X, Y, CLEAR = shortcut(rows=80)
ROWS = np.arange(len(Y), dtype="int32")


def made(student=None, teacher=None, compiled=None, **options):
    given = {"readout_layer": "hidden_1", "num_train": len(Y), "readout_epochs": 3, **options}
    model = DebiasedDistillation(student or network(4), teacher or network(6, seed=9), **given)
    # eager: nothing is traced, so that a fit of a few steps is cheap
    model.compile("adam", **{"run_eagerly": True, **(compiled or {})})
    return model


def pass_of(*arrays):
    return tf.data.Dataset.from_tensor_slices(arrays).batch(40)


def fitted(model, *arrays, **options):
    model.fit(*arrays, **{"epochs": 2, "batch_size": 40, "shuffle": False, "verbose": 0, **options})
    return np.asarray(model.sample_weights)


@pytest.mark.parametrize("labels", [Y[:, None], np.eye(2, dtype="float32")[Y]])
def test_labels_in_a_column_or_one_hot_are_the_same_labels(labels):
    wanted, found = (made() for _ in range(2))
    for model, given in ((wanted, Y), (found, labels)):
        model.reweigh(lambda given=given: [(X, given, ROWS)])
    assert np.asarray(wanted.sample_weights).max() > 1
    assert np.asarray(found.ledger.flags).tolist() == np.asarray(wanted.ledger.flags).tolist()


def test_tensors_frames_and_arrays_of_the_whole_set_are_taken():
    pandas = pytest.importorskip("pandas")
    wanted = fitted(made(), X, Y, ROWS)
    for x in (tf.constant(X), pandas.DataFrame(X)):
        np.testing.assert_allclose(fitted(made(), x, Y, ROWS), wanted, rtol=1e-4)
    found = fitted(made(), X, Y, ROWS, whole=(X[::-1], Y[::-1], ROWS[::-1]))
    np.testing.assert_allclose(found, wanted, rtol=1e-4)


def test_rows_may_stand_in_a_tuple_or_beside_it():
    for given, index in (((X, Y), ROWS[::-1]), ((X, Y, ROWS[::-1]), None)):
        assert arrays_of(given, None, index, 80, "Model")[2].tolist() == ROWS[::-1].tolist()
    with pytest.raises(ValueError, match="fit needs labels"):
        arrays_of((X,), None, ROWS, 80, "Model")


def test_an_input_may_have_a_name_and_be_called_inputs():
    def named(units):
        given = keras.Input((6,), name="inputs")
        hidden = keras.layers.Dense(units, "relu", name="hidden_1")(given)
        return keras.Model({"inputs": given}, keras.layers.Dense(2)(hidden))

    assert fitted(made(named(4), named(6)), {"inputs": X}, Y, ROWS).max() > 1


def test_some_rows_may_come_more_often_beside_the_whole_set():
    often = np.concatenate([ROWS, ROWS[:20]])
    model = made()
    assert fitted(model, X[often], Y[often], often, whole=(X, Y, ROWS)).max() > 1
    assert model.teacher_table is None  # what is trained on may be something else


class Endless(keras.utils.PyDataset):
    num_batches = None

    def __getitem__(self, number):
        return X[:40], Y[:40], ROWS[:40]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: made().fit(X, Y, ROWS, sample_weight=np.ones(80)),
            "index and sample_weight are the same",
        ),
        (lambda: made().fit(X, Y, sample_weight=np.ones(80)), "as integers, got float64"),
        (lambda: made().fit(X, Y, np.maximum(ROWS, 1)), "80 examples of 79 rows"),
        (lambda: made().fit(X, Y, ROWS, class_weight={0: 2.0, 1: 1.0}), "takes no class_weight"),
        (lambda: made().fit(X, Y, ROWS, validation_split=0.2), r"pass validation_data=\(x, y\)"),
        (
            lambda: made().fit(X, Y, ROWS, whole=(X, Y, ROWS), callbacks=[Rounds(None)]),
            "whole= or a Rounds",
        ),
        (lambda: made().fit(Endless()), "this endless Endless does not allow"),
        (
            lambda: made().fit(pass_of(X, Y, ROWS).repeat().filter(lambda *_: True)),
            "80 rows, which this .*does not allow",
        ),
        (lambda: made(first_round=0.5), "first_round must be a whole number, got 0.5"),
        (lambda: made(readout_batch_size=2.5), "readout_batch_size must be a whole number"),
        (lambda: made().objective((X, Y, np.ones(80)), training=True), "as integers, got float64"),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_numbers_beyond_the_training_set_are_refused_in_a_step_but_by_xla():
    asked = tf.function(lambda index: rows_of_batch(index, 80, "Model"))
    assert asked(tf.constant([[3], [79]], tf.uint8)).numpy().tolist() == [3, 79]
    for wrong in ([3, 80], [-1, 3]):
        with pytest.raises(tf.errors.InvalidArgumentError, match="training set, 0 to 79"):
            asked(tf.constant(wrong))
    compiled = tf.function(asked.python_function, jit_compile=True)
    assert compiled(tf.constant([3, 80])).shape == (2,)


def test_calls_of_several_steps_must_fit_between_rounds():
    several = {"run_eagerly": False, "steps_per_execution": 2}
    with pytest.raises(ValueError, match=r"steps_per_execution must divide .* got 2, and 3, 2, 0"):
        fitted(made(round_steps=3, compiled=several), X, Y, ROWS)
    with pytest.raises(ValueError, match="got 2, and 2, 3, 0"):
        fitted(made(round_steps=2, compiled=several), X, Y, ROWS, batch_size=27)
    model = made(round_steps=2, memory="fresh", first_round=1, compiled=several)
    fitted(model, X, Y, ROWS, epochs=3)
    assert int(model.ledger.rounds.numpy()) == 2


def test_keras_may_validate_within_fit():
    model = made(first_round=0)
    history = model.fit(X, Y, ROWS, validation_data=(X, Y, ROWS), epochs=1, verbose=0).history
    assert np.isfinite(history["val_loss"]).all()
    assert np.isfinite(model.evaluate(X, Y, index=ROWS, verbose=0)).all()
    with pytest.raises(ValueError, match="index and sample_weight are the same here"):
        model.evaluate(X, Y, index=ROWS, sample_weight=ROWS)


def test_a_round_starts_from_the_same_readout_however_often_compiled_or_saved(tmp_path):
    model = made(readout_epochs=1)
    start = values(model.probe.readout)
    fitted(model, X, Y, ROWS)
    assert not same(values(model.probe.readout), start)
    optimizer = model.readout_optimizer
    model.compile("adam", readout_optimizer=optimizer)  # a used one, which starts anew too
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for one in (model, loaded):
        assert same([v.numpy() for v in one.probe.start], start)
        one.reweigh(lambda: [(X, Y, ROWS)])
        assert int(one.readout_optimizer.iterations.numpy()) == 1
    assert same(values(loaded.probe), values(model.probe))


def test_one_round_is_one_though_fit_was_interrupted():
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.updates.numpy() == 3:
                raise KeyboardInterrupt

    model = made()
    with pytest.raises(KeyboardInterrupt):
        fitted(model, X, Y, ROWS, callbacks=[Stop()])
    assert int(model.epochs.numpy()) == int(model.ledger.rounds.numpy()) == 1
    fitted(model, X, Y, ROWS)
    assert int(model.ledger.rounds.numpy()) == 1


def test_warns_where_no_round_came():
    with pytest.warns(UserWarning, match="there was no round.*first_round is 5, and 4 steps"):
        fitted(made(first_round=5), X, Y, ROWS)


def test_sticky_weights_do_not_gather_beyond_the_cap():
    ledger = Ledger(4, "sticky", flag_cap=0.5)
    for row, weight in enumerate((2.0, 5.0, 3.0)):
        new = np.where(np.arange(4) == row, weight, 1).astype("float32")
        ledger.remember(np.arange(4), new, np.full(4, 0.5, "float32"), new > 1)
    assert ledger.sample_weights.numpy().tolist() == [1, 5, 3, 1]
    assert ledger.flags.numpy().tolist() == [1, 1, 1, 0]  # who erred is told, capped or not
    equal = capped(np.float32([2, 2, 2, 1]), np.array([0.1, 0.9, 0.5, 1]), 0.25)
    assert equal.tolist() == [1, 2, 1, 1]  # the surest
    assert (capped(np.full(100, 2.0), np.zeros(100), 0.29) > 1).sum() == 29


def test_the_teachers_table_is_traced_once_and_left_when_it_is_not_wanted():
    model = made(compiled={"run_eagerly": False})
    fitted(model, X, Y, ROWS)
    table, step = model.teacher_table, model.train_function
    model.teacher.layers[-1].bias.assign([1.0, 0.0])
    fitted(model, X, Y, ROWS)
    assert model.teacher_table is table and model.train_function is step
    np.testing.assert_allclose(table.numpy(), model.teacher(X), rtol=1e-5)
    assert not any(variable.shape == table.shape for variable in model.variables)
    model.cache_teacher = False
    fitted(model, X, Y, ROWS, epochs=1)
    assert model.teacher_table is None and model.train_function is not step
    model.cache_teacher = True
    fitted(model, X, Y, ROWS, epochs=1, whole=(X, Y, ROWS))
    assert model.teacher_table is not None


def test_passes_heed_how_large_examples_are(monkeypatch):
    monkeypatch.setattr("tfkit.classification.evaluation._BYTES", 10 * X[0].nbytes)
    model, sizes = made(cache_teacher=False), []
    asked = model.readout_fit.features
    model.readout_fit.features = lambda x: sizes.append(len(x)) or asked(x)
    fitted(model, X, Y, ROWS)
    assert sizes == [10] * 8


def test_volumes_are_read_out_by_their_means():
    layers = keras.layers
    volume = keras.Sequential(
        [keras.Input((4, 4, 4, 1)), layers.Conv3D(3, 2), layers.Flatten(), layers.Dense(2)]
    )
    assert frozen_copy(early_part(volume, 0, "Model"), pooled=True).output_shape == (None, 3)


def test_a_pass_of_the_right_length_is_gone_through():
    batches = over_batches(pass_of(X, Y, ROWS), "Model", made().labelled, 80)
    assert [len(batch.labels) for batch in batches()] == [40, 40]
