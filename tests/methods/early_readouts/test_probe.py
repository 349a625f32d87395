"""The readout: what it sees, how it is fitted anew, and what a `.keras` file keeps of it."""

import keras
import numpy as np

from tests.methods.early_readouts.tasks import ROWS, X, Y, made, network, same, values, weights
from tfkit.layers import ConvReadout

ORDER = np.random.default_rng(4).permutation(len(Y))
WHOLE = [(X, Y, ROWS)]


def test_weights_are_the_equation_of_what_the_early_layers_give_at_inference():
    student = network(8, 8, normalize=True, drop=0.5)
    student.get_layer("norm_1").moving_mean.assign(np.linspace(-0.5, 0.5, 8))
    model = made(student, readout_layer="drop_1", alpha=0.7, beta=1.3)
    model.reweigh(lambda: WHOLE)
    early = keras.Model(student.inputs[0], student.get_layer("norm_1").output)
    kernel, bias = values(model.probe.readout)
    scores = np.asarray(early(X, training=False), "float64") @ kernel + bias
    margin = np.abs(np.tanh((scores[:, 1] - scores[:, 0]) / 2))  # of two probabilities
    wrong = scores.argmax(axis=1) != Y
    wanted = np.where(wrong, np.exp(1.3 * margin**0.7), 1.0)
    assert wrong.any()
    np.testing.assert_allclose(weights(model), wanted, rtol=1e-4)
    np.testing.assert_allclose(model.ledger.margins, margin, rtol=1e-3, atol=1e-6)


def test_rounds_of_one_student_fit_one_readout_whatever_the_loaders_order():
    model = made(memory="fresh", readout_epochs=3, readout_batch_size=50)
    model.reweigh(lambda: WHOLE)
    once, first = values(model.probe.readout), weights(model)
    model.reweigh(lambda: [(X[ORDER], Y[ORDER], ROWS[ORDER])])
    for one, other in zip(once, values(model.probe.readout), strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(weights(model), first, rtol=1e-4)


def test_a_readouts_own_regularisation_holds_it_small():
    sizes = []
    for strength in (0.0, 10.0):
        keras.utils.set_random_seed(1)
        regularizer = keras.regularizers.L2(strength)
        readout = keras.layers.Dense(2, kernel_regularizer=regularizer)
        model = made(readout=readout)
        model.reweigh(lambda: WHOLE)
        sizes.append(np.abs(values(readout)[0]).mean())
    assert sizes[1] < 0.2 * sizes[0]


def test_readout_and_its_optimizer_are_saved(tmp_path):
    pictures, labels = X[:, :4].reshape(-1, 2, 2, 1), Y
    layers = keras.layers
    keras.utils.set_random_seed(0)
    student, teacher = (
        keras.Sequential(
            [
                keras.Input((2, 2, 1)),
                layers.Conv2D(3, 2, padding="same", name="conv"),
                layers.Flatten(),
                layers.Dense(2),
            ]
        )
        for _ in range(2)
    )
    readout = ConvReadout(2, depth=1, width=4, normalization="batch")
    model = made(
        student,
        teacher,
        readout_layer="conv",
        readout=readout,
        readout_epochs=1,
        readout_batch_size=100,
        cache_teacher=False,
    )
    model.compile("adam", readout_optimizer=keras.optimizers.SGD(0.1, momentum=0.8))
    model.fit(pictures, labels, ROWS, batch_size=200, epochs=2, verbose=0)
    assert model.teacher_table is None
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert isinstance(loaded.probe.readout, ConvReadout) and not loaded.cache_teacher
    optimizer = loaded.readout_optimizer.get_config()
    assert optimizer == model.readout_optimizer.get_config() and optimizer["momentum"] == 0.8
    assert same(values(loaded.probe), values(model.probe))
