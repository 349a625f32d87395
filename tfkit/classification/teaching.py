"""Teachers of distillation: given or trained first, then frozen."""

import keras

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
    """A network, the student, that learns from a frozen teacher.

    A subclass defines `objective`. `teacher_is_trained` says that a recipe need not train it.
    """

    def __init__(self, student, teacher, weight_decay=0.0, **kwargs):
        known = teacher_of(teacher)
        agreed_classes(type(self).__name__, student, known)
        super().__init__(student, weight_decay, **kwargs)
        self.teacher_is_trained = isinstance(teacher, str)
        self.teacher = known
        self.teacher.trainable = False

    def compile(self, optimizer="rmsprop", **kwargs):
        """Freeze the teacher, which a stage before may have trained; else as Keras."""
        self.teacher.trainable = False
        super().compile(optimizer=optimizer, **kwargs)

    def get_config(self):
        """The networks and the options."""
        config = super().get_config()
        student, teacher = config.pop("network"), keras.saving.serialize_keras_object(self.teacher)
        return {**config, "student": student, "teacher": teacher}

    @classmethod
    def from_config(cls, config):
        """Rebuild the networks, then the model."""
        networks = {
            name: keras.saving.deserialize_keras_object(config[name])
            for name in ("student", "teacher")
        }
        return cls(**{**config, **networks})


class Teacher(NetworkClassifier):
    """A network trained to classify, before it teaches.

    loss = mean_b CE(f(x_b), y_b)
    """

    def compile(self, optimizer="rmsprop", **kwargs):
        """Thaw the network, which its student keeps frozen; the student's further optimizers have
        nothing to do here.
        """
        self.network.trainable = True
        own = {name: one for name, one in kwargs.items() if not name.endswith("_optimizer")}
        super().compile(optimizer=optimizer, **own)


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
    drawn = assembly.source.drawn("teacher", size, seed=seed, start_step=step)
    return drawn.map(assembly.select)
