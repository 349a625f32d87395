"""Students that end in their teacher's last layer."""

import json

import keras
from keras import layers, ops

from tfkit.classification.classifier import right, weighted_mean
from tfkit.classification.networks import features_of, last_dense
from tfkit.classification.teaching import Taught, agreed_classes, teacher_of
from tfkit.methods.group_robustness.balance import upsampled_rows
from tfkit.methods.group_robustness.errors import counted, errors_variable, told


class Transplanted(Taught):
    """A student whose features, projected, feed its teacher's last layer."""

    def __init__(self, student, teacher, weight_decay=0.0, **kwargs):
        owner = type(self).__name__
        trained, teacher = isinstance(teacher, str), teacher_of(teacher)
        agreed_classes(owner, student, teacher)
        last = last_dense(owner, "teacher", teacher)
        own = features_of(owner, "student", student)
        features = own.output  # [B, Ds]
        width = last.input.shape[-1]
        hidden = layers.Dense(max(1, width // 2), activation="relu", name="projector_1")(features)
        projected = layers.Dense(width, name="projector_2")(hidden)  # [B, D]
        network = keras.Model(student.input, last(projected), name="transplanted")
        super().__init__(network, teacher, weight_decay, **kwargs)
        self.teacher_is_trained = trained
        # kept in words, as it was given: its own last layer is no part of this model
        self._student = json.dumps(keras.saving.serialize_keras_object(student))
        self.student_features = own
        self.projected = keras.Model(student.input, [projected, network.output])
        self.teacher_features = features_of(owner, "teacher", self.teacher)

    @property
    def student_config(self) -> dict:
        """The student as it was given, to be built again."""
        return json.loads(self._student)

    def objective(self, batch, training):
        """The distance of the features, and the share of right answers."""
        given = self.labelled(batch)
        features, logits = self.projected(given.inputs, training=training)  # [B, D], [B, C]
        wanted = ops.stop_gradient(self.teacher_features(given.inputs, training=False))
        apart = ops.square(ops.cast(features, "float32") - ops.cast(wanted, "float32"))
        loss = weighted_mean(ops.mean(apart, axis=-1), given.third)
        return loss, {"accuracy": ops.mean(right(given.labels, logits))}

    def get_config(self):
        """The networks and the options."""
        return {**super().get_config(), "student": self.student_config}


@keras.saving.register_keras_serializable(package="tfkit")
class SimKD(Transplanted):
    """Distillation through the teacher's own classifier: the student learns features alone.

        loss   = mean_b |h(f_s(x_b)) - f_t(x_b)|^2 / D        f: what the last layer takes, [D]
        logits = W_t h(f_s(x)) + c_t                          the teacher's last layer, frozen

    h projects the student's features: Dense D/2, ReLU, Dense D. (The paper's features are maps, and
    its projector convolutions.) The student's own last layer is left away. A recipe trains the
    teacher in a first stage. No group labels.

    Shapes: inputs [B, ...] -> logits [B, C]
    Needs: inputs, labels
    Logs: loss, accuracy
    Args:
        student: inputs -> logits [B, C], such as a `perceptron`; its last layer a Dense.
        teacher: inputs -> logits, such as a larger `perceptron`, or the `.keras` file of a trained
            one.
        weight_decay: L2 penalty w/2 |v|^2 of the student's variables in the gradient, >= 0.
    References: Chen et al. 2022, arXiv:2203.14001.
    """

    def __init__(
        self,
        student: keras.Model,
        teacher: keras.Model | str,
        weight_decay: float = 0.0,
        **kwargs,
    ):
        super().__init__(student, teacher, weight_decay, **kwargs)


@keras.saving.register_keras_serializable(package="tfkit")
class DeTT(Transplanted):
    """Debiased distillation by transplanting the last layer.

        identify   loss_1 = mean_b CE(f_1(x_b), y_b)        for a few steps
        errors     E      = {i: argmax f_1(x_i) != y_i}     over the training set
        train      as SimKD, on the training set with E repeated

    A debiased teacher's last layer does not weigh what misleads, so the student takes it over and
    learns its features, more from the examples that a short plain training gets wrong. A recipe has
    the stages teacher, identify, errors, train. From Python: `model.set_errors(wrong)`, `rows =
    model.rows()`, `model.fit(x[rows], y[rows])`. No group labels in training.

    Shapes: inputs [B, ...] -> logits [B, C]
    Needs: inputs, labels
    Logs: loss, accuracy
    Args:
        student: inputs -> logits [B, C], such as a `perceptron`; its last layer a Dense.
        teacher: inputs -> logits, such as a larger `perceptron`, or the `.keras` file of a trained
            one.
        num_train: N, rows of the training set; in a recipe null, for the data tell it.
        upweight: times that an error is repeated, >= 1.
        identify_epochs: of the first training in a recipe, >= 1.
        weight_decay: L2 penalty w/2 |v|^2 of the student's variables in the gradient, >= 0.
    References: Lee et al. 2023, arXiv:2302.11187.
    """

    def __init__(
        self,
        student: keras.Model,
        teacher: keras.Model | str,
        num_train: int | None = None,
        upweight: int = 50,
        identify_epochs: int = 1,
        weight_decay: float = 0.0,
        **kwargs,
    ):
        super().__init__(student, teacher, weight_decay, **kwargs)
        self.upweight = counted("DeTT", "upweight", upweight)
        self.identify_epochs = counted("DeTT", "identify_epochs", identify_epochs)
        self.errors = errors_variable(self, num_train)

    def set_errors(self, wrong):
        """Remember which rows of the training set the first training got wrong.  [N] bool"""
        self.errors.assign(ops.cast(wrong, "int8"))

    def rows(self):
        """Rows to train on, errors repeated.  -> [M] int"""
        return upsampled_rows(ops.convert_to_numpy(self.errors), self.upweight)

    def get_config(self):
        """The networks and the options."""
        return {**super().get_config(), **told(self)}
