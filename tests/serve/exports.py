"""Small SavedModels to serve, written with TensorFlow alone."""

import numpy as np
import tensorflow as tf

from tfkit.export.warmup import write_warmup


class Line(tf.Module):
    """predict: y = scale * x + shift, [B, 4] -> [B, 4], and where it is largest; more below."""

    def __init__(self, scale=2.0, shift=0.5):
        super().__init__()
        self.scale = tf.Variable(scale)
        self.shift = tf.Variable(shift)


def signatures(model):
    """Signatures of every kind that the server knows to answer."""

    def spec(shape, dtype=tf.float32, name="x"):
        return tf.TensorSpec(shape, dtype, name)

    @tf.function(input_signature=[spec([None, 4])])
    def predict(x):
        y = model.scale * x + model.shift
        return {"y": y, "largest": tf.argmax(y, 1)}

    @tf.function(input_signature=[spec([None, 4])])
    def single(x):
        return {"y": model.scale * x}

    @tf.function(input_signature=[spec([None, None])])
    def lengths(x):
        return {"total": tf.reduce_sum(x, 1), "count": tf.shape(x)[1] + 0 * tf.shape(x)[:1]}

    @tf.function(input_signature=[spec([None], tf.string, "text"), spec([None], tf.int64, "n")])
    def join(text, n):
        return {"joined": tf.strings.join([text, tf.strings.as_string(n)], "-"), "n": n}

    @tf.function(input_signature=[spec([], tf.int32, "n")])
    def scalar(n):
        return {"twice": 2 * n}

    @tf.function(input_signature=[spec([None], tf.string, "image_bytes")])
    def decode(image_bytes):
        def size(one):
            return tf.shape(tf.io.decode_png(one))[:2]

        found = tf.map_fn(size, image_bytes, fn_output_signature=tf.TensorSpec([2], tf.int32))
        return {"size": found, "echo_bytes": image_bytes}

    @tf.function(input_signature=[spec([None], tf.string, "inputs")])
    def score(inputs):
        parsed = tf.io.parse_example(inputs, {"v": tf.io.FixedLenFeature([], tf.float32)})
        return {"outputs": model.scale * parsed["v"]}

    @tf.function(input_signature=[spec([None], tf.string, "inputs")])
    def label(inputs):
        parsed = tf.io.parse_example(inputs, {"v": tf.io.FixedLenFeature([], tf.float32)})
        scores = tf.stack([parsed["v"], 1 - parsed["v"]], 1)
        classes = tf.tile(tf.constant([["hot", "cold"]]), [tf.shape(inputs)[0], 1])
        return {"classes": classes, "scores": scores}

    @tf.function(input_signature=[spec([None, 4])])
    def company(x):  # how many rows are computed together
        return {"rows": tf.fill(tf.shape(x)[:1], tf.shape(x)[0]), "x": x}

    @tf.function(input_signature=[spec([None, 4])])
    def slow(x):  # a tenth of a second or more
        busy = tf.while_loop(
            lambda step, _: step < 60,
            lambda step, m: (step + 1, tf.matmul(m, m) * 1e-3),
            (0, tf.ones([400, 400])),
        )[1]
        return {"x": x + 0 * tf.reduce_sum(busy)}

    found = [predict, single, lengths, join, scalar, decode, score, label, company, slow]
    return {f.__name__: f for f in found} | {"serving_default": predict}


def write(folder, scale=2.0, shift=0.5, warm=True):
    """Write a version; its warm-up file asks `predict` and `serving_default`."""
    model = Line(scale, shift)
    partial = folder.with_name(f".{folder.name}")
    tf.saved_model.save(model, str(partial), signatures=signatures(model))
    if warm:
        (partial / "assets.extra").mkdir()
        write_warmup(
            partial / "assets.extra" / "tf_serving_warmup_requests",
            folder.parent.name,
            {"predict": ["x"], "serving_default": ["x"]},
            {"x": np.zeros([8, 4], np.float32)},
        )
    partial.rename(folder)
    return folder
