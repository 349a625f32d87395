"""What a warm-up file may record, and what keeps a version from being served."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from tests.serve import exports
from tests.serve.talking import request
from tests.serve.test_answers import example
from tfkit.export.batching import Batching
from tfkit.serve import warming
from tfkit.serve.servable import Servable


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    home = tmp_path_factory.mktemp("line")
    return exports.write(home / "1")


@pytest.fixture
def servable(folder):
    """A servable that notes what it is asked."""
    found = Servable("line", 1, folder)
    found.asked = []
    real = found._timed
    found._timed = lambda method, known, *given: (
        found.asked.append((method, known.name)),
        real(method, known, *given),
    )[1]
    return found


def record(folder, *logs):
    with tf.io.TFRecordWriter(str(folder / warming.FILE)) as writer:
        for log in logs:
            writer.write(log if isinstance(log, bytes) else log.SerializeToString())


def of(kind, signature):
    log = prediction_log_pb2.PredictionLog()
    asked = getattr(log, f"{kind}_log").request
    if kind == "predict":
        asked.CopyFrom(request({"x": np.zeros([2, 4], np.float32)}, signature))
        return log
    asked.model_spec.signature_name = signature
    asked.input.example_list.examples.append(example(1.0))
    return log


def test_every_kind_is_replayed(folder, servable):
    record(folder, of("predict", "single"), of("classify", "label"), of("regress", "score"))
    assert warming.warm_up(servable) == 3
    assert servable.asked == [("Predict", "single"), ("Classify", "label"), ("Regress", "score")]


def test_what_cannot_be_replayed_is_refused(folder, servable, monkeypatch):
    record(folder, b"\xff\xff no log")
    with pytest.raises(ValueError, match="record 1 is no PredictionLog"):
        warming.warm_up(servable)
    session = prediction_log_pb2.PredictionLog()
    session.session_run_log.SetInParent()
    record(folder, session)
    with pytest.raises(ValueError, match="session_run_log cannot be replayed"):
        warming.warm_up(servable)
    record(folder, of("predict", "nobody"))
    with pytest.raises(Exception, match='"nobody" not found'):
        warming.warm_up(servable)
    monkeypatch.setattr(warming, "MOST_RECORDS", 2)
    record(folder, *[of("predict", "single")] * 3)
    with pytest.raises(ValueError, match="more than 2 records"):
        warming.warm_up(servable)


def test_a_model_in_text_form_is_served_too(folder, tmp_path):
    import shutil

    from google.protobuf import text_format
    from tensorflow.core.protobuf import saved_model_pb2

    copy = shutil.copytree(folder, tmp_path / "1")
    binary = copy / "saved_model.pb"
    model = saved_model_pb2.SavedModel.FromString(binary.read_bytes())
    (copy / "saved_model.pbtxt").write_text(text_format.MessageToString(model))
    binary.unlink()
    found = Servable("line", 1, copy).predict("single", {"x": np.ones([1, 4], np.float32)})
    assert found["y"].tolist() == [[2, 2, 2, 2]]


def test_what_merges_by_itself_is_not_merged_again(tmp_path):
    from tfkit.export.batching import batched

    model = exports.Line()
    spec = tf.TensorSpec([None, 4], tf.float32, name="x")
    merged = batched(lambda x: {"y": model.scale * x}, {"x": spec}, Batching(max_batch_size=8))
    function = tf.function(lambda x: merged({"x": x}), input_signature=[spec])
    tf.saved_model.save(model, str(tmp_path / "1"), signatures={"serving_default": function})
    found = Servable("m", 1, tmp_path / "1", Batching(max_batch_size=8))
    assert found._signatures["serving_default"].together is None
    assert found.predict(None, {"x": np.ones([1, 4], np.float32)})["y"].tolist() == [[2, 2, 2, 2]]
