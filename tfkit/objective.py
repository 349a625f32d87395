"""A Keras model that computes its own loss, in one method."""

import keras
import tensorflow as tf
from keras import ops


class ObjectiveModel(keras.Model):
    """Base of models whose loss is one method; the training step differentiates and applies.

        loss, logs = objective(batch, training)
        gradients  = d (loss + regularisation losses of the layers) / d trainable variables

    A subclass names what it logs in `logged`, and computes it in `objective`. That suffices for
    `fit`, `evaluate` and `train_on_batch`, with XLA, `steps_per_execution`, mixed precision and
    `tf.distribute`. `fit` reports means over the examples since the epoch began. A model with a
    second optimizer says in `optimized_variables` and `penalties` what is left to the first.

    A batch is the tensor or dictionary of a data set, or the tuple `(x, y)` where there is a `y`.
    """

    logged: tuple[str, ...] = ()

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.running_means = RunningMeans(("loss", *self.logged))

    def objective(self, batch, training):
        """The scalar loss of a batch, and a dict of the scalars named in `logged`."""
        raise NotImplementedError(f"{type(self).__name__} must define objective(batch, training).")

    @property
    def optimized_variables(self):
        """What `optimizer` updates: all trainable variables."""
        return self.trainable_variables

    def penalties(self):
        """Regularisation losses of layers that count as part of `loss`: all."""
        return self.losses

    def compile(self, optimizer="rmsprop", **kwargs):
        """Set the optimizer and Keras' options; the loss and what is logged are the model's own.

        The optimizer is built here, over this model's variables, because a checkpoint restores
        only the state that exists.
        """
        for name in ("loss", "loss_weights", "metrics", "weighted_metrics"):
            if kwargs.pop(name, None) is not None:
                raise ValueError(
                    f"{type(self).__name__}: compile() takes no {name}, the model computes its "
                    "own; override objective() to change it."
                )
        super().compile(optimizer=optimizer, **kwargs)
        if self.built:
            build_once(self.optimizer, self.optimized_variables)

    def compile_from_config(self, config):
        """Compile as saved (Keras calls it when it loads a `.keras` file)."""
        self.compile(**keras.saving.deserialize_keras_object(config))

    def train_step(self, data):
        """One update; returns the running means of the loss and of what is logged."""
        with tf.GradientTape() as tape:
            loss, _ = self.measured(data, training=True)
            scaled = share_of_replica(self.differentiated(loss), self.optimizer)
        variables = self.optimized_variables
        self.optimizer.apply(tape.gradient(scaled, variables), variables)
        return self.running_means.result()

    def differentiated(self, loss):
        """The loss whose gradient is taken: with terms that are not reported, where there are."""
        return loss

    def test_step(self, data):
        """The same quantities without an update."""
        self.measured(data, training=False)
        return self.running_means.result()

    def measured(self, data, training):
        """The loss with the layers' regularisation, and the logs; both enter the running means."""
        batch = batch_of(data)
        loss, logs = self.objective(batch, training)
        loss = with_penalties(loss, self.penalties())
        rows = ops.shape(keras.tree.flatten(batch)[0])[0]
        self.running_means.update_state({"loss": loss, **logs}, rows)
        return loss, logs


def build_once(optimizer, variables):
    """Give an optimizer its variables; one that scales a loss would else make its own ones anew."""
    if not optimizer.built:
        optimizer.build(variables)


def with_penalties(loss, penalties):
    """A loss and the regularisation losses of layers that belong to it."""
    return loss + ops.sum(ops.stack(penalties)) if penalties else loss


def share_of_replica(loss, optimizer):
    """What a replica differentiates: its share of the mean, since the replicas' gradients are
    summed, as large as mixed precision wants it.
    """
    return optimizer.scale_loss(loss / tf.distribute.get_strategy().num_replicas_in_sync)


class RunningMeans(keras.metrics.Metric):
    """Means of several scalars over the examples seen, in one variable: [their sums, examples]."""

    def __init__(self, names, name="running_means"):
        super().__init__(name=name)
        self.names = tuple(names)
        self.totals = self.add_variable((len(self.names) + 1,), "zeros", name="totals")

    def update_state(self, values, rows):
        """Add one batch: its scalars by name, and its number of examples."""
        if set(values) != set(self.names):
            raise ValueError(
                f"objective() must log {sorted(self.names[1:])} as `logged` says, "
                f"got {sorted(set(values) - {'loss'})}."
            )
        rows = ops.cast(rows, self.totals.dtype)
        scalars = [ops.cast(values[name], self.totals.dtype) for name in self.names]
        self.totals.assign(self.totals + ops.stack([*scalars, 1.0]) * rows)

    def result(self):
        """Means by name; 0 before the first batch."""
        means = self.totals[:-1] / ops.maximum(self.totals[-1], 1.0)
        return {name: means[i] for i, name in enumerate(self.names)}


def batch_of(data):
    """What Keras hands to a step, as the objective takes it: x, (x, y) or (x, y, third)."""
    x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
    if sample_weight is not None:
        return x, y, sample_weight
    return x if y is None else (x, y)
