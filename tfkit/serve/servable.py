"""One version of a model in memory: loaded, warm, answering."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import text_format
from tensorflow.core.protobuf import saved_model_pb2

from tfkit.export.batching import Batching
from tfkit.serve.signatures import Arrays, ServedSignature, served
from tfkit.serve.status import RequestError

DEFAULT_SIGNATURE = "serving_default"
_NO_TEXT = np.empty(0, object)


class Servable:
    """A loaded SavedModel. Threads may call it at the same time.

    Args:
        name: of the model.
        version: its number.
        folder: of the version.
        batching: merge simultaneous requests so; None answers each by itself.
        ran: is told (model, method, seconds) of each computation.
    Raises: whatever TensorFlow raises for a folder that is no SavedModel, `ValueError` for one
        without signatures.
    """

    def __init__(
        self,
        name: str,
        version: int,
        folder: Path,
        batching: Batching | None = None,
        ran: Callable[[str, str, float], None] = lambda model, method, seconds: None,
    ):
        self.name = name
        self.version = version
        self.folder = folder
        self.definitions = _definitions(folder)
        self._ran = ran
        self._loaded = tf.saved_model.load(str(folder))  # holds the variables that signatures read
        self._signatures = {
            key: served(key, function, _specs(self.definitions[key]), batching)
            for key, function in self._loaded.signatures.items()
        }
        if not self._signatures:
            raise ValueError(f"{folder} has no signature to serve")

    @property
    def signatures(self) -> list[str]:
        """The names of what can be asked."""
        return list(self._signatures)

    def known(self, signature: str | None) -> str:
        """A signature's full name, "" for one that there is not."""
        name = signature or DEFAULT_SIGNATURE
        return name if name in self._signatures else ""

    def inputs(self, signature: str | None) -> dict[str, tf.TensorSpec]:
        """What a signature takes, None being the default one, as a JSON request is read by it."""
        message = 'Serving signature name: "{}" not found in signature def'
        return self._signature(signature, "INVALID_ARGUMENT", message).inputs

    def predict(
        self, signature: str | None, tensors: Arrays, output_filter: Iterable[str] = ()
    ) -> Arrays:
        """The signature's outputs for arrays.

        Raises: RequestError, also for what the model itself refuses.
        """
        message = 'Serving signature key "{}" not found'
        known = self._signature(signature, "FAILED_PRECONDITION", message)
        return self._timed("Predict", known, tensors, output_filter)

    def classify(
        self, signature: str | None, examples: list[bytes]
    ) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Labels and scores of serialized tf.Examples, [N, K] each, None where there are none.

        Raises: RequestError; UNIMPLEMENTED where the signature takes no tf.Example.
        """
        known = self._of_examples(signature)
        outputs = [name for name in ("classes", "scores") if name in known.outputs]
        if not outputs:
            raise RequestError(
                "INVALID_ARGUMENT",
                "Expected classification signature outputs to contain at least one of "
                f'"classes" or "scores", got {", ".join(known.outputs)}.',
            )
        found = self._timed("Classify", known, _examples(examples), outputs)
        if found.get("classes", _NO_TEXT).dtype != object:
            raise RequestError("INVALID_ARGUMENT", "Expected classes Tensor of DT_STRING.")
        shapes = {array.shape for array in found.values()}
        if len(shapes) > 1 or len(next(iter(shapes))) != 2 or len(examples) != min(shapes)[0]:
            raise RequestError(
                "INVALID_ARGUMENT",
                f"Expected Tensor shape: [{len(examples)} num_classes] but got "
                f"{' and '.join(str(list(shape)) for shape in shapes)}",
            )
        return found.get("classes"), found.get("scores")

    def regress(self, signature: str | None, examples: list[bytes]) -> np.ndarray:
        """One value for each serialized tf.Example, [N].

        Raises: RequestError; UNIMPLEMENTED where the signature takes no tf.Example.
        """
        known = self._of_examples(signature)
        if known.outputs != ("outputs",):
            raise RequestError(
                "INVALID_ARGUMENT",
                'Expected one output Tensor, named "outputs", for regression, got '
                f"{', '.join(known.outputs)}.",
            )
        values = self._timed("Regress", known, _examples(examples), ())["outputs"]
        if values.shape not in ((len(examples),), (len(examples), 1)):
            raise RequestError(
                "INVALID_ARGUMENT",
                "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got "
                f"{list(values.shape)}",
            )
        return values.reshape(-1)

    def _timed(self, method: str, known: ServedSignature, *given: Any) -> Arrays:
        start = time.perf_counter()
        outputs = known.run(*given)
        self._ran(self.name, method, time.perf_counter() - start)
        return outputs

    def _signature(self, signature: str | None, code: str, message: str) -> ServedSignature:
        """One of ours; an unknown one is refused in the words of the method that asks."""
        name = signature or DEFAULT_SIGNATURE
        if name not in self._signatures:
            known = ", ".join(sorted(self._signatures))
            raise RequestError(code, f"{message.format(name)}. The model has: {known}.")
        return self._signatures[name]

    def _of_examples(self, signature: str | None) -> ServedSignature:
        message = "No signature was found with the name: {}"
        known = self._signature(signature, "INVALID_ARGUMENT", message)
        spec = known.inputs.get("inputs")
        if len(known.inputs) != 1 or spec is None or spec.dtype != tf.string:
            raise RequestError(
                "UNIMPLEMENTED",
                f"The signature {known.name} takes no tf.Example: it would need one string input "
                f'named "inputs", and takes {", ".join(known.inputs)}; ask it by Predict.',
            )
        return known


def _examples(examples: list[bytes]) -> Arrays:
    column = np.empty(len(examples), object)
    column[:] = examples
    return {"inputs": column}


def _definitions(folder: Path) -> dict[str, Any]:
    """{signature: SignatureDef}, as the file has them."""
    model = saved_model_pb2.SavedModel()
    if (folder / "saved_model.pb").is_file():
        model.ParseFromString((folder / "saved_model.pb").read_bytes())
    else:
        text_format.Parse((folder / "saved_model.pbtxt").read_text(encoding="utf-8"), model)
    graphs = [graph for graph in model.meta_graphs if "serve" in graph.meta_info_def.tags]
    if not graphs:
        raise ValueError(f"{folder} has no graph tagged 'serve'")
    return dict(graphs[0].signature_def)


def _specs(definition: Any) -> dict[str, tf.TensorSpec]:
    return {
        name: tf.TensorSpec(tf.TensorShape(info.tensor_shape), tf.DType(info.dtype), name)
        for name, info in definition.inputs.items()
    }
