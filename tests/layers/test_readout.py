from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfkit.layers import ConvReadout, DenseReadout
from tfkit.losses import forgetting_loss

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "feature_sieve.npz")
RTOL = {"float64": 1e-6, "float32": 1e-4}


def golden(case):
    """Inputs and outputs of a case, by name."""
    return tuple(
        {
            key.removeprefix(f"{case}/{side}/"): GOLDEN[key]
            for key in GOLDEN.files
            if key.startswith(f"{case}/{side}/")
        }
        for side in ("in", "out")
    )


def published(case, depth, dtype):
    """The published block with torch's weights, and what torch computed."""
    given, wanted = golden(case)
    readout = ConvReadout(
        len(given["fc.bias"]), depth=depth, width=4, normalization="batch", dtype=dtype
    )
    features = tf.constant(given["x"].transpose(0, 2, 3, 1).astype(dtype))
    readout.build(features.shape)
    weights = []
    for block in range(depth):
        for part in (1, 2):
            name = f"layers.{block}"
            weights.append(given[f"{name}.conv{part}.weight"].transpose(2, 3, 1, 0))
            norm = ("weight", "bias", "running_mean", "running_var")
            weights += [given[f"{name}.bn{part}.{each}"] for each in norm]
    readout.set_weights([*weights, given["fc.weight"].T, given["fc.bias"]])
    return readout, features, wanted


@pytest.mark.parametrize("dtype", RTOL)
@pytest.mark.parametrize(("case", "depth"), [("aux_d0", 0), ("aux_d2", 2)])
def test_golden(case, depth, dtype):
    """Logits with the batch's statistics, and the forgetting loss and its gradient."""
    readout, features, wanted = published(case, depth, dtype)
    with tf.GradientTape() as tape:
        tape.watch(features)
        logits = readout(features, training=True)
        loss = tf.reduce_mean(forgetting_loss(logits))
    rtol = RTOL[dtype]
    np.testing.assert_allclose(logits, wanted["logits_train"], rtol=rtol, atol=rtol)
    np.testing.assert_allclose(loss, wanted["forget_loss"], rtol=rtol)
    gradient = tf.transpose(tape.gradient(loss, features), (0, 3, 1, 2)).numpy()
    room = max(rtol, 1e-6) * np.abs(wanted["grad_x"]).max()
    np.testing.assert_allclose(gradient, wanted["grad_x"], rtol=rtol, atol=room)


def test_moving_statistics_follow_the_biased_variance_and_serve_at_inference():
    """Keras' own rule: torch's increment times (n - 1) / n, n = examples times places."""
    readout, features, wanted = published("aux_d2", 2, "float64")
    before = {v.path: v.numpy() for v in readout.non_trainable_variables}
    readout(features, training=True)
    places = np.prod(features.shape[:3])
    norms = [layer for layer in readout.body if isinstance(layer, keras.layers.BatchNormalization)]
    names = [f"layers.{block}.bn{part}" for block in (0, 1) for part in (1, 2)]
    for layer, name in zip(norms, names, strict=True):
        mean, variance = (wanted[f"after/{name}.running_{part}"] for part in ("mean", "var"))
        np.testing.assert_allclose(layer.moving_mean, mean, rtol=1e-6, atol=1e-9)
        start = 0.9 * before[layer.moving_variance.path]
        biased = start + (variance - start) * (places - 1) / places
        np.testing.assert_allclose(layer.moving_variance, biased, rtol=1e-6)
        layer.moving_variance.assign(variance)  # torch's, for what follows
    np.testing.assert_allclose(readout(features), wanted["logits_eval_after"], rtol=1e-6, atol=1e-6)


def test_depth_0_is_linear_in_the_mean_over_places():
    readout = ConvReadout(3, depth=0)
    features = np.random.default_rng(0).normal(size=(4, 5, 6, 7)).astype("float32")
    turned = features[:, ::-1, ::-1]
    np.testing.assert_allclose(readout(features), readout(turned), atol=1e-5)
    kernel, bias = readout.get_weights()
    np.testing.assert_allclose(readout(features), features.mean((1, 2)) @ kernel + bias, atol=1e-5)


def test_group_normalisation_keeps_no_statistics_and_sees_no_neighbours():
    readout = ConvReadout(3, depth=2, width=24)
    features = np.random.default_rng(0).normal(size=(4, 5, 5, 2)).astype("float32")
    np.testing.assert_allclose(
        readout(features, training=True)[:1], readout(features[:1]), rtol=1e-4, atol=1e-5
    )
    assert not readout.non_trainable_variables
    assert [layer.groups for layer in readout.body[1::2]] == [3] * 4


def test_a_dense_readout_tells_places_apart():
    readout = DenseReadout(2, depth=1, width=5, normalization="none")
    features = np.random.default_rng(0).normal(size=(4, 3, 2)).astype("float32")
    assert not readout.weights and readout(features).shape == (4, 2)
    assert [w.shape for w in readout.trainable_weights] == [(6, 5), (5,), (5, 2), (2,)]
    assert np.abs(readout(features) - readout(features[:, ::-1])).max() > 1e-3


def test_a_normalising_readout_does_not_see_scale_and_offset_in_training():
    features = np.random.default_rng(0).normal(size=(50, 6)).astype("float32")
    scale, offset = np.float32([1, 2, 3, 4, 5, 6]), np.float32([6, 5, 4, 3, 2, 1])
    for normalization, blind_to in (("batch", "both"), ("center", "offset"), ("none", "")):
        readout = DenseReadout(2, normalization=normalization)
        one = np.array(readout(features, training=True))
        other = np.array(readout(features * scale + offset, training=True))
        assert np.allclose(one, other, atol=1e-2) == (blind_to == "both")
        other = np.array(readout(features + offset, training=True))
        assert np.allclose(one, other, atol=1e-4) == (blind_to != "")
    kernel, bias = readout.get_weights()
    np.testing.assert_allclose(readout(features), features @ kernel + bias, rtol=1e-4, atol=1e-5)


def test_centring_takes_the_moving_mean_at_inference():
    readout = DenseReadout(2, normalization="center")
    features = np.random.default_rng(0).normal(3.0, size=(50, 6)).astype("float32")
    for _ in range(2):
        readout(features, training=True)
    moved = features.mean(axis=0) * (1 - 0.9**2)
    np.testing.assert_allclose(readout.norm.moving_mean, moved, rtol=1e-5)
    kernel, bias = readout.trainable_weights
    wanted = (features - moved) @ kernel.numpy() + bias.numpy()
    np.testing.assert_allclose(readout(features), wanted, rtol=1e-4, atol=1e-5)


def test_refuses_features_of_another_rank():
    with pytest.raises(ValueError, match=r"ConvReadout: .*\[B, H, W, C\]"):
        ConvReadout(2)(np.zeros((2, 5)))
    with pytest.raises(ValueError, match="DenseReadout: .*pool"):
        DenseReadout(2).build((None, None, 5))


@pytest.mark.parametrize("readout", [ConvReadout, DenseReadout])
@pytest.mark.parametrize("bad", [{"num_classes": 1}, {"depth": -1}, {"width": 0}])
def test_refuses_bad_arguments(readout, bad):
    (name,) = bad
    with pytest.raises(ValueError, match=f"{readout.__name__}: {name}"):
        readout(**{"num_classes": 2, **bad})
