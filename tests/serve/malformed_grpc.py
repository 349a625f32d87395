"""Calls over gRPC that no client should make."""

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import types_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    regression_pb2,
)

from tests.serve.malformed import http
from tests.serve.talking import request, rows

X = np.array([[1, 2.5, -300, 4]], np.float32)
GOOD = request({"x": X}, "predict").SerializeToString(deterministic=True)
PREDICTION, MODEL = "/tensorflow.serving.PredictionService", "/tensorflow.serving.ModelService"
SERVICES = {
    PREDICTION: ["Predict", "Classify", "Regress", "MultiInference", "GetModelMetadata"],
    MODEL: ["GetModelStatus", "HandleReloadConfigRequest"],
}


def odd(dims=(1, 4), dtype=types_pb2.DT_FLOAT, name="x", signature="predict", **fields):
    """A Predict request with one tensor."""
    message = request({}, signature)
    proto = message.inputs[name]
    proto.dtype = dtype
    for size in dims:
        proto.tensor_shape.dim.add(size=size)
    for field, value in fields.items():
        if field == "unknown_rank":
            proto.tensor_shape.unknown_rank = value
        elif field == "tensor_content":
            proto.tensor_content = value
        else:
            getattr(proto, field).extend(value)
    return message


def predictions():
    """(code, PredictRequest)."""
    ones, text = [1.0] * 4, types_pb2.DT_STRING
    huge = 2**62
    for dims in [
        (-1, 4),
        (4,),
        (),
        (1, 3),
        (1, 4, 1),
        (10**12,),
        (huge, huge),
        (huge, 0),
        (0, huge),
    ]:
        yield "INVALID_ARGUMENT", odd(dims, float_val=[1.0])
    for dims in [(huge, huge), (1,) * 33, (1,) * 5000, (2**31, 2**31, 2**31), (-(2**63), -(2**63))]:
        yield "INVALID_ARGUMENT", odd(dims, float_val=[1.0])
    yield "INVALID_ARGUMENT", odd(float_val=ones, unknown_rank=True)
    yield "INVALID_ARGUMENT", odd(float_val=[1.0] * 5)
    yield "INVALID_ARGUMENT", odd((1001, 4), float_val=[1.0])
    for size in (1, 15, 17, 1000):
        yield "INVALID_ARGUMENT", odd(tensor_content=b"\0" * size)
    for unknown in (0, -1, 11, 20, 21, 24, 99, 101, 121, 2**31 - 1):
        yield "UNIMPLEMENTED", odd(dtype=unknown, float_val=ones)
        yield "UNIMPLEMENTED", odd(dtype=unknown, tensor_content=b"\0" * 16)
    for other in (2, 3, 4, 5, 6, 8, 9, 10, 14, 17, 18, 19, 22, 23, text):
        yield "INVALID_ARGUMENT", odd(dtype=other)
    yield "INVALID_ARGUMENT", odd(dtype=types_pb2.DT_COMPLEX64, scomplex_val=[1.0])
    for packed in (
        b"\xff",
        b"\xff" * 99,
        b"\x05a",
        b"\x00a",
        b"\x80",
        b"\xff\xff\xff\xff\x0f",
        b"aaa",
    ):
        yield "INVALID_ARGUMENT", odd([1], text, "image_bytes", "decode", tensor_content=packed)
    for image in (b"", b"\x89PNG\r\n\x1a\n", b"\x89PNG" * 99, b"GIF89a", b"\xff\xd8\xff\xe0" * 20):
        yield "INVALID_ARGUMENT", odd([1], text, "image_bytes", "decode", string_val=[image])
    yield "INVALID_ARGUMENT", odd([1], text, "inputs", "score", string_val=[b"\xff\xff"])
    yield "INVALID_ARGUMENT", odd([1], text, "inputs", "label", string_val=[b"\x0a\xff\x01"])
    for name in ("", "X", "x\0", "ü", "x:0", "n" * 100_000):
        yield "INVALID_ARGUMENT", odd(name=name, float_val=ones)
    for signature in ("nobody", "Predict", "\0", "ü" * 20_000, "%s%n", "predict\n"):
        yield "FAILED_PRECONDITION", request({"x": X}, signature)
    for model in ("nobody", "LINE", "line\0", "../line", "ü" * 20_000, "%s%n"):
        yield "NOT_FOUND", request({"x": X}, model=model)
    for version in (-1, 1, 99, 2**63 - 1, -(2**63)):
        yield "NOT_FOUND", request({"x": X}, version=version)
    yield "INVALID_ARGUMENT", request({"x": X}, model="")
    yield "INVALID_ARGUMENT", request({"x": X}, label="ü" * 9000)
    yield "INVALID_ARGUMENT", request({})
    yield "INVALID_ARGUMENT", request({"x": X, "y": X})
    yield "INVALID_ARGUMENT", request({str(n): X for n in range(2000)})
    for names in (["nobody"], ["y", "y"], [""], ["y"] * 9000, ["n" * 99_000]):
        yield "INVALID_ARGUMENT", request({"x": X}, output_filter=names)
    yield "INVALID_ARGUMENT", request({"text": np.array([b"a", b"b"]), "n": np.array([1])}, "join")
    yield "RESOURCE_EXHAUSTED", request({"x": rows(50_000)})


def nested(depth):
    """A request whose tensor is within a variant within a tensor within …, as bytes."""

    def field(number, data):
        size, length = b"", len(data)
        while length > 127:
            size, length = size + bytes([length & 127 | 128]), length >> 7
        return bytes([number << 3 | 2]) + size + bytes([length]) + data

    proto = b""
    for _ in range(depth):
        proto = b"\x08\x15" + field(15, field(3, proto))  # DT_VARIANT, variant_val, tensors
    spec = field(1, field(1, b"line"))
    return spec + field(2, field(1, b"x") + field(2, proto))


def others():
    """(code, method, message) of the other methods."""
    wrong, missing, cannot = "INVALID_ARGUMENT", "NOT_FOUND", "UNIMPLEMENTED"
    wanted = {"Classify": "label", "Regress": "score"}
    kinds = classification_pb2.ClassificationRequest, regression_pb2.RegressionRequest
    for (name, signature), kind in zip(wanted.items(), kinds, strict=True):
        for code, model, asked, given in (
            (wrong, "", signature, {"v": 1.5}),
            (missing, "nobody", signature, {"v": 1.5}),
            (wrong, "line", "nobody", {"v": 1.5}),
            (cannot, "line", "predict", {"v": 1.5}),
            (wrong, "line", signature, None),
            (wrong, "line", signature, {}),
            (wrong, "line", signature, {"w": 1.5}),
            (wrong, "line", signature, {"v": 7}),
            (wrong, "line", signature, {"v": b"text"}),
        ):
            message = kind()
            message.model_spec.name, message.model_spec.signature_name = model, asked
            if given is not None:
                message.input.example_list.examples.append(example(given))
            yield code, f"{PREDICTION}/{name}", message
        many = kind()
        many.model_spec.name, many.model_spec.signature_name = "line", signature
        many.input.example_list.examples.extend([example({"v": 1.0})] * 1001)
        yield wrong, f"{PREDICTION}/{name}", many
    for tasks in ([], [("", "score")], [("line", "score"), ("nobody", "label")]):
        yield wrong, f"{PREDICTION}/MultiInference", several(tasks)
    yield wrong, f"{PREDICTION}/MultiInference", several([("line", "score")] * 2)
    yield wrong, f"{PREDICTION}/MultiInference", several([("line", "score")], examples=0)
    yield missing, f"{PREDICTION}/MultiInference", several([("nobody", "score")])
    yield cannot, f"{PREDICTION}/MultiInference", several([("line", "score")], "evaluate")
    for fields in ([], ["nothing"], ["signature_def", ""], ["n" * 99_000]):
        message = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields)
        message.model_spec.name = "line"
        yield wrong, f"{PREDICTION}/GetModelMetadata", message
    yield wrong, f"{PREDICTION}/GetModelMetadata", type(message)(metadata_field=["signature_def"])
    yield wrong, f"{MODEL}/GetModelStatus", get_model_status_pb2.GetModelStatusRequest()
    for name, version in (("", None), ("nobody", None), ("line", 99), ("line", -1)):
        message = get_model_status_pb2.GetModelStatusRequest()
        message.model_spec.name = name
        if version is not None:
            message.model_spec.version.value = version
        yield missing, f"{MODEL}/GetModelStatus", message


def example(values):
    found = tf.train.Example()
    kinds = {float: "float_list", int: "int64_list", bytes: "bytes_list"}
    for name, value in values.items():
        getattr(found.features.feature[name], kinds[type(value)]).value.append(value)
    return found


def several(tasks, method="regress", examples=1):
    message = inference_pb2.MultiInferenceRequest()
    message.input.example_list.examples.extend([example({"v": 1.0})] * examples)
    for model, signature in tasks:
        task = message.tasks.add(method_name=f"tensorflow/serving/{method}")
        task.model_spec.name, task.model_spec.signature_name = model, signature
    return message


def reloads():
    """(code, ReloadConfigRequest), none of which changes what is served."""

    def one(name="line", base_path="/models/line", **fields):
        message = model_management_pb2.ReloadConfigRequest()
        message.config.model_config_list.config.add(name=name, base_path=base_path, **fields)
        return message

    wrong = "INVALID_ARGUMENT"
    yield wrong, model_management_pb2.ReloadConfigRequest()
    for name, path in (
        ("", "/m"),
        ("line", ""),
        ("line", "m"),
        ("line", "../m"),
        ("line", "s3://m"),
    ):
        yield wrong, one(name, path)
    twice = one()
    twice.config.model_config_list.config.add(name="line", base_path="/m")
    yield wrong, twice
    custom = model_management_pb2.ReloadConfigRequest()
    custom.config.custom_model_config.type_url = "x"
    yield wrong, custom
    yield wrong, one(model_platform="caffe")
    yield wrong, one(model_type=7)
    yield wrong, one(version_labels={"stable": -1})
    yield wrong, one(version_labels={"": 1})
    yield wrong, one(model_version_policy={"specific": {"versions": []}})
    yield wrong, one(model_version_policy={"specific": {"versions": [-3]}})
    yield wrong, one(logging_config={"sampling_config": {"sampling_rate": 1}})
    yield "FAILED_PRECONDITION", one(version_labels={"stable": 99})
    metrics = one()
    metrics.metric_names.append("x")
    yield "UNIMPLEMENTED", metrics


CASES = [
    *((code, f"{PREDICTION}/Predict", message) for code, message in predictions()),
    *others(),
    *((code, f"{MODEL}/HandleReloadConfigRequest", message) for code, message in reloads()),
]
CASES = [(code, method, message.SerializeToString()) for code, method, message in CASES] + [
    ("UNIMPLEMENTED", f"{PREDICTION}/Predict", nested(3)),
    *(("INVALID_ARGUMENT", f"{PREDICTION}/Predict", nested(depth)) for depth in (60, 500, 5000)),
    *(("INVALID_ARGUMENT", f"{PREDICTION}/Predict", GOOD[:size]) for size in range(len(GOOD))),
    *(
        ("INVALID_ARGUMENT", f"{service}/{method}", data)
        for service, methods in SERVICES.items()
        for method in methods
        for data in (b"\xff" * 99, b"\x0a\xff\xff\xff\xff\x0f", http(), b"\x0a\x03\x0a\x01\xff")
    ),
    *(("UNIMPLEMENTED", path, GOOD) for path in ("/x", "//", f"{PREDICTION}/predict", "/a/b/c")),
]
