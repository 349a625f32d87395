"""The loss of a batch and its gradient, against the equations in NumPy."""

import keras
import numpy as np
import pytest
from scipy.special import log_softmax

from tests.methods.early_readouts.tasks import ROWS, X, Y, made, network, values
from tfkit.losses import distillation_loss
from tfkit.models import DebiasedDistillation

FEW = slice(40, 60)
W = np.exp(np.random.default_rng(2).normal(size=len(Y))).astype("float32")  # no two alike


def restless(seed=9):
    """A teacher that answers otherwise in training: dropout, and statistics of other data."""
    teacher = network(16, seed=seed, normalize=True, drop=0.5)
    teacher.get_layer("norm_1").moving_mean.assign(np.linspace(-1, 1, 16))
    return teacher


def equations(logits, taught, wrong_by, w, temperature, mixing, mode, normalize):
    """The formula of the class docstring; `wrong_by` is what learning from labels costs, [B]."""
    w = w / w.mean() if normalize else w
    log_p, log_q = (log_softmax(z / temperature, axis=1) for z in (taught, logits))
    follow = temperature**2 * np.sum(np.exp(log_p) * (log_p - log_q), axis=1)
    return np.mean(mixing * w * follow + (1 - mixing) * (w if mode == "both" else 1) * wrong_by)


@pytest.mark.parametrize(
    ("mode", "temperature", "normalize"),
    [("kd_only", 1.7, False), ("both", 1.7, True), ("both", 5.0, False)],
)
def test_loss_is_the_equations(mode, temperature, normalize):
    student, teacher = network(8, 8, normalize=True), restless()
    options = {"mode": mode, "temperature": temperature, "normalize_weights": normalize}
    model = made(student, teacher, mixing=0.4, **options)
    model.sample_weights.assign(W)
    logits = np.asarray(student(X[FEW], training=True), "float64")  # by the batch's statistics
    taught = np.asarray(teacher(X[FEW], training=False), "float64")
    entropy = -log_softmax(logits, axis=1)[np.arange(20), Y[FEW]]
    wanted = equations(logits, taught, entropy, W[FEW], temperature, 0.4, mode, normalize)
    loss, _ = model.objective((X[FEW], Y[FEW], ROWS[FEW]), training=True)
    assert float(loss) == pytest.approx(wanted, rel=1e-5)


def test_another_loss_of_labels_takes_the_place_of_the_cross_entropy():
    model = made(mixing=0.4)
    smoothed = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.5)
    model.compile("adam", loss=smoothed)
    model.sample_weights.assign(W)
    logits, taught = (np.asarray(n(X[FEW]), "float64") for n in (model.student, model.teacher))
    truth = np.eye(2)[Y[FEW]]
    by = -np.sum((0.5 * truth + 0.25) * log_softmax(logits, axis=1), axis=1)
    loss, _ = model.objective((X[FEW], truth.astype("float32"), ROWS[FEW]), training=True)
    wanted = equations(logits, taught, by, W[FEW], 3.0, 0.4, "kd_only", False)
    assert float(loss) == pytest.approx(wanted, rel=1e-5)


def after_a_step(weight_decay=0.0, regularizer=None):
    """Loss of a step of gradient descent of size 1, the student's kernels before and after."""
    student = network(4)
    student.get_layer("hidden_1").kernel.regularizer = regularizer
    model = DebiasedDistillation(
        student, network(8, seed=9), num_train=len(Y), weight_decay=weight_decay
    )
    model.compile(keras.optimizers.SGD(1.0), run_eagerly=True)
    before = values(student)
    loss = model.train_on_batch(X[FEW], Y[FEW], sample_weight=ROWS[FEW], return_dict=True)["loss"]
    return float(loss), before, values(student)


def test_decay_and_regularisation_of_the_student_are_in_the_gradient():
    loss, before, plain = after_a_step()
    same_loss, _, decayed = after_a_step(weight_decay=0.1)
    for start, one, other in zip(before, plain, decayed, strict=True):
        np.testing.assert_allclose(one - other, 0.1 * start, atol=1e-5)
    assert same_loss == pytest.approx(loss, rel=1e-6)  # the decay is not reported
    higher, _, regular = after_a_step(regularizer=keras.regularizers.L2(0.05))
    assert higher - loss == pytest.approx(0.05 * np.sum(before[0] ** 2), rel=1e-3)
    np.testing.assert_allclose(plain[0] - regular[0], 0.1 * before[0], atol=1e-5)
    np.testing.assert_array_equal(plain[2], regular[2])


def test_a_second_training_follows_the_teacher_as_it_is_then():
    model = made(teacher=restless())
    model.optimizer.learning_rate = 0.0
    for shift in (0.0, 9.0):
        model.teacher.layers[-1].bias.assign([0.0, shift])
        told = model.fit(X, Y, ROWS, epochs=1, batch_size=400, verbose=0).history["distillation"]
        logits, taught = (np.asarray(n(X, training=False)) for n in (model.student, model.teacher))
        np.testing.assert_allclose(model.teacher_table, taught, rtol=1e-4, atol=1e-5)
        wanted = float(np.mean(distillation_loss(logits, taught)))
        assert told == [pytest.approx(wanted, rel=1e-4)]
