"""Teachers of distillation: given or trained first, then frozen."""

import keras
from keras import ops

from tfkit.classification.classifier import Classifier, right, weighted_mean
from tfkit.classification.networks import NetworkClassifier, logits_of
from tfkit.keras_files import load_model
from tfkit.stage import Stage


def teacher_of(teacher) -> keras.Model:
    """The teacher itself, or that of a `.keras` file, which may be a model made of one network."""
    if not isinstance(teacher, str):
        return teacher
    loaded = load_model(teacher, compile=False)
    return loaded.network if isinstance(loaded, NetworkClassifier) else loaded


def agreed_classes(owner: str, student, teacher) -> int:
    """The number of classes of the student, which must be the teacher's.

    Raises:
        ValueError: they differ, or one of the two is no network of its own.
    """
    given = [logits_of(owner, n, net) for n, net in (("student", student), ("teacher", teacher))]
    if student is teacher:
        raise ValueError(f"{owner}: student and teacher must be two networks, got one.")
    if given[0] != given[1]:
        raise ValueError(
            f"{owner}: student and teacher must have the same classes, got {given[0]} and "
            f"{given[1]}."
        )
    return given[0]


class Taught(NetworkClassifier):
    """A network that learns from a frozen teacher.

    A subclass defines `objective`. `teacher_is_trained` says that a recipe need not train it.
    """

    def __init__(self, network, teacher, weight_decay=0.0, **kwargs):
        super().__init__(network, weight_decay, **kwargs)
        self.teacher_is_trained = isinstance(teacher, str)
        self.teacher = teacher_of(teacher)
        self.teacher.trainable = False

    def compile(self, optimizer="rmsprop", **kwargs):
        """Freeze the teacher, which a stage before may have trained; else as Keras."""
        self.teacher.trainable = False
        super().compile(optimizer=optimizer, **kwargs)

    def get_config(self):
        """The networks and the options."""
        teacher = keras.saving.serialize_keras_object(self.teacher)
        return {**super().get_config(), "teacher": teacher}

    @classmethod
    def from_config(cls, config):
        """Rebuild the networks, then the model."""
        networks = {
            name: keras.saving.deserialize_keras_object(config[name])
            for name in ("student", "teacher")
        }
        return cls(**{**config, **networks})


class Teacher(Classifier):
    """A network trained to classify, before it teaches.

    loss = mean_b CE(f(x_b), y_b)
    """

    def __init__(self, network: keras.Model, **kwargs):
        super().__init__(**kwargs)
        self.network = network
        self.built = True

    def compile(self, optimizer="rmsprop", **kwargs):
        """Thaw the network, which its student keeps frozen; the student's further optimizers have
        nothing to do here.
        """
        self.network.trainable = True
        own = {name: one for name, one in kwargs.items() if not name.endswith("_optimizer")}
        super().compile(optimizer=optimizer, **own)

    def call(self, inputs, training=False):
        """Logits.  [B, ...] -> [B, C]"""
        return self.network(inputs, training=training)

    def objective(self, batch, training):
        """The mean cross-entropy of a batch, and the share of right answers."""
        given = self.labelled(batch)
        logits = self(given.inputs, training=training)  # [B, C]
        loss = weighted_mean(self.per_example(given.labels, logits), given.third)
        return loss, {"accuracy": ops.mean(right(given.labels, logits))}


def teacher_stages(model, source) -> list[Stage]:
    """The stage `teacher`, on the part that the data keep for one where there is such; none where
    a file gave a trained teacher.
    """
    if model.teacher_is_trained:
        return []
    own = _batches if "teacher" in getattr(source, "splits", ()) else None
    return [Stage("teacher", Teacher(model.teacher), batches=own)]


def _batches(assembly, step: int):
    size, seed = assembly.recipe["data"]["batch_size"], assembly.seeds["data"]
    return assembly.source.teacher_train(size, seed=seed, start_step=step).map(assembly.select)
