import numpy as np
import pytest

from tests.methods.group_robustness.toys import network, task
from tfkit.models import JTT

X, Y, _ = task()


def test_it_trains_on_its_errors_so_many_times():
    model = JTT(network(), num_train=64, upweight=3)
    assert len(model.rows()) == 64
    wrong = np.arange(64) % 8 == 0
    model.set_errors(wrong)
    np.testing.assert_array_equal(np.bincount(model.rows()), np.where(wrong, 3, 1))


def test_errors_are_in_its_file(tmp_path):
    model = JTT(network(), num_train=64)
    model.compile("sgd")
    model.set_errors(np.arange(64) < 5)
    model.save_weights(tmp_path / "it.weights.h5")
    other = JTT(network(), num_train=64)
    other.load_weights(tmp_path / "it.weights.h5")
    np.testing.assert_array_equal(other.errors.numpy(), np.arange(64) < 5)


@pytest.mark.parametrize("options", [{"num_train": None}, {"num_train": 4, "upweight": 1.5}])
def test_bad_options_are_refused(options):
    with pytest.raises(ValueError, match="num_train must|upweight must"):
        JTT(network(), **options)
