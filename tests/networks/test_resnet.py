import socket

import keras
import numpy as np
import pytest

from tfkit.errors import DataMissing
from tfkit.networks.parts import lower_part, upper_part
from tfkit.networks.resnet import resnet

keras_hub = pytest.importorskip("keras_hub", reason="keras-hub is not installed")

SHAPE = (32, 32, 3)
X = np.random.default_rng(0).random((2, *SHAPE)).astype("float32")
SIZES = {
    "input_conv_filters": [64],
    "input_conv_kernel_sizes": [7],
    "stackwise_num_filters": [64, 16],
    "stackwise_num_blocks": [2, 1],
    "stackwise_num_strides": [1, 2],
    "block_type": "basic_block",
}
SCALE, OFFSET = [0.01, 0.02, 0.03], [-1.0, 0.5, 2.0]


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    """A small backbone with random weights, and what it makes of bytes."""
    folder = str(tmp_path_factory.mktemp("presets") / "small")
    keras_hub.models.ResNetBackbone(**SIZES).save_to_preset(folder)
    converter = keras_hub.layers.ResNetImageConverter(scale=SCALE, offset=OFFSET)
    converter.save_to_preset(folder)
    return folder


def features(network):
    return keras.Model(network.input, network.get_layer("pool").output)(X)


def test_it_is_the_presets(preset):
    backbone = keras_hub.models.ResNetBackbone.from_preset(preset)
    wanted = np.mean(backbone(X * 255 * np.float32(SCALE) + np.float32(OFFSET)), axis=(1, 2))
    np.testing.assert_allclose(features(resnet(SHAPE, 2, preset)), wanted, rtol=1e-4, atol=1e-5)
    random = features(resnet(SHAPE, 2, preset, pretrained=False))
    assert np.abs(random - wanted).max() > 1e-2


@pytest.mark.parametrize("layer", ["pool1_pool", "stack0_block1_out", "stack1_block0_out"])
def test_it_is_cut_behind_any_stage(preset, layer):
    network = resnet(SHAPE, 2, preset)
    lower, upper = lower_part(network, layer), upper_part(network, layer)
    early = keras.Model(network.input, network.get_layer(layer).output)  # as Keras has it
    np.testing.assert_allclose(early(X), lower(X), atol=1e-6)
    np.testing.assert_allclose(upper(lower(X)), network(X), atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "blocks"), [("basic", (2, 2, 2, 2)), ("bottleneck", (3, 4, 6, 3))]
)
def test_the_docstring_names_the_ends_of_stages(kind, blocks):
    sizes = {"stackwise_num_filters": [64] * 4, "stackwise_num_strides": [1, 2, 2, 2]}
    sizes |= {"stackwise_num_blocks": blocks, "block_type": f"{kind}_block"}
    names = {layer.name for layer in keras_hub.models.ResNetBackbone(**{**SIZES, **sizes}).layers}
    for stage, number in enumerate(blocks):
        end = f"stack{stage}_block{number - 1}_out"
        assert end in names and f"stack{stage}_block{number}_out" not in names
        assert end in resnet.__doc__


def test_a_folder_is_read_without_a_network(preset, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a connection was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert resnet(SHAPE, 2, preset).count_params() > 0


def test_what_does_not_fit_is_refused(preset, tmp_path):
    with pytest.raises(ValueError, match="colour images"):
        resnet((32, 32, 1), 2, preset)
    keras_hub.models.ResNetBackbone(**SIZES).save_to_preset(str(tmp_path / "bare"))
    with pytest.raises(DataMissing, match="image_converter.json"):
        resnet(SHAPE, 2, str(tmp_path / "bare"))
    with pytest.raises(DataMissing, match="no_such_preset is no folder"):
        resnet(SHAPE, 2, "no_such_preset")
