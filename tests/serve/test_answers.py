"""The same numbers in process, over REST, over gRPC, and by ovmsclient."""

import json

import grpc
import numpy as np
import ovmsclient
import pytest
import tensorflow as tf
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    regression_pb2,
)

from tests.serve.talking import Stubs, ask, predict_rest, request, rows

PNG = tf.io.encode_png(np.arange(12, dtype=np.uint8).reshape(2, 6, 1)).numpy()
INPUTS = {
    "serving_default": {"x": rows(3)},
    "predict": {"x": rows(5)},
    "single": {"x": rows(1)},
    "lengths": {"x": rows(2)[:, :3]},
    "join": {"text": np.array([b"a", "ü".encode()]), "n": np.array([2**53 + 1, -4])},
    "scalar": {"n": np.array(21, np.int32)},
    "decode": {"image_bytes": np.array([PNG, PNG], object)},
}


@pytest.fixture(scope="module")
def stubs(server):
    with Stubs(server) as found:
        yield found


@pytest.fixture(scope="module")
def in_process(line):
    return tf.saved_model.load(str(line / "line" / "2")).signatures


def plain(array):
    """As JSON says it: bytes as base64 objects, text as text."""
    from base64 import b64encode

    if array.dtype.kind not in "OS":
        return array.tolist()
    return [{"b64": b64encode(v).decode()} if v == PNG else v.decode() for v in array.ravel()]


@pytest.mark.parametrize("signature", INPUTS)
def test_every_signature_answers_alike_everywhere(server, stubs, in_process, signature):
    inputs = INPUTS[signature]
    expected = in_process[signature](**{k: tf.constant(v) for k, v in inputs.items()})
    expected = {name: tensor.numpy() for name, tensor in expected.items()}
    by_grpc = stubs.predict(inputs, signature)
    assert by_grpc.keys() == expected.keys()
    by_rest = predict_rest(server, signature, {k: plain(v) for k, v in inputs.items()})
    by_rest = by_rest if len(expected) > 1 else {next(iter(expected)): by_rest}
    for name, array in expected.items():
        assert by_grpc[name].dtype == array.dtype
        if array.dtype.kind == "f":  # the tokens read back to the very numbers
            assert np.array_equal(np.array(by_rest[name], array.dtype), array)
            np.testing.assert_allclose(by_grpc[name], array, rtol=0, atol=1e-6)
        else:
            assert by_rest[name] == plain(array)
            assert by_grpc[name].tolist() == array.tolist()


def test_rows_and_columns(server):
    status, answer = ask(server, "/v1/models/line:predict", {"instances": [[0, 0, 1, 0]]})
    assert (status, answer) == (
        200,
        {"predictions": [{"largest": 2, "y": [0.5, 0.5, 3.5, 0.5]}]},
    )


def test_ovmsclient_over_grpc_and_rest(server):
    x = rows(4)
    by_grpc = ovmsclient.make_grpc_client(f"127.0.0.1:{server.grpc_port}")
    by_rest = ovmsclient.make_http_client(f"127.0.0.1:{server.rest_port}")
    assert by_grpc.get_model_metadata("line")["inputs"]["x"]["shape"] == [-1, 4]
    definitions = by_rest.get_model_metadata("line")["metadata"]["signature_def"]["signature_def"]
    assert definitions["serving_default"]["inputs"]["x"]["dtype"] == "DT_FLOAT"
    for client in (by_grpc, by_rest):
        assert client.get_model_status("line")[2]["state"] == "AVAILABLE"
        found = client.predict({"x": x}, "line")
        np.testing.assert_allclose(found["y"], 3 * x + 0.5, atol=1e-6)
        with pytest.raises(ovmsclient.ModelNotFoundError):
            client.predict({"x": x}, "nobody")


def test_output_filter(stubs):
    assert stubs.predict({"x": rows(1)}, output_filter=["y"]).keys() == {"y"}
    for names, message in ((["z"], "output tensor alias not found"), (["y", "y"], "duplicate")):
        with pytest.raises(grpc.RpcError, match=message) as error:
            stubs.predict({"x": rows(1)}, output_filter=names)
        assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_what_a_response_says_it_came_from(stubs):
    response = stubs.predictions.Predict(request({"x": rows(1)}))
    spec = response.model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == ("line", 2, "serving_default")


@pytest.mark.parametrize(
    ("inputs", "signature", "code", "message"),
    [
        (
            {"x": rows(1)},
            "nobody",
            "FAILED_PRECONDITION",
            'Serving signature key "nobody" not found',
        ),
        ({}, "", "INVALID_ARGUMENT", r"Missing but required: \{x\}"),
        ({"x": rows(1), "z": rows(1)}, "", "INVALID_ARGUMENT", r"Sent extra: \{z\}"),
        ({"z": rows(1)}, "", "INVALID_ARGUMENT", "input size does not match signature"),
        ({"x": rows(1)[:, :3]}, "", "INVALID_ARGUMENT", r"must have shape \[\?, 4\], got \[1, 3\]"),
        ({"x": rows(1).astype(float)}, "", "INVALID_ARGUMENT", "must be float32, got float64"),
        ({"x": np.array([[b"a"] * 4])}, "", "INVALID_ARGUMENT", "must be float32, got bytes"),
        ({"image_bytes": np.array([b"x"])}, "decode", "INVALID_ARGUMENT", "Unknown image file"),
    ],
)
def test_requests_that_do_not_fit(stubs, inputs, signature, code, message):
    with pytest.raises(grpc.RpcError, match=message) as error:
        stubs.predict(inputs, signature)
    assert error.value.code() == grpc.StatusCode[code]


def test_classify_and_regress_take_examples(server, stubs):
    examples = [example(1.5), example(-2.0)]
    message = classification_pb2.ClassificationRequest()
    message.model_spec.name, message.model_spec.signature_name = "line", "label"
    message.input.example_list.examples.extend(examples)
    result = stubs.predictions.Classify(message).result.classifications
    found = [[(c.label, c.score) for c in row.classes] for row in result]
    assert found == [[("hot", 1.5), ("cold", -0.5)], [("hot", -2.0), ("cold", 3.0)]]
    message = regression_pb2.RegressionRequest()
    message.model_spec.name, message.model_spec.signature_name = "line", "score"
    message.input.example_list_with_context.examples.extend([example(), example(9.0)])
    message.input.example_list_with_context.context.CopyFrom(example(5.0))
    values = stubs.predictions.Regress(message).result.regressions
    assert [v.value for v in values] == [15.0, 27.0]  # the example's own feature wins
    body = {"signature_name": "score", "examples": [{"v": 1.0}, {"v": 2.0}]}
    assert ask(server, "/v1/models/line:regress", body) == (200, {"results": [3.0, 6.0]})
    body["signature_name"] = "label"
    assert ask(server, "/v1/models/line:classify", body) == (
        200,
        {"results": [[["hot", 1.0], ["cold", 0.0]], [["hot", 2.0], ["cold", -1.0]]]},
    )


def example(value=None):
    found = tf.train.Example()
    if value is not None:
        found.features.feature["v"].float_list.value.append(value)
    return found


def test_several_signatures_in_one_call(stubs):
    message = inference_pb2.MultiInferenceRequest()
    message.input.example_list.examples.append(example(1.5))
    for name in ("score", "label"):
        task = message.tasks.add()
        task.model_spec.name, task.model_spec.signature_name = "line", name
        task.method_name = f"tensorflow/serving/{'regress' if name == 'score' else 'classify'}"
    first, second = stubs.predictions.MultiInference(message).results
    assert first.regression_result.regressions[0].value == 4.5
    assert second.classification_result.classifications[0].classes[0].score == 1.5


def test_a_signature_is_asked_once_in_one_call(stubs):
    message = inference_pb2.MultiInferenceRequest()
    message.input.example_list.examples.append(example(1.5))
    for model in ("line", "line"):
        task = message.tasks.add(method_name="tensorflow/serving/regress")
        task.model_spec.name, task.model_spec.signature_name = model, "score"
    with pytest.raises(grpc.RpcError, match="Duplicate evaluation"):
        stubs.predictions.MultiInference(message)
    message.tasks[1].model_spec.name = "other"
    with pytest.raises(grpc.RpcError, match="same model name"):
        stubs.predictions.MultiInference(message)


def test_a_signature_without_examples_is_unimplemented(server, stubs):
    message = classification_pb2.ClassificationRequest()
    message.model_spec.name = "line"
    message.input.example_list.examples.append(example(1.0))
    with pytest.raises(grpc.RpcError) as error:
        stubs.predictions.Classify(message)
    assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED
    assert ask(server, "/v1/models/line:regress", {"examples": [{"v": 1.0}]})[0] == 501


def test_metadata_over_both(server, stubs, line):
    message = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    message.model_spec.name = "line"
    response = stubs.predictions.GetModelMetadata(message)
    definitions = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(definitions)
    assert definitions.signature_def["join"].inputs["n"].dtype == tf.int64.as_datatype_enum
    status, answer = ask(server, "/v1/models/line/versions/2/metadata")
    assert status == 200 and answer["model_spec"]["version"] == "2"
    found = answer["metadata"]["signature_def"]["signature_def"]["predict"]
    assert found["method_name"] == "tensorflow/serving/predict"
    assert found["inputs"]["x"]["dtype"] == "DT_FLOAT"
    assert [d["size"] for d in found["inputs"]["x"]["tensor_shape"]["dim"]] == ["-1", "4"]
    with pytest.raises(grpc.RpcError, match="at least one metadata_field"):
        message.ClearField("metadata_field")
        stubs.predictions.GetModelMetadata(message)


def test_status_over_both(server, stubs):
    message = get_model_status_pb2.GetModelStatusRequest()
    message.model_spec.name = "line"
    (found,) = stubs.models.GetModelStatus(message).model_version_status
    assert (found.version, found.state) == (2, get_model_status_pb2.ModelVersionStatus.AVAILABLE)
    assert ask(server, "/v1/models/line") == (
        200,
        {
            "model_version_status": [
                {
                    "version": "2",
                    "state": "AVAILABLE",
                    "status": {"error_code": "OK", "error_message": ""},
                }
            ]
        },
    )
    message.model_spec.name = "nobody"
    with pytest.raises(grpc.RpcError, match="Could not find any versions of model nobody"):
        stubs.models.GetModelStatus(message)


def test_an_expired_deadline(stubs):
    with pytest.raises(grpc.RpcError) as error:
        stubs.predictions.Predict(request({"x": rows(1)}), timeout=1e-5)
    assert error.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED


def test_reload_serves_versions_and_labels_that_were_asked_for(line, start):
    server = start(path=line)
    with Stubs(server) as stubs:
        message = model_management_pb2.ReloadConfigRequest()
        config = message.config.model_config_list.config.add()
        config.name, config.base_path = "both", str(line / "line")
        config.model_version_policy.all.SetInParent()
        config.version_labels["stable"] = 1
        config.model_platform = "tensorflow"
        assert stubs.models.HandleReloadConfigRequest(message).status.error_code == 0
        x = {"x": np.ones([1, 4], np.float32)}
        for options, value in (({}, 3.5), ({"version": 1}, 2.5), ({"label": "stable"}, 2.5)):
            assert stubs.predict(x, model="both", **options)["y"][0, 0] == value
        assert predict_rest(server, "single", [[1, 0, 0, 0]], "both", "/labels/stable")[0][0] == 2
        assert predict_rest(server, "single", [[1, 0, 0, 0]], "both", "/versions/2")[0][0] == 3
        with pytest.raises(grpc.RpcError, match=r"Latest\(line\)"):
            stubs.predict(x)
        config.base_path = "relative"
        with pytest.raises(grpc.RpcError, match="must be absolute"):
            stubs.models.HandleReloadConfigRequest(message)


def test_a_message_beyond_grpcs_default_of_4_mib(stubs):
    text = np.array([b"x" * 6_000_000])
    found = stubs.predict({"text": text, "n": np.array([1])}, "join")["joined"]
    assert len(found[0]) == 6_000_002


def test_the_pages_of_our_own(server):
    assert ask(server, "/healthz") == (200, {"status": "alive"})
    assert ask(server, "/readyz") == (200, {"status": "ready"})
    assert ask(server, "/nothing")[0] == 404
    assert ask(server, "/tfkit/models", b"")[0] == 405
    (model,) = ask(server, "/tfkit/models")[1]["models"]
    assert model["name"] == "line" and model["versions"][0]["state"] == "AVAILABLE"
    predict_rest(server, "predict", rows(1).tolist())
    latencies = ask(server, "/tfkit/latency")[1]["latency"]
    found = [w for w in latencies if (w["signature"], w["protocol"]) == ("predict", "REST")]
    assert found[0]["count"] >= 1 and 0 < found[0]["p50_ms"] <= found[0]["p99_ms"]


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("POST", "/v1/models/line:Predict", 400, "Malformed request: POST /v1/models/line:Predict"),
        ("POST", "/v1/models/line", 400, "Malformed request: POST /v1/models/line"),
        ("PUT", "/v1/models/line:predict", 400, "Malformed request: PUT"),
        ("GET", "/v1/nothing", 400, "Malformed request: GET /v1/nothing"),
        ("GET", "/v1/models", 400, "Missing model name"),
        ("GET", "/V1/Models/line/Metadata", 200, ""),
        ("POST", "/V1/models/line/versions/2:predict", 200, ""),
        ("POST", "/v1/models/line/versions/1:predict", 404, r"Specific(line, 1)"),
        ("POST", "/v1/models/line/labels/x:predict", 400, "Unrecognized servable version label: x"),
    ],
)
def test_paths(server, method, path, status, message):
    body = None if method == "GET" else {"instances": rows(1).tolist()}
    found, answer = ask(server, path, body, method=method)
    assert found == status and message in json.dumps(answer)
