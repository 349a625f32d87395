"""The proof before publication: live model = SavedModel in a fresh process without tfkit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfkit.errors import TfkitError

TOLERANCE = 1e-5  # largest |difference| of a float, times the output's own size where that is > 1
HUB_CALL = "hub call"  # its key among the signatures' names, which have no spaces
LARGEST_BATCH = 32  # rows of the largest comparison; more would prove no more
AT_ONCE = 8  # threads that call a signature that merges calls
_SCRIPT = Path(__file__).with_name("check_alone.py")


def verify(
    folder: Path,
    live: dict[str, Callable],
    inputs: dict[str, list[str]],
    examples: dict[str, np.ndarray],
    *,
    at_once: bool = False,
) -> dict:
    """Compare every signature and the hub call with the live model, at batch 1, 7 and >= 8 rows.

        max |reloaded - live| <= 1e-5 * max(1, max |live|)   floats;   equal   integers and strings

    Args:
        folder: the SavedModel.
        live: {signature: function of named tensors} on the model in memory; under `HUB_CALL`, when
            the export is a module, a function of the bare input (of a dict of several).
        inputs: {signature: its input names}; predict's are the hub call's too.
        examples: {input name: rows}.
        at_once: also call every signature from 8 threads at once, a row from each: where calls are
            merged, everyone must get the answer to their own row.
    Returns: what goes into the provenance: per signature the largest difference, rows, seconds.
    Raises: TfkitError that names the signature, the output and the difference.
    """
    began = time.monotonic()
    rows = {name: tf.constant(array[:LARGEST_BATCH]) for name, array in examples.items()}
    batches = sorted({1, 7, min(len(array) for array in rows.values())})
    expected = _live_answers(live, inputs, rows, batches)
    if at_once:
        expected |= _live_alone({name: live[name] for name in inputs}, inputs, rows)
    job = {
        "folder": str(folder.resolve()),
        "signatures": inputs,
        "batches": batches,
        "at_once": AT_ONCE if at_once else 0,
        "hub": HUB_CALL in live,
        "call": inputs["predict"],
        "dtypes": {name: tensor.dtype.name for name, tensor in rows.items()},
    }
    reloaded = _run_alone(job, rows)
    warmup = int(reloaded.pop("|warmup|"))
    if reloaded.keys() != expected.keys():
        odd = sorted(reloaded.keys() ^ expected.keys())
        raise TfkitError(
            f"The export was not published: outputs differ from the live model's: {odd}."
        )
    return {
        "process": "fresh, without tfkit",
        "against": ["tf.saved_model.load", *(["hub.load"] if HUB_CALL in live else [])],
        "batches": batches,
        **({"calls_at_once": AT_ONCE} if at_once else {}),
        "tolerance": TOLERANCE,
        "largest_difference": _differences(expected, reloaded),
        "warmup_records": warmup,
        "tensorflow": tf.__version__,
        "seconds": round(time.monotonic() - began, 1),
    }


def _live_answers(live, inputs, rows, batches) -> dict[str, tf.Tensor]:
    answers = {}
    # Backwards: a generator's state is saved, so a signature that draws would replay the very same
    # noise in the fresh process if both sides called in the same order.
    for batch in reversed(batches):
        cut = {name: tensor[:batch] for name, tensor in rows.items()}
        for signature, function in live.items():
            named = {name: cut[name] for name in inputs.get(signature, inputs["predict"])}
            if signature == HUB_CALL:
                call = next(iter(named.values())) if len(named) == 1 else named
                outputs = dict(enumerate(tf.nest.flatten(function(call))))
            else:
                outputs = function(**named)
            answers |= {f"{signature}|{batch}|{key}": value for key, value in outputs.items()}
    return answers


def _live_alone(live, inputs, rows) -> dict[str, tf.Tensor]:
    """The answers to the first rows one by one: what each of the threads must get."""
    answers = []
    for index in range(AT_ONCE):
        one = {name: tensor[index : index + 1] for name, tensor in rows.items()}
        answers.append(_live_answers(live, inputs, one, [1]))
    where = f"1 from each of {AT_ONCE} threads"
    return {
        key.replace("|1|", f"|{where}|"): tf.concat([answer[key] for answer in answers], 0)
        for key in answers[0]
    }


def _run_alone(job: dict, rows: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """One fresh process for everything: importing TensorFlow is most of what it costs."""
    with tempfile.TemporaryDirectory(prefix="tfkit-verify-") as scratch:
        place = Path(scratch)
        (place / "job.json").write_text(json.dumps(job))
        packed = {
            name: np.frombuffer(tf.io.serialize_tensor(tensor).numpy(), np.uint8)
            for name, tensor in rows.items()
        }
        np.savez(place / "inputs.npz", **packed)
        # The live process may hold the GPU: the fresh one takes only the memory that it needs.
        environment = {**os.environ, "TF_FORCE_GPU_ALLOW_GROWTH": "true"}
        done = subprocess.run(
            [sys.executable, "-I", str(_SCRIPT), scratch],
            capture_output=True,
            text=True,
            env=environment,
        )
        if done.returncode != 0:
            reason = (done.stderr.strip() or "no message").splitlines()[-1]
            raise TfkitError(
                f"The export was not published: a fresh process could not load or run it: {reason}"
            )
        with np.load(place / "outputs.npz") as stored:
            return {key: _unpack(stored[key].tobytes()) for key in stored.files}


def _unpack(serialised: bytes) -> np.ndarray:
    proto = tf.make_tensor_proto([])
    proto = type(proto).FromString(serialised)
    return tf.make_ndarray(proto)


def _differences(expected: dict, reloaded: dict) -> dict[str, float]:
    """The largest difference of each signature; raises at the first that is too large."""
    largest: dict[str, float] = {}
    for key, value in expected.items():
        signature, batch, output = key.split("|")
        difference, allowed = _difference(np.asarray(value), np.asarray(reloaded[key]))
        largest[signature] = max(largest.get(signature, 0.0), difference)
        if not difference <= allowed:
            raise TfkitError(
                f"The export was not published: signature {signature!r}, output {output!r}, "
                f"differs from the live model by {difference:.3g} at batch {batch} "
                f"(allowed: {allowed:.3g}). A signature must be a pure function of its inputs: "
                "serve means, or take a seed as an input."
            )
    return largest


def _difference(live: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Largest |difference| and the allowed one; not comparable is infinitely different."""
    if live.shape != other.shape or live.dtype != other.dtype:
        return float("inf"), 0.0
    if not np.issubdtype(live.dtype, np.floating):
        return (0.0 if np.array_equal(live, other) else float("inf")), 0.0
    finite = np.isfinite(live)
    if not np.array_equal(live[~finite], other[~finite], equal_nan=True):
        return float("inf"), 0.0
    if not finite.any():
        return 0.0, TOLERANCE
    difference = float(np.max(np.abs(live[finite].astype(np.float64) - other[finite])))
    return difference, TOLERANCE * max(1.0, float(np.max(np.abs(live[finite]))))
