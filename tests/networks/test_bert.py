import socket
import sys

import keras
import numpy as np
import pytest

from tfkit import keras_files
from tfkit.errors import DataMissing, UsageError
from tfkit.layers import SequenceReadout
from tfkit.models import FeatureSieve
from tfkit.networks.bert import bert
from tfkit.networks.parts import lower_part, upper_part

keras_hub = pytest.importorskip("keras_hub", reason="keras-hub is not installed")

SIZES = {"num_heads": 2, "hidden_dim": 16, "intermediate_dim": 24, "max_sequence_length": 12}
END = 5
# [CLS] a [SEP] b [SEP], then padding
TEXTS = np.array([[2, 9, 8, END, 7, END, 0, 0], [2, 7, 9, 6, 8, 8, END, 0]], "int32")
SEGMENTS = np.array([[0, 0, 0, 0, 1, 1, 0, 0], [0] * 8], "int32")


@pytest.fixture(scope="module")
def presets(tmp_path_factory):
    """Small backbones with random weights, saved as presets."""
    folder = tmp_path_factory.mktemp("presets")
    keras.utils.set_random_seed(1)
    for name in ("BertBackbone", "DistilBertBackbone"):
        kind = getattr(keras_hub.models, name)
        kind(vocabulary_size=30, num_layers=2, **SIZES).save_to_preset(str(folder / name))
    kind = keras_hub.models.ElectraBackbone
    kind(vocab_size=30, num_layers=1, embedding_dim=8, **SIZES).save_to_preset(str(folder / "else"))
    return folder


def made(folder, name="BertBackbone", **options):
    given = {"separator": END, "preset": str(folder / name), **options}
    return bert((8,), 3, 10, **given)


def first_states(network, layer):
    return keras.Model(network.input, network.get_layer(layer).output)(TEXTS)[:, 0]


@pytest.mark.parametrize("separator", [END, None])
def test_bert_is_the_presets(presets, separator):
    published = keras_hub.models.BertBackbone.from_preset(str(presets / "BertBackbone"))
    segments = SEGMENTS if separator else np.zeros_like(SEGMENTS)
    given = {"token_ids": TEXTS, "segment_ids": segments, "padding_mask": TEXTS != 0}
    network = made(presets, separator=separator)
    pooled = keras.Model(network.input, network.get_layer("pooled_dense").output)(TEXTS)
    np.testing.assert_allclose(pooled, published(given)["pooled_output"], atol=1e-6)


def test_distilbert_is_the_presets(presets):
    folder = str(presets / "DistilBertBackbone")
    published = keras_hub.models.DistilBertBackbone.from_preset(folder)
    wanted = published({"token_ids": TEXTS, "padding_mask": TEXTS != 0})[:, 0]
    found = first_states(made(presets, "DistilBertBackbone"), "block_2")
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_without_pretraining_only_the_architecture_is_the_presets(presets):
    random, trained = made(presets, pretrained=False), made(presets)
    assert [v.shape for v in random.variables] == [v.shape for v in trained.variables]
    assert np.abs(first_states(random, "block_2") - first_states(trained, "block_2")).max() > 0.1


@pytest.mark.parametrize("layer", ["embeddings", "block_1"])
def test_it_is_cut_behind_any_block_and_padding_shows(presets, layer):
    network = made(presets)
    halves = [part(network, layer) for part in (lower_part, upper_part)]
    features = halves[0](TEXTS)
    early = keras.Model(network.input, network.get_layer(layer).output)  # as Keras has it
    np.testing.assert_allclose(early(TEXTS), features, atol=1e-6)
    np.testing.assert_allclose(halves[1](features), network(TEXTS), atol=1e-6)
    np.testing.assert_array_equal(np.abs(features).sum(-1) > 0, TEXTS != 0)


def test_padding_makes_no_difference(presets):
    network, shorter = (
        made(presets),
        bert((6,), 3, 10, str(presets / "BertBackbone"), True, 0.1, END),
    )
    shorter.set_weights(network.get_weights())
    np.testing.assert_allclose(shorter(TEXTS[:1, :6]), network(TEXTS[:1]), atol=1e-6)


def test_a_sieve_forgets_in_its_lower_blocks(presets):
    network = made(presets)
    halves = [part(network, "block_1") for part in (lower_part, upper_part)]
    sieve = FeatureSieve(*halves, SequenceReadout(3), forget_every=1)
    sieve.compile(
        keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.1),
        run_eagerly=True,
    )  # fmt: skip
    before = [v.numpy() for v in network.get_layer("block_2").trainable_variables]
    lower = [v.numpy() for v in halves[0].get_layer("block_1").trainable_variables]
    logs = sieve.train_on_batch(TEXTS, np.array([0, 2]), return_dict=True)
    assert np.isfinite(logs["forget_loss"])
    after = halves[0].get_layer("block_1").trainable_variables
    assert any(np.abs(v.numpy() - old).max() > 1e-6 for v, old in zip(after, lower, strict=True))
    for variable, old in zip(
        halves[1].get_layer("block_2").trainable_variables, before, strict=True
    ):
        np.testing.assert_array_equal(variable.numpy(), old)


def test_a_folder_is_read_without_a_network(presets, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a connection was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setenv("TFKIT_DATA", str(presets))
    assert bert((8,), 2, 10, "DistilBertBackbone").count_params() > 0


def test_what_does_not_fit_is_refused(presets, tmp_path):
    for options, words in (
        (
            {"name": "else"},
            "preset must be one of a BertBackbone or DistilBertBackbone, got a Elec",
        ),
        ({"dropout": 1.0}, r"dropout must be in \[0, 1\), got 1.0"),
    ):
        with pytest.raises(ValueError, match=words):
            made(presets, **options)
    folder = str(presets / "BertBackbone")
    with pytest.raises(ValueError, match="max_sequence_length is 12, but the data need 13"):
        bert((13,), 2, 10, folder)
    with pytest.raises(ValueError, match="vocabulary_size is 30, but the data need 31"):
        bert((8,), 2, 31, folder)
    with pytest.raises(ValueError, match=r"texts of shape \(T,\)"):
        bert((8, 8, 3), 2, 10, folder)
    with pytest.raises(DataMissing, match="no_such_preset is no folder"):
        bert((8,), 2, 10, "no_such_preset")
    with pytest.raises(DataMissing, match=r"config\.json"):
        bert((8,), 2, 10, str(tmp_path))


def test_its_file_asks_for_the_package(presets, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(keras_files, "need", lambda *words: asked.append(words[1:]))
    network = made(presets)
    network.save(tmp_path / "texts.keras")
    again = keras_files.load_model(tmp_path / "texts.keras", compile=False)
    np.testing.assert_allclose(again(TEXTS), network(TEXTS), atol=1e-6)
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(tmp_path / "others.keras")
    keras_files.load_model(tmp_path / "others.keras")
    assert asked == [("text", "keras_hub")]


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    with pytest.raises(UsageError, match=r"keras_hub: pip install 'tfkit\[text\]'"):
        bert((8,), 2, 10)
