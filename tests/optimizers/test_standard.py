import keras
import numpy as np
import pytest

from tfkit.optimizers import adam, adamw, rmsprop, sgd

PAIRS = [
    (adam, keras.optimizers.Adam),
    (adamw, keras.optimizers.AdamW),
    (sgd, keras.optimizers.SGD),
    (rmsprop, keras.optimizers.RMSprop),
]


@pytest.mark.parametrize("ours, theirs", PAIRS, ids=lambda f: f.__name__)
def test_defaults_are_keras_own(ours, theirs):
    assert ours().get_config() | {"name": ""} == theirs().get_config() | {"name": ""}


@pytest.mark.parametrize(
    "ours, options",
    [
        (
            adam,
            {"learning_rate": 0.1, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-8, "amsgrad": True},
        ),
        (adamw, {"learning_rate": 0.1, "weight_decay": 0.2, "beta_1": 0.5, "global_clipnorm": 1.0}),
        (sgd, {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
        (rmsprop, {"learning_rate": 0.1, "rho": 0.5, "momentum": 0.3, "centered": True}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_every_option_arrives(ours, options):
    config = ours(**options).get_config()
    assert {name: pytest.approx(config[name]) for name in options} == options


def test_the_gradient_is_clipped_as_a_whole():
    weights = [keras.Variable(np.zeros(2)), keras.Variable(np.zeros(1))]
    optimizer = sgd(learning_rate=1.0, global_clipnorm=1.0)
    optimizer.apply([np.array([3.0, 0.0]), np.array([4.0])], weights)
    step = np.concatenate([-weight.numpy() for weight in weights])
    np.testing.assert_allclose(step, [0.6, 0.0, 0.8], rtol=1e-6)
