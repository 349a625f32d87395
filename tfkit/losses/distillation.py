"""Distillation: a student that follows a teacher's logits, evenly or more where a shortcut errs."""

import math
from typing import Literal

import keras
from keras import ops

from tfkit.losses.precision import at_least_float32

_LARGEST_EXPONENT = 20.0  # e^20 still sums over a batch in float32; a weight beyond it is alone


def distillation_loss(student_logits, teacher_logits, temperature: float = 3.0):
    """Divergence of the student's softened answer from the teacher's, one value per example.

        loss_b = T^2 KL( softmax(t_b / T) || softmax(s_b / T) )        T = temperature

    T^2 keeps the gradient's size as T grows: it tends to (s_k - t_k) / K of logits with their means
    over classes taken off. In nats, never negative, 0 where the two agree up to a constant.

    Shapes: [B, K], [B, K] -> [B]
    Args:
        student_logits: s, tensors and arrays of any floating type.
        teacher_logits: t, of the same shape; a gradient reaches them too, so stop it if they move.
        temperature: T, > 0; 3 is the default of DeDiER's code.
    Raises:
        ValueError: shapes that differ, or a temperature out of range.
    References: Hinton et al. 2015, arXiv:1503.02531, section 2.
    """
    temperature = _positive("distillation_loss", temperature)
    student, teacher = at_least_float32(student_logits, teacher_logits)
    ranks = [len(logits.shape) for logits in (student, teacher)]
    if ranks != [2, 2] or not _may_be_equal(student.shape, teacher.shape):
        raise ValueError(
            "distillation_loss: student_logits and teacher_logits must have the same shape [B, K], "
            f"got {tuple(student.shape)} and {tuple(teacher.shape)}."
        )
    log_p = ops.log_softmax(teacher / temperature, axis=-1)  # [B, K]
    log_q = ops.log_softmax(student / temperature, axis=-1)  # [B, K]
    return temperature**2 * ops.sum(ops.exp(log_p) * (log_p - log_q), axis=-1)  # [B]


def debiased_distillation_loss(
    student_logits,
    teacher_logits,
    labels,
    weights,
    temperature: float = 3.0,
    mixing: float = 1.0,
    mode: Literal["kd_only", "both"] = "kd_only",
):
    """DeDiER's loss: distillation in which every example has its weight, beside cross-entropy.

        loss = mean_b [ mixing w_b T^2 KL(softmax(t_b / T) || softmax(s_b / T))
                        + (1 - mixing) v_b CE(s_b, y_b) ]
        v_b = 1 ("kd_only", the paper's)   or   w_b ("both", the published code's)

    The sum is divided by B, not by the sum of the weights. At mixing 1 the modes are one.

    Shapes: [B, K], [B, K], [B] int, [B] -> []
    Args:
        student_logits: s.
        teacher_logits: t.
        labels: y, class numbers.
        weights: w, as `early_readout_weights` gives them.
        temperature: T, > 0; 3 is the default of the published code.
        mixing: share of the distillation, in [0, 1]; 1 is the published code's (its `kd_alpha`).
        mode: what the weights multiply: "kd_only" or "both".
    Raises:
        ValueError: an option out of range, or shapes that do not fit.
    References: Tiwari et al. 2024, arXiv:2310.18590; code: molereddy/distillation-group-analysis.
    """
    _check_mixing("debiased_distillation_loss", mixing, mode)
    distillation = distillation_loss(student_logits, teacher_logits, temperature)  # [B]
    weights = ops.cast(ops.convert_to_tensor(weights), distillation.dtype)
    if len(weights.shape) != 1 or not _may_be_equal(weights.shape, distillation.shape):
        raise ValueError(
            "debiased_distillation_loss: weights must be [B], one for each example, got shape "
            f"{tuple(weights.shape)} for logits {tuple(ops.shape(student_logits))}."
        )
    logits = ops.cast(student_logits, distillation.dtype)
    entropy = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)  # [B]
    return ops.mean(mixed(distillation, entropy, weights, mixing, mode))


def mixed(distillation, label_loss, weights, mixing, mode):
    """The two losses of every example, mixed and weighted.  [B], [B], [B] -> [B]

    Args:
        distillation: of every example.
        label_loss: of every example; None where mixing is 1.
        weights: w.
        mixing: share of the distillation.
        mode: "kd_only" or "both".
    """
    total = mixing * weights * distillation
    if mixing < 1:
        total = total + (1 - mixing) * (weights if mode == "both" else 1.0) * label_loss
    return total


def early_readout_weights(readout_logits, labels, alpha: float = 2.0, beta: float = 3.0):
    """Weights of examples: large where a readout of an early layer errs with confidence.

        w_b = exp(beta m_b^alpha)   where the readout's most probable class is not y_b, else 1
        m_b = largest - second largest of softmax(readout_logits_b)

    Between 1 and e^beta; 1 where the two largest are equal. With alpha near 0 the weights are
    nearly two-valued, with alpha >= 1 confidence matters. The exponent is cut at 20.

    Shapes: [B, K], [B] int -> [B]
    Args:
        readout_logits: of any number of classes K >= 2.
        labels: y, class numbers.
        alpha: power of the margin, >= 0; 0.05 to 0.2 are the published ones, 2 this toolkit's.
        beta: logarithm of the largest weight, >= 0; 3 to 4 are published, 0 weighs all alike.
    Raises:
        ValueError: an option out of range, or logits without two classes.
    References: Tiwari et al. 2024, arXiv:2310.18590, equation 2.
    """
    for name, value in (("alpha", alpha), ("beta", beta)):
        if not (math.isfinite(value) and value >= 0):
            raise ValueError(f"early_readout_weights: {name} must be finite and >= 0, got {value}.")
    margin, wrong = margins(readout_logits, labels)  # [B], [B]
    confident = ops.logical_and(wrong, margin > 0)
    # 0^alpha has no gradient: where it is not looked at, the base is 1
    base = ops.where(confident, margin, ops.ones_like(margin))
    exponent = ops.minimum(beta * ops.power(base, alpha), _LARGEST_EXPONENT)
    return ops.where(confident, ops.exp(exponent), ops.ones_like(margin))


def margins(readout_logits, labels):
    """Confidence of a readout, and whether it errs.  [B, K], [B] int -> [B], [B] bool

    Args:
        readout_logits: of K >= 2 classes.
        labels: class numbers.
    Raises:
        ValueError: logits without two classes, or labels of another rank.
    """
    (logits,) = at_least_float32(readout_logits)
    labels = ops.convert_to_tensor(labels)
    if len(logits.shape) != 2 or logits.shape[1] < 2 or len(labels.shape) != 1:
        raise ValueError(
            "early_readout_weights: readout_logits must be [B, K] with K >= 2 and labels [B] class "
            f"numbers, got shapes {tuple(logits.shape)} and {tuple(labels.shape)}."
        )
    largest, _ = ops.top_k(ops.softmax(logits, axis=-1), k=2)  # [B, 2]
    chosen = ops.argmax(logits, axis=-1)
    return largest[:, 0] - largest[:, 1], ops.not_equal(chosen, ops.cast(labels, chosen.dtype))


@keras.saving.register_keras_serializable(package="tfkit")
class Distillation(keras.losses.Loss):
    """`distillation_loss` as a Keras loss: y_true are the teacher's logits, y_pred the student's.

        loss = mean_b sample_weight_b T^2 KL( softmax(t_b / T) || softmax(s_b / T) )

    Computed on logarithms and reduced last, so that `sample_weight` weighs examples.

    Shapes: [B, K], [B, K] -> []
    Args:
        temperature: T, > 0; 3 is the default of DeDiER's code.
        reduction: Keras': "sum_over_batch_size" divides by B, not by the sum of the weights.
        name: the loss's name.
    References: Hinton et al. 2015, arXiv:1503.02531, section 2.
    """

    def __init__(
        self,
        temperature: float = 3.0,
        reduction: str = "sum_over_batch_size",
        name: str = "distillation",
        **kwargs,
    ):
        super().__init__(name=name, reduction=reduction, **kwargs)
        self.temperature = _positive("Distillation", temperature)

    def call(self, y_true, y_pred):
        """One value per example.  [B, K] of the teacher, [B, K] of the student -> [B]"""
        return distillation_loss(y_pred, y_true, self.temperature)

    def get_config(self):
        """The arguments."""
        return {**super().get_config(), "temperature": self.temperature}


def _may_be_equal(one, other) -> bool:
    """Whether shapes of one rank agree as far as they are known while a graph is traced."""
    return all(a == b for a, b in zip(one, other, strict=True) if None not in (a, b))


def _positive(owner, temperature):
    if not (math.isfinite(temperature) and temperature > 0):
        raise ValueError(f"{owner}: temperature must be finite and > 0, got {temperature}.")
    return float(temperature)


def _check_mixing(owner, mixing, mode):
    if not 0 <= mixing <= 1:
        raise ValueError(f"{owner}: mixing must be in [0, 1], got {mixing}.")
    if mode not in ("kd_only", "both"):
        raise ValueError(f'{owner}: mode must be "kd_only" or "both", got {mode!r}.')
