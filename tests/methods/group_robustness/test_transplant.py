import numpy as np
import pytest

from tests.methods.group_robustness.toys import network, task
from tfkit.methods.group_robustness import stages
from tfkit.models import DeTT, SimKD

X, Y, _ = task()


def test_it_ends_in_the_teachers_last_layer_which_stays_as_it_is():
    teacher = network((9,), seed=1)
    model = SimKD(network(), teacher)
    before = [v.numpy() for v in teacher.variables]
    model.compile("adam")
    losses = [model.train_on_batch(X, Y, return_dict=True)["loss"] for _ in range(50)]
    assert losses[-1] < 0.7 * losses[0]
    for start, variable in zip(before, teacher.variables, strict=True):
        np.testing.assert_array_equal(start, variable.numpy())
    features = model.projected(X)[0]
    last = teacher.layers[-1]
    np.testing.assert_allclose(model(X), features @ last.kernel.numpy() + last.bias, atol=1e-5)


def test_the_loss_is_the_mean_squared_distance_of_features():
    teacher = network((9,), seed=1)
    model = SimKD(network(), teacher)
    wanted = np.maximum(X @ teacher.layers[1].kernel.numpy() + teacher.layers[1].bias.numpy(), 0)
    apart = np.mean((np.asarray(model.projected(X)[0]) - wanted) ** 2)
    assert float(model.objective((X, Y), True)[0]) == pytest.approx(apart, rel=1e-5)


def test_dett_repeats_errors():
    model = DeTT(network(), network((9,), seed=1), num_train=64, upweight=5)
    model.set_errors(np.arange(64) == 7)
    assert len(model.rows()) == 68


def test_a_copy_of_the_student_may_be_taken_more_than_once():
    model = SimKD(network(), network((9,), seed=1))
    copies = [stages.fresh_copy(model) for _ in range(2)]
    assert copies[0].count_params() == copies[1].count_params() == network().count_params()
    assert SimKD.from_config(model.get_config()).get_config() == model.get_config()
