import keras
import numpy as np
import pytest

from tests.methods.group_robustness.toys import cross_entropy, network, task
from tfkit.classification.classifier import right, weighted_mean
from tfkit.models import ERM, GroupDRO

X, Y, G = task()


def test_the_loss_is_the_cross_entropy_of_class_numbers_unless_told():
    model = ERM(network())
    model.compile("sgd")
    logits = model(X)
    np.testing.assert_allclose(model.per_example(Y, logits), cross_entropy(logits, Y), rtol=1e-5)
    model.compile("sgd", loss=keras.losses.CategoricalCrossentropy(True, label_smoothing=0.2))
    one_hot = np.eye(2, dtype="float32")[Y]
    smooth = 0.9 * cross_entropy(logits, Y) + 0.1 * cross_entropy(logits, 1 - Y)
    np.testing.assert_allclose(model.per_example(one_hot, logits), smooth, rtol=1e-5)


def test_a_loss_is_in_the_file(tmp_path):
    model = ERM(network())
    model.compile("sgd", loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.save(tmp_path / "it.keras")
    loaded = keras.saving.load_model(tmp_path / "it.keras")
    assert type(loaded.label_loss) is keras.losses.SparseCategoricalCrossentropy
    assert loaded.label_loss.from_logits


def test_a_batch_may_be_a_dictionary_or_a_tuple():
    model = GroupDRO(network(), [1, 2, 3, 4])
    as_dict = model.labelled({"inputs": X, "labels": Y, "groups": G, "index": 3})
    as_tuple = model.labelled((X, Y, G))
    assert all(a is b for a, b in zip(as_dict, as_tuple, strict=True))
    with pytest.raises(ValueError, match=r"\(x, y, groups\)"):
        model.labelled(X)


def test_right_takes_class_numbers_and_one_hot_rows():
    logits = np.array([[1.0, 2.0], [3.0, 0.0]])
    np.testing.assert_array_equal(right(np.array([1, 1]), logits), [1, 0])
    np.testing.assert_array_equal(right(np.array([[0, 1], [0, 1]]), logits), [1, 0])


def test_a_column_of_class_numbers_is_as_good_as_a_row():
    logits = np.array([[1.0, 2.0], [3.0, 0.0]])
    np.testing.assert_array_equal(right(np.array([[1], [1]]), logits), [1, 0])


@pytest.mark.parametrize(
    "loss",
    ["sparse_categorical_crossentropy", keras.losses.SparseCategoricalCrossentropy()],
)
def test_a_loss_of_probabilities_is_refused(loss):
    with pytest.raises(ValueError, match="must take logits"):
        ERM(network()).compile("sgd", loss=loss)


def test_weights_are_not_normalised():
    values = np.float32([1, 2, 3])
    assert float(weighted_mean(values)) == 2
    assert float(weighted_mean(values, np.array([[2], [0], [0]]))) == pytest.approx(2 / 3)
