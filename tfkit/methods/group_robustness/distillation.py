"""Plain knowledge distillation."""

import keras
from keras import ops

from tfkit.classification.classifier import right, weighted_mean
from tfkit.classification.teaching import Taught
from tfkit.losses import distillation_loss


@keras.saving.register_keras_serializable(package="tfkit")
class KnowledgeDistillation(Taught):
    """Plain knowledge distillation: a small network follows a teacher's softened answers.

        loss = mean_b [ mixing T^2 KL(softmax(t_b / T) || softmax(s_b / T))
                        + (1 - mixing) CE(s_b, y_b) ]

    The teacher is frozen. A recipe trains it in a first stage, on the part of the data that is kept
    for a teacher where there is one. No group labels.

    Shapes: inputs [B, ...] -> logits [B, C]
    Needs: inputs, labels
    Logs: loss, accuracy, distillation
    Args:
        student: inputs -> logits [B, C], such as a `perceptron`; functional or Sequential.
        teacher: inputs -> logits, such as a larger `perceptron`, or the `.keras` file of a trained
            one.
        temperature: T, > 0; 3 as in DeDiER's comparison.
        mixing: share of the distillation, in [0, 1]; 1 as there.
        weight_decay: L2 penalty w/2 |v|^2 of the student's variables in the gradient, >= 0.
    References: Hinton et al. 2015, arXiv:1503.02531.
    """

    logged = ("accuracy", "distillation")

    def __init__(
        self,
        student: keras.Model,
        teacher: keras.Model | str,
        temperature: float = 3.0,
        mixing: float = 1.0,
        weight_decay: float = 0.0,
        **kwargs,
    ):
        super().__init__(student, teacher, weight_decay, **kwargs)
        if not 0 < temperature < float("inf"):
            raise ValueError(
                f"KnowledgeDistillation: temperature must be finite and > 0, got {temperature}."
            )
        if not 0 <= mixing <= 1:
            raise ValueError(f"KnowledgeDistillation: mixing must be in [0, 1], got {mixing}.")
        self.temperature, self.mixing = float(temperature), float(mixing)

    def objective(self, batch, training):
        """The mixed loss of a batch, the share of right answers, the distillation alone."""
        given = self.labelled(batch)
        logits = self(given.inputs, training=training)  # [B, C]
        wanted = ops.stop_gradient(self.teacher(given.inputs, training=False))
        follow = distillation_loss(logits, wanted, self.temperature)  # [B]
        loss = self.mixing * follow
        if self.mixing < 1:
            loss += (1 - self.mixing) * self.per_example(given.labels, logits)
        loss, follow = weighted_mean(loss, given.third), ops.mean(follow)
        return loss, {"accuracy": ops.mean(right(given.labels, logits)), "distillation": follow}

    def get_config(self):
        """The networks and the options."""
        options = {"temperature": self.temperature, "mixing": self.mixing}
        return {**super().get_config(), **options}
