"""TF Serving's own protos read the warm-up file."""

from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2


def test_one_request_per_signature_and_batch(exported):
    _, _, record, rows = exported
    path = Path(record["folder"]) / "assets.extra/tf_serving_warmup_requests"
    logs = [
        prediction_log_pb2.PredictionLog.FromString(raw.numpy())
        for raw in tf.data.TFRecordDataset(str(path))
    ]
    requests = [log.predict_log.request for log in logs]
    seen = [
        (r.model_spec.signature_name, tf.make_ndarray(r.inputs["images"]).shape[0])
        for r in requests
    ]
    assert seen == [(n, b) for n in ("predict", "compare", "serving_default") for b in (1, 8)]
    assert {r.model_spec.name for r in requests} == {"tiny"}
    np.testing.assert_array_equal(tf.make_ndarray(requests[1].inputs["images"]), rows["images"][:8])
    assert record["verification"]["warmup_records"] == len(requests)
