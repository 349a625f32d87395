import json
from pathlib import Path

import numpy as np
import pytest

from tfkit.methods.disentanglement import study_decoder, study_discriminator, study_encoder

GOLDEN = Path(__file__).parents[2] / "golden"
ARRAYS = np.load(GOLDEN / "disentanglement_arch.npz")
NETWORKS = json.loads((GOLDEN / "disentanglement_arch.json").read_text())
SHAPE = (64, 64, 1)
BUILDERS = {
    "conv_encoder": lambda: study_encoder(SHAPE, 10),
    "deconv_decoder": lambda: study_decoder(SHAPE, 10),
    "fc_encoder": lambda: study_encoder(SHAPE, 10, kind="fc"),
    "fc_decoder": lambda: study_decoder(SHAPE, 10, kind="fc"),
    "fc_discriminator": lambda: study_discriminator(10),
}


def with_golden_weights(name):
    """The network with the weights of the golden file's rule, in the order of its variables."""
    network, values = BUILDERS[name](), []
    for number, (variable, shape) in enumerate(NETWORKS[name]["variables"]):
        value = np.random.RandomState(ARRAYS["seed"] + number).randn(*shape)
        if variable.endswith("bias"):
            scale = 0.05
        elif "transpose" in variable:
            scale = np.sqrt(2 / (shape[0] * shape[1] * shape[3] / 4))
        else:
            scale = np.sqrt(2 / np.prod(shape[:-1]))
        values.append((value * scale).astype(np.float32))
    network.set_weights(values)
    return network


def assert_close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("name", list(BUILDERS))
def test_variables_are_those_of_the_study(name):
    network = BUILDERS[name]()
    assert network.count_params() == NETWORKS[name]["params"]
    shapes = [list(variable.shape) for variable in network.weights]
    assert shapes == [shape for _, shape in NETWORKS[name]["variables"]]


def test_golden_encoder():
    images = np.unpackbits(ARRAYS["x1_packed"]).reshape(4, *SHAPE).astype(np.float32)
    mean, logvar = with_golden_weights("conv_encoder")(images)
    assert_close(mean, ARRAYS["conv_encoder_mean"])
    assert_close(logvar, ARRAYS["conv_encoder_logvar"])


def test_golden_decoder():
    logits = np.array(with_golden_weights("deconv_decoder")(ARRAYS["z"]))[..., 0]
    assert_close(logits[:, 24:40:3, 24:40:3], ARRAYS["deconv_decoder_logits_crop"])
    assert_close(logits.sum(axis=(1, 2)), ARRAYS["deconv_decoder_logits_sum"])
    assert_close(
        (logits.astype(float) ** 2).sum(axis=(1, 2)), ARRAYS["deconv_decoder_logits_sumsq"]
    )


def test_golden_discriminator():
    assert_close(
        with_golden_weights("fc_discriminator")(ARRAYS["z"]), ARRAYS["fc_discriminator_logits"]
    )


def dense(inputs, weights, activation):
    """A chain of Dense layers in NumPy; the last one is linear."""
    *hidden, last = zip(weights[::2], weights[1::2], strict=True)
    for kernel, bias in hidden:
        inputs = activation(inputs @ kernel + bias)
    return inputs @ last[0] + last[1]


def test_fully_connected_networks_in_numpy():
    generator = np.random.default_rng(0)
    decoder = study_decoder((4, 4, 1), 3, kind="fc")
    codes = generator.normal(size=(2, 3)).astype(np.float32)
    expected = dense(codes, decoder.get_weights(), np.tanh)
    assert_close(np.array(decoder(codes)).reshape(2, 16), expected)
    encoder = study_encoder((4, 4, 1), 3, kind="fc")
    images = generator.random((2, 4, 4, 1)).astype(np.float32)
    weights, flat = encoder.get_weights(), images.reshape(2, 16)
    for output, head in zip(encoder(images), (weights[4:6], weights[6:]), strict=True):
        assert_close(output, dense(flat, weights[:4] + head, lambda x: np.maximum(x, 0)))


@pytest.mark.parametrize("kind", ("conv", "fc"))
@pytest.mark.parametrize("side", (16, 32))
def test_smaller_images(side, kind):
    shape = (side, side, 3)
    mean, logvar = study_encoder(shape, 4, kind=kind)(np.zeros((2, *shape), np.float32))
    assert mean.shape == logvar.shape == (2, 4)
    assert study_decoder(shape, 4, kind=kind)(mean).shape == (2, *shape)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((48, 48, 1), 10), "side 16, 32 or 64, got 48 x 48"),
        (((64, 32, 1), 10), "square images"),
        (((64, 64), 10), r"image_shape must be \(H, W, C\), got \(64, 64\)"),
        ((SHAPE, 0), "latent_dim must be >= 1, got 0"),
        ((SHAPE, 10, "dense"), 'kind must be "conv" or "fc", got \'dense\''),
    ],
)
@pytest.mark.parametrize("builder", (study_encoder, study_decoder))
def test_bad_arguments(builder, arguments, message):
    with pytest.raises(ValueError, match=message):
        builder(*arguments)


def test_discriminator_of_nothing():
    with pytest.raises(ValueError, match="latent_dim must be >= 1, got 0"):
        study_discriminator(0)
