"""The answer to each gRPC method: request message in, response message out."""

from __future__ import annotations

from typing import Any

from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    inference_pb2,
    model_management_pb2,
    predict_pb2,
    regression_pb2,
)

from tfkit.errors import UsageError
from tfkit.serve import answers, configuration, examples, tensor_protos
from tfkit.serve.calls import Call
from tfkit.serve.parts import Parts
from tfkit.serve.servable import DEFAULT_SIGNATURE, Servable
from tfkit.serve.status import RequestError

_CLASSIFY = "tensorflow/serving/classify"
_REGRESS = "tensorflow/serving/regress"


class GrpcAnswers:
    """The methods, by their names in snake case; all raise `RequestError`.

    Args:
        parts: of the server.
    """

    def __init__(self, parts: Parts):
        self._models = parts.models
        self._limits = parts.settings.limits
        self._monitoring = parts.monitoring

    def predict(self, request: Any, call: Call) -> Any:
        """PredictRequest to PredictResponse."""
        servable, signature = self._find(request.model_spec, call)
        tensors = {
            name: tensor_protos.read(proto, max_bytes=self._limits.body_bytes)
            for name, proto in request.inputs.items()
        }
        answers.count_rows(call, answers.rows(tensors), self._limits.rows)
        outputs = servable.predict(signature, tensors, request.output_filter)
        response = predict_pb2.PredictResponse()
        _fill(response.model_spec, servable, signature or DEFAULT_SIGNATURE)
        for name, array in outputs.items():
            response.outputs[name].CopyFrom(tensor_protos.write(array))
        return response

    def classify(self, request: Any, call: Call) -> Any:
        """ClassificationRequest to ClassificationResponse."""
        servable, signature = self._find(request.model_spec, call)
        given = self._examples(request.input, call)
        response = classification_pb2.ClassificationResponse()
        _fill(response.model_spec, servable, signature)
        _classes(response.result, *servable.classify(signature, given))
        return response

    def regress(self, request: Any, call: Call) -> Any:
        """RegressionRequest to RegressionResponse."""
        servable, signature = self._find(request.model_spec, call)
        given = self._examples(request.input, call)
        response = regression_pb2.RegressionResponse()
        _fill(response.model_spec, servable, signature)
        _values(response.result, servable.regress(signature, given))
        return response

    def multi_inference(self, request: Any, call: Call) -> Any:
        """MultiInferenceRequest to MultiInferenceResponse: several signatures of one model."""
        names = {task.model_spec.name for task in request.tasks}
        asked = [task.model_spec.signature_name or DEFAULT_SIGNATURE for task in request.tasks]
        if len(names) != 1:
            raise RequestError(
                "INVALID_ARGUMENT",
                "All ModelSpecs in a MultiInferenceRequest must access the same model name.",
            )
        if len(set(asked)) < len(asked):
            raise RequestError("INVALID_ARGUMENT", f"Duplicate evaluation of signature: {asked}")
        servable, _ = self._find(request.tasks[0].model_spec, call)
        given = self._examples(request.input, call)
        response = inference_pb2.MultiInferenceResponse()
        for task in request.tasks:
            signature, result = task.model_spec.signature_name, response.results.add()
            _fill(result.model_spec, servable, signature)
            if task.method_name == _CLASSIFY:
                _classes(result.classification_result, *servable.classify(signature, given))
            elif task.method_name == _REGRESS:
                _values(result.regression_result, servable.regress(signature, given))
            else:
                raise RequestError(
                    "UNIMPLEMENTED", f"Unsupported signature method_name: {task.method_name}"
                )
        return response

    def get_model_metadata(self, request: Any, call: Call) -> Any:
        """GetModelMetadataRequest to GetModelMetadataResponse; its only field is signature_def."""
        if not request.HasField("model_spec"):
            raise RequestError("INVALID_ARGUMENT", "Missing ModelSpec")
        if not request.metadata_field:
            raise RequestError(
                "INVALID_ARGUMENT",
                "GetModelMetadataRequest must specify at least one metadata_field",
            )
        for field in request.metadata_field:
            if field != "signature_def":
                raise RequestError("INVALID_ARGUMENT", f"Metadata field {field} is not supported")
        servable, _ = self._find(request.model_spec, call)
        call.signature = ""
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        _fill(response.model_spec, servable)
        response.metadata["signature_def"].Pack(answers.signatures(servable))
        return response

    def get_model_status(self, request: Any, call: Call) -> Any:
        """GetModelStatusRequest to GetModelStatusResponse."""
        if not request.HasField("model_spec"):
            raise RequestError("INVALID_ARGUMENT", "Missing ModelSpec")
        spec = request.model_spec
        versions = self._models.status(spec.name, _version(spec), spec.version_label or None)
        call.model = spec.name
        return answers.status(versions)

    def handle_reload_config_request(self, request: Any, call: Call) -> Any:
        """ReloadConfigRequest to ReloadConfigResponse: serve other models from now on."""
        if request.config.WhichOneof("config") != "model_config_list":
            raise RequestError(
                "INVALID_ARGUMENT",
                "ServerModelConfig type not supported by HandleReloadConfigRequest. Only "
                "ModelConfigList is currently supported",
            )
        if request.metric_names:
            raise RequestError(
                "UNIMPLEMENTED", "metric_names is not supported; read the metrics page."
            )
        try:
            configs = configuration.from_proto(request.config)
        except UsageError as error:
            raise RequestError("INVALID_ARGUMENT", str(error)) from error
        self._models.reload(configs)
        return model_management_pb2.ReloadConfigResponse()

    def _find(self, spec: Any, call: Call) -> tuple[Servable, str]:
        """The version that answers, and the signature as it was asked for."""
        if not spec.name:
            raise RequestError("INVALID_ARGUMENT", "ModelSpec has no name specified.")
        servable = self._models.find(spec.name, _version(spec), spec.version_label or None)
        call.model, call.version = servable.name, servable.version
        call.signature = servable.known(spec.signature_name)
        return servable, spec.signature_name

    def _examples(self, given: Any, call: Call) -> list[bytes]:
        found = examples.serialized(given)
        answers.count_rows(call, len(found), self._limits.rows)
        self._monitoring.examples(call.model, len(found))
        return found


def _version(spec: Any) -> int | None:
    return spec.version.value if spec.HasField("version") else None


def _fill(spec: Any, servable: Servable, signature: str = "") -> None:
    spec.name = servable.name
    spec.version.value = servable.version
    spec.signature_name = signature


def _classes(result: Any, labels: Any, scores: Any) -> None:
    count, classes = (labels if labels is not None else scores).shape
    for row in range(count):
        found = result.classifications.add()
        for index in range(classes):
            found.classes.add(
                label="" if labels is None else labels[row, index].decode("utf-8", "replace"),
                score=0.0 if scores is None else float(scores[row, index]),
            )


def _values(result: Any, values: Any) -> None:
    for value in values.tolist():
        result.regressions.add(value=value)
