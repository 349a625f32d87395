"""Regression with dropout, beside a critic with an optimizer of its own."""

import keras
import tensorflow as tf
from keras import ops

from tfkit.objective import ObjectiveModel


@keras.saving.register_keras_serializable(package="toy")
class Toy(ObjectiveModel):
    """Predicts y from x; a critic predicts the size of the error.

        loss = mean (y - f(x))^2

    Needs: x, y
    Logs: loss, critic
    Args:
        width: units of the hidden layer, >= 1.
        dropout: share of units dropped, in [0, 1).
    References: made for the tests.
    """

    logged = ("critic",)

    def __init__(self, width: int = 8, dropout: float = 0.5, **kwargs):
        super().__init__(**kwargs)
        self.width, self.dropout = width, dropout
        layers = keras.layers
        self.net = keras.Sequential(
            [
                layers.Input((4,)),
                layers.Dense(width, "relu"),
                layers.Dropout(dropout),
                layers.Dense(1),
            ]
        )
        self.critic = keras.Sequential(
            [layers.Input((4,)), layers.Dense(width, "relu"), layers.Dense(1)]
        )
        self.built = True

    def call(self, x):
        """The prediction.  [B, 4] -> [B, 1]"""
        return self.net(x)

    def compile(self, optimizer="sgd", critic_optimizer="sgd", **kwargs):
        """Two optimizers, each built over its own variables."""
        super().compile(optimizer=optimizer, **kwargs)
        self.optimizer = keras.optimizers.get(optimizer)
        self.optimizer.build(self.net.trainable_variables)
        self.critic_optimizer = keras.optimizers.get(critic_optimizer)
        self.critic_optimizer.build(self.critic.trainable_variables)

    def objective(self, batch, training):
        """Both losses."""
        error = batch["y"] - self.net(batch["x"], training=training)
        size = ops.stop_gradient(ops.square(error))
        critic = ops.mean(ops.square(size - self.critic(batch["x"], training=training)))
        return ops.mean(ops.square(error)), {"critic": critic}

    def train_step(self, batch):
        """Both updates from one pass."""
        with tf.GradientTape(persistent=True) as tape:
            loss, logs = self.objective(batch, training=True)
        for optimizer, net, target in (
            (self.optimizer, self.net, loss),
            (self.critic_optimizer, self.critic, logs["critic"]),
        ):
            variables = net.trainable_variables
            optimizer.apply(tape.gradient(target, variables), variables)
        self.running_means.update_state({"loss": loss, **logs}, ops.shape(batch["x"])[0])
        return self.running_means.result()

    def get_config(self):
        """Constructor arguments."""
        return {**super().get_config(), "width": self.width, "dropout": self.dropout}


@keras.saving.register_keras_serializable(package="toy")
class Poisoned(Toy):
    """Toy, until the data hold a number that overflows its critic.

    Needs: x, y
    Logs: loss, critic
    References: made for the tests.
    """
