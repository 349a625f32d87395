"""What a signature may look like."""

import pytest
import tensorflow as tf

from tfkit.errors import UsageError
from tfkit.export.trace import choose, describe, trace
from tfkit.signature import Signature

ROWS = {"images": tf.TensorSpec([None, 3], tf.float32)}


def test_predict_comes_first_and_is_never_dropped():
    available = {"embed": 1, "predict": 2, "step": 3}
    assert list(choose(available, None)) == ["predict", "embed", "step"]
    assert list(choose(available, ["step"])) == ["predict", "step"]
    with pytest.raises(UsageError, match="no signature 'stap'; did you mean step"):
        choose(available, ["stap"])
    with pytest.raises(ValueError, match="must serve `predict`"):
        choose({"embed": 1}, None)


def test_half_precision_leaves_as_float32():
    signature = Signature(lambda images: {"half": tf.cast(images, tf.bfloat16)}, ROWS)
    assert describe(trace("predict", signature)) == {
        "inputs": {"images": {"dtype": "float32", "shape": [None, 3]}},
        "outputs": {"half": {"dtype": "float32", "shape": [None, 3]}},
    }


@pytest.mark.parametrize(
    "function, inputs, words",
    [
        (lambda images: {"mean": tf.reduce_mean(images)}, ROWS, "open batch first"),
        (lambda images: {"two": tf.ensure_shape(images, [2, 3])}, ROWS, "open batch first"),
        (lambda images: {"output_0": images}, ROWS, "name of its own"),
        (lambda images: images, ROWS, "must return a dict"),
        (
            lambda images: {"ragged": tf.boolean_mask(images, images[0] > 0, axis=1)},
            ROWS,
            "open size",
        ),
        (lambda args_0: {"x": args_0}, {"args_0": ROWS["images"]}, "name of its own"),
        (lambda x: {"x": x}, {"x": tf.TensorSpec([2, 3], tf.float32)}, "open batch first"),
    ],
)
def test_refuses(function, inputs, words):
    with pytest.raises(ValueError, match=words):
        trace("predict", Signature(function, inputs))
