import keras
import numpy as np
import pytest
from keras import ops

from tfkit.objective import ObjectiveModel


class Regression(ObjectiveModel):
    """Mean squared error, by hand."""

    logged = ("bias",)

    def __init__(self, network):
        super().__init__()
        self.network = network
        self.built = True

    def call(self, x, training=False):
        return self.network(x, training=training)

    def objective(self, batch, training):
        x, y = batch
        error = self.network(x, training=training) - y
        return ops.mean(ops.square(error)), {"bias": ops.mean(error)}


def network():
    keras.utils.set_random_seed(0)
    hidden = keras.layers.Dense(16, activation="tanh", kernel_regularizer="l2")
    return keras.Sequential([keras.Input((4,)), hidden, keras.layers.Dense(1)])


def data(rows=160):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(rows, 4)).astype(np.float32)
    return x, np.sin(x.sum(axis=1, keepdims=True))


def fitted(model, **options):
    model.compile(optimizer=keras.optimizers.Adam(1e-2), **options)
    history = model.fit(*data(), batch_size=16, epochs=2, shuffle=False, verbose=0).history
    return model, history


@pytest.mark.parametrize(
    "options",
    ({}, {"jit_compile": True}, {"steps_per_execution": 4}, {"run_eagerly": True}),
    ids=str,
)
def test_twenty_steps_equal_those_of_plain_keras(options):
    plain, expected = fitted(network(), loss="mse", **options)
    model, history = fitted(Regression(network()), **options)
    for one, other in zip(model.network.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    np.testing.assert_allclose(history["loss"], expected["loss"], rtol=1e-5)
    assert set(history) == {"loss", "bias"}


def test_evaluate_averages_over_examples_of_unequal_batches():
    model, _ = fitted(Regression(network()))
    x, y = data(50)
    logs = model.evaluate(x, y, batch_size=16, verbose=0, return_dict=True)
    error = np.array(model.network(x)) - y
    penalty = float(sum(model.losses))
    assert logs["loss"] == pytest.approx(np.mean(error**2) + penalty, rel=1e-5)
    assert logs["bias"] == pytest.approx(np.mean(error), rel=1e-4)


def test_a_batch_reports_its_own_values_before_the_update():
    model, _ = fitted(Regression(network()))
    x, y = data(16)
    before = model.evaluate(x, y, verbose=0, return_dict=True)
    assert model.train_on_batch(x, y, return_dict=True)["loss"] == pytest.approx(before["loss"])


def test_the_optimizer_is_built_when_compiling():
    model = Regression(network())
    model.compile(optimizer="adam")
    assert len(model.optimizer.variables) == 2 + 2 * len(model.trainable_variables)


def test_what_the_model_owns_is_refused_by_compile():
    model = Regression(network())
    with pytest.raises(ValueError, match=r"Regression: compile\(\) takes no loss"):
        model.compile(optimizer="adam", loss="mse")
    with pytest.raises(ValueError, match="takes no metrics"):
        model.compile(optimizer="adam", metrics=["mae"])


def test_logs_that_were_not_declared_are_named():
    class Undeclared(Regression):
        logged = ()

    model = Undeclared(network())
    model.compile(optimizer="adam", run_eagerly=True)
    with pytest.raises(ValueError, match=r"must log \[\] as `logged` says, got \['bias'\]"):
        model.train_on_batch(*data(16))


def test_a_model_without_an_objective_says_so():
    model = ObjectiveModel()
    with pytest.raises(NotImplementedError, match="ObjectiveModel must define objective"):
        model.objective(None, training=True)
