"""The export as its three users meet it: TF Serving, TF-Hub, Keras."""

import json
import re
import tarfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tfkit.errors import TfkitError, UsageError
from tfkit.export import export_model
from tfkit.signature import Signature


@pytest.fixture(scope="module")
def loaded(exported):
    return tf.saved_model.load(exported[2]["folder"])


def test_folder_is_complete_and_whole(exported):
    folder = Path(exported[2]["folder"])
    assert folder.name == "1" and folder.parent.name == "tiny"
    assert {p.name for p in folder.parent.iterdir()} == {"1", "1.tar.gz", ".lock"}
    assert {p.name for p in (folder / "assets.extra").iterdir()} == {
        "tf_serving_warmup_requests",
        "recipe.yaml",
        "provenance.json",
        "metrics.json",
        "MODEL_CARD.md",
        "signatures.json",
    }
    assert (
        folder / "assets.extra/recipe.yaml"
    ).read_text() == "name: shapes\nmodel: {name: tiny}\n"


def test_signatures_have_names_of_their_own_and_an_open_batch(exported, loaded):
    record = exported[2]
    assert list(record["signatures"]) == ["predict", "compare", "serving_default"]
    assert set(loaded.signatures) == set(record["signatures"])
    for signature in loaded.signatures.values():
        tensors = signature.structured_input_signature[1] | signature.structured_outputs
        for name, spec in tensors.items():
            assert not re.match(r"args_|output_|input_", name)
            assert spec.shape[0] is None and spec.shape[1:].is_fully_defined()


def test_predict_equals_the_live_model(exported, loaded):
    model, _, _, rows = exported
    answer = loaded.signatures["predict"](images=tf.constant(rows["images"]))
    logits = model(rows["images"], training=False)[1]
    np.testing.assert_allclose(answer["probabilities"], tf.nn.softmax(logits), atol=1e-6)
    np.testing.assert_array_equal(answer["label"], tf.argmax(logits, -1))
    words = np.array([b"circle", b"square", b"heart"], object)
    np.testing.assert_array_equal(answer["class_name"], words[answer["label"].numpy()])


def test_hub_call_has_two_modes_and_moves_only_the_copy(exported):
    import tensorflow_hub as hub

    model, _, record, rows = exported
    module, images = hub.load(record["folder"]), tf.constant(rows["images"])
    live = model(images, training=False)[0]
    np.testing.assert_allclose(module(images), live, atol=1e-6)
    before = [v.numpy() for v in module.variables]
    first, second = module(images, training=True), module(images, training=True)
    assert np.abs(first - second).max() > 1e-3  # dropout and noise draw anew
    moved = [
        not np.array_equal(a, b.numpy()) for a, b in zip(before, module.variables, strict=True)
    ]
    assert sum(moved) == 4  # two moving statistics; the seeds of dropout and of sampling
    np.testing.assert_allclose(model(images, training=False)[0], live, atol=0)


def test_hub_gradients_reach_every_trainable_and_no_head(exported):
    import tensorflow_hub as hub

    model, _, record, rows = exported
    module = hub.load(record["folder"])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(module(tf.constant(rows["images"]), training=True) ** 2)
    gradients = tape.gradient(loss, module.trainable_variables)
    assert all(g is not None for g in gradients)
    # conv 2, batch normalisation 2, dense 2; the classifier's head is not part of the call
    assert len(gradients) == 6 == len(model.trainable_variables) - 2


def test_hub_regularization_equals_keras(exported):
    import tensorflow_hub as hub

    model, _, record, _ = exported
    module = hub.load(record["folder"])
    losses = [float(loss()) for loss in module.regularization_losses]
    assert losses == pytest.approx([float(loss) for loss in model.losses])
    assert len(losses) == 2 and sum(losses) > 0.1


@pytest.mark.parametrize("endpoint", ["predict", "__call__"])
def test_keras_loads_it_as_a_layer(exported, endpoint):
    import keras

    model, _, record, rows = exported
    layer = keras.layers.TFSMLayer(record["folder"], call_endpoint=endpoint)
    answer = layer(rows["images"])
    features, logits = model(rows["images"], training=False)
    if endpoint == "predict":
        np.testing.assert_allclose(answer["probabilities"], tf.nn.softmax(logits), atol=1e-6)
    else:
        np.testing.assert_allclose(answer, features, atol=1e-6)


def test_archive_has_the_model_on_top_and_unpacks_to_the_folder(exported, tmp_path):
    record = exported[2]
    with tarfile.open(record["archive"]) as tar:
        assert "saved_model.pb" in tar.getnames()
        tar.extractall(tmp_path, filter="data")
    folder = Path(record["folder"])
    for path in folder.rglob("*"):
        if path.is_file():
            assert (tmp_path / path.relative_to(folder)).read_bytes() == path.read_bytes()


def test_half_precision_and_text_serve_float32(exported_half):
    model, _, record, rows = exported_half
    spec = record["signatures"]["predict"]
    assert spec["inputs"]["colour"] == {"dtype": "string", "shape": [None]}
    assert spec["outputs"]["score"] == {"dtype": "float32", "shape": [None, 3]}
    loaded = tf.saved_model.load(record["folder"])
    inputs = {"colour": tf.constant(rows["colour"]), "size": tf.constant(rows["size"], tf.float32)}
    np.testing.assert_allclose(
        loaded.signatures["predict"](**inputs)["score"],
        tf.cast(model(inputs), tf.float32),
        atol=0.02,
    )
    assert loaded(inputs).dtype == tf.float32


def test_provenance_holds_the_proof(exported):
    folder = Path(exported[2]["folder"])
    stored = json.loads((folder / "assets.extra/provenance.json").read_text())
    proof = stored["export"]["verification"]
    assert stored["git"] == {"sha": "abc123"}
    assert proof["batches"] == [1, 7, 12] and proof["against"][1] == "hub.load"
    assert set(proof["largest_difference"]) == {"predict", "compare", "serving_default", "hub call"}
    assert all(difference <= 1e-5 for difference in proof["largest_difference"].values())
    assert proof["drawn_inputs"] == ["latent_vectors"]


def test_a_signature_that_draws_is_not_published(make_classifier, tmp_path):
    model, room = make_classifier()
    spec = room.signatures(model)["predict"].inputs

    class Drawing:
        @staticmethod
        def signatures(model):
            def predict(images):
                return {"code": model(images, training=True)[0]}

            return {"predict": Signature(predict, spec)}

    rows = {"images": np.random.default_rng(0).random((8, 8, 6, 1))}
    with pytest.raises(TfkitError, match=r"signature 'predict', output 'code'.* by \d.* at batch"):
        export_model(model, Drawing, name="drawing", examples=rows, destination=tmp_path, hub=False)
    assert [p.name for p in (tmp_path / "drawing").iterdir()] == [".lock"]


@pytest.mark.parametrize(
    "options, error, words",
    [
        ({"signatures": ["predicd"]}, UsageError, "did you mean predict"),
        ({"name": "../up"}, UsageError, "not a folder's name"),
        ({"examples": {"images": np.zeros((7, 8, 6, 1))}}, ValueError, "at least 8 rows"),
        ({"examples": {"images": np.zeros((8, 8, 7, 1))}}, ValueError, "rows of"),
        (
            {"examples": {"images": np.zeros((8, 8, 6, 1))}, "room": "bare"},
            UsageError,
            "hub: false",
        ),
    ],
)
def test_refuses_before_writing(options, error, words, make_classifier, tmp_path):
    model, room = make_classifier()
    if options.pop("room", None):
        del room.representation
    given = {"name": "x", "examples": {}, "destination": tmp_path} | options
    with pytest.raises(error, match=words):
        export_model(model, room, **given)
    assert not list(tmp_path.iterdir())


def test_unwritable_destination_is_one_sentence(make_classifier, tmp_path):
    model, room = make_classifier()
    (tmp_path / "file").write_text("in the way")
    rows = {"images": np.zeros((8, 8, 6, 1))}
    with pytest.raises(TfkitError, match="could not be written to .*Not a directory") as caught:
        export_model(model, room, name="x", examples=rows, destination=tmp_path / "file")
    assert "\n" not in str(caught.value)
