"""The warm-up of a loaded version: the requests that its export recorded, asked once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import prediction_log_pb2

from tfkit.serve import examples, rest, tensor_protos
from tfkit.serve.servable import Servable
from tfkit.serve.signatures import Arrays
from tfkit.serve.status import RequestError

FILE = Path("assets.extra") / "tf_serving_warmup_requests"
MOST_RECORDS = 1000  # as TF Serving


def warm_up(servable: Servable) -> int:
    """Ask what the warm-up file records; returns how many requests that were, 0 without a file.

    Raises: ValueError for a record that is none, or of a kind that cannot be replayed, and for too
        many; RequestError for a request that the model refuses; tf.errors.DataLossError for a
        damaged file. A version that fails here is not served.
    """
    file = servable.folder / FILE
    if not file.is_file():
        return 0
    count = 0
    for record in tf.data.TFRecordDataset(str(file)).as_numpy_iterator():
        count += 1
        if count > MOST_RECORDS:
            raise ValueError(f"{file} holds more than {MOST_RECORDS} records")
        log = prediction_log_pb2.PredictionLog()
        try:
            log.ParseFromString(record)
        except DecodeError as error:
            raise ValueError(f"{file}: record {count} is no PredictionLog") from error
        _replay(servable, log, f"{file}: record {count}")
    return count


def _replay(servable: Servable, log: Any, place: str) -> None:
    kind = log.WhichOneof("log_type")
    if kind == "predict_log":
        request = log.predict_log.request
        tensors = {key: tensor_protos.read(proto) for key, proto in request.inputs.items()}
        outputs = servable.predict(
            request.model_spec.signature_name, tensors, request.output_filter
        )
        _rehearse(servable.inputs(request.model_spec.signature_name), tensors, outputs)
    elif kind == "classify_log":
        request = log.classify_log.request
        servable.classify(request.model_spec.signature_name, examples.serialized(request.input))
    elif kind == "regress_log":
        request = log.regress_log.request
        servable.regress(request.model_spec.signature_name, examples.serialized(request.input))
    else:
        raise ValueError(f"{place}: requests of kind {kind} cannot be replayed")


def _rehearse(specs: dict[str, Any], tensors: Arrays, outputs: Arrays) -> None:
    """Read and write as both protocols do: what Python loads late, no caller should wait for.

    What JSON cannot say, bytes under a name that does not end in `_bytes`, gRPC still can.
    """
    for array in outputs.values():
        tensor_protos.read(tensor_protos.write(array))
    try:
        rest.render_response(outputs, "column")
        asked = rest.render_response(tensors, "column").removeprefix('{"outputs":')
        rest.parse_request(f'{{"inputs":{asked}', specs)
    except RequestError:
        pass
