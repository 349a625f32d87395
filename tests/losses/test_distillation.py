from itertools import permutations
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_softmax, softmax

from tfkit.losses import (
    Distillation,
    debiased_distillation_loss,
    distillation_loss,
    early_readout_weights,
)
from tfkit.losses.distillation import margins

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "early_readouts.npz")
CASES = sorted({key.split("/")[0] for key in GOLDEN.files})
RANDOM = np.random.default_rng(0)
STUDENT, TEACHER = 3 * RANDOM.normal(size=(2, 7, 4))
LABELS = RANDOM.integers(0, 4, 7)
WEIGHTS = RANDOM.uniform(1, 20, 7)


def case_of(name):
    found = {k: GOLDEN[k] for k in GOLDEN.files if k.startswith(f"{name}/")}
    return (
        {k.split("/")[2]: v for k, v in found.items() if "/in/" in k},
        {k.split("/")[2]: v for k, v in found.items() if "/out/" in k},
    )


@pytest.mark.parametrize(("dtype", "rtol"), [("float64", 1e-9), ("float32", 1e-5)])
@pytest.mark.parametrize("name", CASES)
def test_golden(name, dtype, rtol):
    given, wanted = case_of(name)
    if name == "bin_T4_big" and dtype == "float32":
        rtol = 1e-4
    student, teacher, readout = (
        tf.constant(given[key], dtype) for key in ("student_logits", "teacher_logits", "aux_logits")
    )
    weights = early_readout_weights(
        readout, given["y"], float(given["alpha"]), float(given["beta"])
    )
    margin, wrong = margins(readout, given["y"])
    with tf.GradientTape() as tape:
        tape.watch(student)
        loss = debiased_distillation_loss(
            student,
            teacher,
            given["y"],
            weights,
            float(given["T"]),
            float(given["lam"]),
            str(given["weight_mode"]),
        )
    found = {
        "margin": margin,
        "wrong": wrong,
        "weight": weights,
        "kd_per_sample": distillation_loss(student, teacher, float(given["T"])),
        "loss": loss,
        "grad_student_logits": tape.gradient(loss, student),
    }
    for key, value in found.items():
        assert value.dtype in (dtype, "bool")
        scale = np.abs(wanted[key]).max()
        np.testing.assert_allclose(value, wanted[key], rtol=rtol, atol=rtol * scale, err_msg=key)
    if "ref_loss" in wanted:
        np.testing.assert_allclose(loss, wanted["ref_loss"], rtol=rtol)
        np.testing.assert_allclose(found["grad_student_logits"], wanted["ref_grad"], atol=rtol * 99)


@pytest.mark.parametrize("mode", ["kd_only", "both"])
def test_weights_of_one_leave_plain_distillation_and_cross_entropy(mode):
    weights = early_readout_weights(STUDENT, LABELS, alpha=1.0, beta=0.0)
    np.testing.assert_array_equal(weights, np.ones(7))
    found = debiased_distillation_loss(STUDENT, TEACHER, LABELS, weights, 3.0, 0.6, mode)
    entropy = -log_softmax(STUDENT, axis=1)[np.arange(7), LABELS]
    plain = 0.6 * np.mean(distillation_loss(STUDENT, TEACHER, 3.0)) + 0.4 * entropy.mean()
    np.testing.assert_allclose(found, plain, rtol=1e-12)


@pytest.mark.parametrize("temperature", [0.5, 3.0, 50.0])
def test_nothing_to_learn_from_oneself_and_from_a_shift_of_a_row(temperature):
    shift = RANDOM.normal(size=(7, 1)) * 5
    student = tf.constant(STUDENT)
    with tf.GradientTape() as tape:
        tape.watch(student)
        own = debiased_distillation_loss(student, STUDENT + shift, LABELS, WEIGHTS, temperature)
    assert abs(float(own)) < 1e-12
    assert np.abs(tape.gradient(own, student)).max() < 1e-12
    moved = distillation_loss(STUDENT + shift, TEACHER - shift, temperature)
    np.testing.assert_allclose(moved, distillation_loss(STUDENT, TEACHER, temperature), rtol=1e-9)


def test_hot_distillation_is_regression_on_centred_logits():
    student = tf.constant(STUDENT)
    with tf.GradientTape() as tape:
        tape.watch(student)
        loss = debiased_distillation_loss(student, TEACHER, LABELS, WEIGHTS, 1e3, 1.0)
    centred = [a - a.mean(axis=1, keepdims=True) for a in (STUDENT, TEACHER)]
    wanted = WEIGHTS[:, None] * (centred[0] - centred[1]) / (7 * 4)
    room = 1e-3 * np.abs(wanted).max()
    np.testing.assert_allclose(tape.gradient(loss, student), wanted, rtol=1e-3, atol=room)


def test_gradient_is_the_equations():
    student = tf.constant(STUDENT)
    with tf.GradientTape() as tape:
        tape.watch(student)
        loss = debiased_distillation_loss(student, TEACHER, LABELS, WEIGHTS, 2.0, 0.7, "both")
    follow = 0.7 * 2.0 * (softmax(STUDENT / 2, axis=1) - softmax(TEACHER / 2, axis=1))
    learn = 0.3 * (softmax(STUDENT, axis=1) - np.eye(4)[LABELS])
    wanted = WEIGHTS[:, None] * (follow + learn) / 7
    np.testing.assert_allclose(tape.gradient(loss, student), wanted, rtol=1e-10)


def test_right_answers_weigh_one_and_sure_errors_e_to_beta():
    logits = np.array([[900.0, 0, 0], [900.0, 0, 0], [1.0, 1.0, 0]])
    weights = early_readout_weights(logits, np.array([0, 1, 2]), alpha=0.05, beta=4.0)
    np.testing.assert_allclose(weights, [1.0, np.exp(4.0), 1.0], rtol=1e-12)


def test_weight_grows_with_margin_and_with_beta():
    wrong = np.stack([np.linspace(0.1, 5, 9), np.zeros(9)], axis=1)
    ones = np.ones(9, int)
    weak, strong = (np.asarray(early_readout_weights(wrong, ones, 2.0, b)) for b in (1.0, 3.0))
    assert (np.diff(strong) > 0).all() and (strong > weak).all() and (weak > 1).all()


def test_classes_may_be_renumbered():
    logits, labels = STUDENT[:, :3], LABELS % 3
    wanted = early_readout_weights(logits, labels, 0.5, 3.0)
    assert np.max(wanted) > 1
    for order in permutations(range(3)):
        moved = np.argsort(order)[labels]
        found = early_readout_weights(logits[:, list(order)], moved, 0.5, 3.0)
        np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_a_tie_has_finite_gradients_and_a_large_beta_a_finite_weight():
    logits = tf.zeros((2, 2))
    with tf.GradientTape() as tape:
        tape.watch(logits)
        total = tf.reduce_sum(early_readout_weights(logits, [1, 1], alpha=0.05))
    assert float(total) == 2.0 and np.isfinite(tape.gradient(total, logits)).all()
    sure = early_readout_weights(np.float32([[90, 0]]), [1], beta=1000.0)
    np.testing.assert_allclose(sure, [np.exp(20.0)], rtol=1e-5)


def test_keras_loss_weighs_examples():
    loss = Distillation(temperature=2.0)
    found = loss(TEACHER, STUDENT, sample_weight=WEIGHTS)
    wanted = np.mean(WEIGHTS * np.asarray(distillation_loss(STUDENT, TEACHER, 2.0)))
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert again.temperature == 2.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: distillation_loss(STUDENT, TEACHER[:, :3]), r"same shape \[B, K\], got \(7, 4\)"),
        (lambda: distillation_loss(STUDENT, TEACHER, 0.0), "temperature must be finite and > 0"),
        (lambda: early_readout_weights(STUDENT[:, :1], LABELS), "K >= 2"),
        (lambda: early_readout_weights(STUDENT, np.eye(4)[LABELS]), r"labels \[B\] class numbers"),
        (
            lambda: debiased_distillation_loss(STUDENT, TEACHER, LABELS, WEIGHTS, 3.0, 1.5),
            r"mixing must be in \[0, 1\], got 1.5",
        ),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ValueError, match=message):
        call()
