"""Runs an export where tfkit is not: `python -I check_alone.py JOB_FOLDER`, started by verify.py.

Reads job.json and inputs.npz, answers with outputs.npz: every signature and the hub call at every
batch size, signatures that merge their calls from several threads at once too, and the warm-up
requests replayed. Nothing of tfkit may be imported here: that the artefact works without it is what
this process proves. Tensors travel as serialised TensorProtos, the only form that is exact for
every dtype, strings included.
"""

import concurrent.futures
import json
import os
import pathlib
import sys
import threading

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402


def main(job_folder: str) -> None:
    """Answer the job in the folder."""
    place = pathlib.Path(job_folder)
    job = json.loads((place / "job.json").read_text())
    with np.load(place / "inputs.npz") as stored:
        rows = {
            name: tf.io.parse_tensor(stored[name].tobytes(), job["dtypes"][name])
            for name in stored.files
        }
    answers = signature_answers(job, rows)
    if job["hub"]:
        answers |= hub_answers(job, rows)
    if "tfkit" in sys.modules:
        raise SystemExit("tfkit was imported: the export is not independent of it.")
    packed = {
        key: np.frombuffer(tf.io.serialize_tensor(value).numpy(), np.uint8)
        for key, value in answers.items()
    }
    np.savez(place / "outputs.npz", **packed)


def signature_answers(job: dict, rows: dict) -> dict:
    """Every signature at every batch size, then each warm-up request at its own."""
    loaded = tf.saved_model.load(job["folder"])
    answers = {}
    for signature, names in job["signatures"].items():
        if job["at_once"]:
            named = {n: rows[n] for n in names}
            together = at_once(loaded.signatures[signature], named, job["at_once"])
            where = f"1 from each of {job['at_once']} threads"
            answers |= {f"{signature}|{where}|{key}": value for key, value in together.items()}
        for batch in job["batches"]:
            outputs = loaded.signatures[signature](**{n: rows[n][:batch] for n in names})
            answers |= {f"{signature}|{batch}|{key}": value for key, value in outputs.items()}
    answers["|warmup|"] = tf.constant(replay(job["folder"], loaded.signatures))
    return answers


def at_once(function, rows: dict, threads: int) -> dict:
    """The answers to the first rows, each asked for by a thread of its own at the same time."""
    ready = threading.Barrier(threads)

    def ask(index):
        one = {name: tensor[index : index + 1] for name, tensor in rows.items()}
        ready.wait()
        return function(**one)

    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        answers = list(pool.map(ask, range(threads)))
    return {key: tf.concat([answer[key] for answer in answers], 0) for key in answers[0]}


def replay(folder: str, signatures) -> int:
    """Send the warm-up requests through the signatures, as TF Serving does at load."""
    from tensorflow_serving.apis import prediction_log_pb2

    path = os.path.join(folder, "assets.extra", "tf_serving_warmup_requests")
    count = 0
    for record in tf.data.TFRecordDataset(path):
        log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
        request = log.predict_log.request
        tensors = {name: tf.make_ndarray(proto) for name, proto in request.inputs.items()}
        signatures[request.model_spec.signature_name](
            **{name: tf.constant(value) for name, value in tensors.items()}
        )
        count += 1
    return count


def hub_answers(job: dict, rows: dict) -> dict:
    """`hub.load(folder)(inputs)` at every batch size."""
    import tensorflow_hub as hub

    module = hub.load(job["folder"])
    answers = {}
    for batch in job["batches"]:
        inputs = {name: rows[name][:batch] for name in job["call"]}
        outputs = module(next(iter(inputs.values())) if len(inputs) == 1 else inputs)
        flat = tf.nest.flatten(outputs)
        answers |= {f"hub call|{batch}|{index}": value for index, value in enumerate(flat)}
    return answers


if __name__ == "__main__":
    main(sys.argv[1])
