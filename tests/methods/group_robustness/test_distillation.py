import numpy as np
import pytest

from tests.methods.group_robustness.toys import network, task
from tfkit.models import ERM, KnowledgeDistillation, SimKD

X, Y, _ = task()


def test_without_mixing_it_is_plain_training():
    taught = KnowledgeDistillation(network(), network((9,), seed=1), mixing=0.0)
    plain = ERM(network())
    loss, logs = taught.objective((X, Y), True)
    assert float(loss) == pytest.approx(float(plain.objective((X, Y), True)[0]), rel=1e-6)
    assert float(logs["distillation"]) > 0


def test_a_copy_of_the_teacher_has_nothing_to_learn():
    model = KnowledgeDistillation(network(seed=4), network(seed=4))
    assert float(model.objective((X, Y), True)[0]) == pytest.approx(0, abs=1e-6)


def test_the_teacher_is_frozen_and_the_student_comes_nearer():
    model = KnowledgeDistillation(network(), network((9,), seed=1))
    before = [v.numpy() for v in model.teacher.variables]
    model.compile("adam")
    losses = [model.train_on_batch(X, Y, return_dict=True)["loss"] for _ in range(30)]
    assert losses[-1] < losses[0]
    for start, variable in zip(before, model.teacher.variables, strict=True):
        np.testing.assert_array_equal(start, variable.numpy())


@pytest.mark.parametrize("kind", [KnowledgeDistillation, SimKD])
def test_weights_are_heeded(kind):
    model = kind(network(), network((9,), seed=1))
    halves = [np.float32(np.arange(64) < 32), np.float32(np.arange(64) >= 32)]
    parts = [float(model.objective((X, Y, weights), True)[0]) for weights in halves]
    assert sum(parts) == pytest.approx(float(model.objective((X, Y), True)[0]), rel=1e-5)
    assert parts[0] != pytest.approx(parts[1], rel=1e-3)


def test_a_trained_model_may_be_the_teacher(tmp_path):
    trained = ERM(network((9,), seed=1))
    trained.compile("sgd")
    trained.save(tmp_path / "erm.keras")
    model = KnowledgeDistillation(network(), str(tmp_path / "erm.keras"))
    np.testing.assert_array_equal(model.teacher(X), trained(X))


def test_a_teacher_may_be_a_file(tmp_path):
    teacher = network((9,), seed=1)
    teacher.save(tmp_path / "teacher.keras")
    model = KnowledgeDistillation(network(), str(tmp_path / "teacher.keras"))
    assert model.teacher_is_trained
    np.testing.assert_array_equal(model.teacher(X), teacher(X))


def test_student_and_teacher_must_be_two_networks_of_the_same_classes():
    one = network()
    with pytest.raises(ValueError, match="two networks"):
        KnowledgeDistillation(one, one)
    with pytest.raises(ValueError, match="same classes, got 2 and 3"):
        KnowledgeDistillation(one, network(classes=3))
