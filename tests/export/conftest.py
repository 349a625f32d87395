"""Two exported models, made once: an export costs a fresh process that imports TensorFlow."""

import types

import pytest


def classifier():
    """A small image model with everything that has state or two modes, and its room's serve.py."""
    import keras
    import tensorflow as tf

    from tfkit.signature import Signature

    class Sampling(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.seeds = keras.random.SeedGenerator(3)

        def call(self, inputs, training=False):
            noise = keras.random.normal(keras.ops.shape(inputs), seed=self.seeds)
            return inputs + noise if training else inputs

    keras.utils.set_random_seed(0)
    images = keras.Input((8, 6, 1), name="images")
    x = keras.layers.Conv2D(4, 3, kernel_regularizer=keras.regularizers.L2(0.01))(images)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Flatten()(keras.layers.Dropout(0.5)(x))
    features = Sampling(name="sampling")(keras.layers.Dense(5, activation="tanh")(x))
    head = keras.layers.Dense(3, kernel_regularizer=keras.regularizers.L1L2(0.02, 0.03))
    model = keras.Model(images, [features, head(features)])
    names = tf.constant([b"circle", b"square", b"heart"])
    picture = tf.TensorSpec([None, 8, 6, 1], tf.float32)
    code = tf.TensorSpec([None, 5], tf.float32)

    def predict(images):
        logits = model(images, training=False)[1]
        label = tf.argmax(logits, axis=-1, output_type=tf.int32)
        return {
            "probabilities": tf.nn.softmax(logits),
            "label": label,
            "class_name": tf.gather(names, label),
            "images": tf.clip_by_value(images, 0.0, 1.0),
        }

    def compare(images, latent_vectors):
        features = model(images, training=False)[0]
        return {"distance": tf.norm(features - latent_vectors, axis=-1)}

    room = types.SimpleNamespace(
        signatures=lambda model: {
            "predict": Signature(predict, {"images": picture}),
            "compare": Signature(compare, {"images": picture, "latent_vectors": code}),
        },
        representation=lambda model: lambda images: model(images)[0],
    )
    return model, room


def half_precision():
    """Text and numbers in, mixed bfloat16, a lookup table: two inputs for the hub call as well."""
    import keras
    import tensorflow as tf

    from tfkit.signature import Signature

    keras.utils.set_random_seed(1)
    lookup = keras.layers.StringLookup(vocabulary=["red", "green"])
    colour = keras.Input((), name="colour", dtype="string")
    size = keras.Input((2,), name="size")
    embedded = keras.layers.Embedding(3, 4)(lookup(colour))
    joined = keras.layers.Concatenate()([embedded, size])
    dense = keras.layers.Dense(3, dtype="mixed_bfloat16")(joined)
    model = keras.Model({"colour": colour, "size": size}, dense)
    inputs = {
        "colour": tf.TensorSpec([None], tf.string),
        "size": tf.TensorSpec([None, 2], tf.float32),
    }

    def predict(colour, size):
        return {"score": model({"colour": colour, "size": size})}

    room = types.SimpleNamespace(
        signatures=lambda model: {"predict": Signature(predict, inputs)},
        representation=lambda model: lambda inputs: model(inputs),
    )
    return model, room


CONTEXT = {
    "recipe": "name: shapes\nmodel: {name: tiny}\n",
    "resolved": {"model": {"name": "tiny"}, "data": {"name": "shapes"}},
    "provenance": {"git": {"sha": "abc123"}, "seed": 1},
    "metrics": {
        "seeds": [1, 2, 3],
        "metrics": {
            "accuracy": {"mean": 0.9, "low": 0.8, "high": 1.0, "values": [0.85, 0.9, 0.95]}
        },
    },
    "data": "Twelve random pictures.",
    "limits": "Knows three shapes.",
    "gives": {"label": "class id"},
    "license": "Apache-2.0",
}


@pytest.fixture(scope="session")
def make_classifier():
    """The function that makes (model, room)."""
    return classifier


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """(model, room, record, rows) of the classifier's first version."""
    import numpy as np

    from tfkit.export import export_model

    model, room = classifier()
    rows = {"images": np.random.default_rng(0).random((12, 8, 6, 1)).astype("float32")}
    home = tmp_path_factory.mktemp("savedmodels")
    record = export_model(
        model, room, name="tiny", examples=rows, destination=home, context=CONTEXT
    )
    return model, room, record, rows


@pytest.fixture(scope="session")
def exported_half(tmp_path_factory):
    """The same of the half-precision model with text input."""
    import numpy as np

    from tfkit.export import export_model

    model, room = half_precision()
    rows = {
        "colour": np.array([b"red", b"green", b"blue"] * 3),
        "size": np.random.default_rng(0).random((9, 2)),
    }
    home = tmp_path_factory.mktemp("savedmodels")
    record = export_model(model, room, name="half", examples=rows, destination=home)
    return model, room, record, rows
