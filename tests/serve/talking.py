"""Talking to a server in tests, by libraries that know nothing of tfkit."""

import http.client
import json
import time

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import (
    model_service_pb2_grpc,
    predict_pb2,
    prediction_log_pb2,
    prediction_service_pb2_grpc,
)


def ask(server, path, body=None, headers=None, method=None):
    """(status, parsed JSON or text) of one HTTP request."""
    connection = http.client.HTTPConnection("127.0.0.1", server.rest_port, timeout=60)
    try:
        data = json.dumps(body) if isinstance(body, (dict, list)) else body
        connection.request(method or ("GET" if body is None else "POST"), path, data, headers or {})
        answer = connection.getresponse()
        text = answer.read()
    finally:
        connection.close()
    if answer.headers.get_content_type() == "application/json":
        return answer.status, json.loads(text)
    return answer.status, text


def predict_rest(server, signature, inputs, model="line", where=""):
    """The outputs in column form, by name where there are several."""
    body = {"signature_name": signature, "inputs": inputs}
    status, answer = ask(server, f"/v1/models/{model}{where}:predict", body)
    assert status == 200, answer
    return answer["outputs"]


class Stubs:
    """The official gRPC stubs on one channel."""

    def __init__(self, server, **options):
        most = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        self.channel = grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}", options=most)
        self.predictions = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)
        self.models = model_service_pb2_grpc.ModelServiceStub(self.channel)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()

    def predict(self, inputs, signature="", model="line", **options):
        """{output: array} of Predict."""
        response = self.predictions.Predict(request(inputs, signature, model, **options))
        return {name: tf.make_ndarray(proto) for name, proto in response.outputs.items()}


def request(inputs, signature="", model="line", version=None, label="", output_filter=()):
    """A PredictRequest."""
    message = predict_pb2.PredictRequest(output_filter=output_filter)
    message.model_spec.name, message.model_spec.signature_name = model, signature
    if version is not None:
        message.model_spec.version.value = version
    if label:
        message.model_spec.version_label = label
    for name, array in inputs.items():
        message.inputs[name].CopyFrom(tf.make_tensor_proto(array))
    return message


def rows(count, seed=0):
    """Random rows for the signature `predict`."""
    return np.random.default_rng(seed).normal(size=(count, 4)).astype(np.float32)


def recorded(folder):
    """The PredictionLogs of a version's warm-up file."""
    file = folder / "assets.extra" / "tf_serving_warmup_requests"
    for record in tf.data.TFRecordDataset(str(file)).as_numpy_iterator():
        yield prediction_log_pb2.PredictionLog.FromString(record)


def idle(server, seconds):
    """Whether everything is answered within so many seconds."""
    until = time.monotonic() + seconds
    while server.work.pending and time.monotonic() < until:
        time.sleep(0.02)
    return not server.work.pending
