"""Encoder, decoder and discriminator of the ICML 2019 study (Locatello et al., appendix)."""

import math
from typing import Literal

import keras
from keras import layers

# From the outermost layer inwards: (filters, kernel side), each of stride 2. 64 pixels use all
# four and reach 4 x 4; smaller images leave the outermost away.
_ENCODER_LAYERS = ((32, 4), (32, 4), (64, 2), (64, 2))
_DECODER_FILTERS = (32, 32, 64)  # from the outermost inwards, before the layer of C logits
_SIDES = {64: 4, 32: 3, 16: 2}  # image side -> stride-2 layers


def study_encoder(
    image_shape, latent_dim: int = 10, kind: Literal["conv", "fc"] = "conv"
) -> keras.Model:
    """Encoder of the study: images to mean and log-variance of q(z|x).

        conv: 4 x (Conv stride 2, relu) - Dense 256 relu - Dense D, Dense D
        fc:   Dense 1200 relu - Dense 1200 relu - Dense D, Dense D

    Kernels are Glorot-uniform, biases zero, padding "same", no normalisation. conv has 309,204
    parameters and fc 6,381,620 at 64 x 64 x 1 and D = 10.

    Shapes: [B, H, W, C] -> [B, D], [B, D]
    Args:
        image_shape: (H, W, C); conv takes square images of side 16, 32 or 64.
        latent_dim: D, the number of latents, >= 1; 10 is the study's.
        kind: "conv" as in most of the study, or "fc" (fully connected, as in Higgins et al. 2017).
    References: Locatello et al. 2019, arXiv:1811.12359, appendix.
    """
    _check("study_encoder", image_shape, latent_dim, kind)
    images = keras.Input(image_shape, name="images")
    hidden = _conv_trunk(images) if kind == "conv" else _fc_trunk(images)
    mean = layers.Dense(latent_dim, name="mean")(hidden)  # [B, D]
    logvar = layers.Dense(latent_dim, name="logvar")(hidden)  # [B, D]
    return keras.Model(images, [mean, logvar], name="encoder")


def study_decoder(
    image_shape, latent_dim: int, kind: Literal["conv", "fc"] = "conv"
) -> keras.Model:
    """Decoder of the study: codes to the logits of Bernoulli pixels.

        conv: Dense 256 relu - Dense 1024 relu - 4 x 4 x 64 - 4 x (transposed Conv 4 x 4 stride 2)
        fc:   3 x (Dense 1200 tanh) - Dense H W C

    conv has 381,313 parameters and fc 7,814,896 at 64 x 64 x 1 and D = 10.

    Shapes: [B, D] -> [B, H, W, C]
    Args:
        image_shape: (H, W, C); conv makes square images of side 16, 32 or 64.
        latent_dim: D, the encoder's.
        kind: "conv", or "fc" (fully connected).
    References: Locatello et al. 2019, arXiv:1811.12359, appendix.
    """
    _check("study_decoder", image_shape, latent_dim, kind)
    codes = keras.Input((latent_dim,), name="latent_vectors")
    hidden = codes
    if kind == "fc":
        for _ in range(3):
            hidden = layers.Dense(1200, activation="tanh")(hidden)
        pixels = layers.Dense(math.prod(image_shape))(hidden)
        return keras.Model(codes, layers.Reshape(image_shape)(pixels), name="decoder")
    for units in (256, 1024):
        hidden = layers.Dense(units, activation="relu")(hidden)
    hidden = layers.Reshape((4, 4, 64))(hidden)
    kept = _DECODER_FILTERS[-(_SIDES[image_shape[0]] - 1) :]
    for filters in reversed(kept):
        hidden = layers.Conv2DTranspose(filters, 4, strides=2, padding="same", activation="relu")(
            hidden
        )
    logits = layers.Conv2DTranspose(image_shape[-1], 4, strides=2, padding="same")(hidden)
    return keras.Model(codes, logits, name="decoder")


def study_discriminator(latent_dim: int) -> keras.Model:
    """Discriminator of FactorVAE: codes to two logits, class 0 "joint", class 1 "permuted".

        6 x (Dense 1000, leaky ReLU of slope 0.2) - Dense 2

    5,018,002 parameters at D = 10.

    Shapes: [B, D] -> [B, 2]
    Args:
        latent_dim: D, the number of latents.
    References: Kim and Mnih 2018, arXiv:1802.05983, appendix.
    """
    if latent_dim < 1:
        raise ValueError(f"study_discriminator: latent_dim must be >= 1, got {latent_dim}.")
    codes = keras.Input((latent_dim,), name="latent_vectors")
    hidden = codes
    for _ in range(6):
        hidden = layers.Dense(1000)(hidden)
        hidden = layers.LeakyReLU(negative_slope=0.2)(hidden)
    return keras.Model(codes, layers.Dense(2, name="logits")(hidden), name="discriminator")


def _conv_trunk(images):
    hidden = images
    for filters, side in _ENCODER_LAYERS[-_SIDES[images.shape[1]] :]:
        hidden = layers.Conv2D(filters, side, strides=2, padding="same", activation="relu")(hidden)
    return layers.Dense(256, activation="relu")(layers.Flatten()(hidden))


def _fc_trunk(images):
    hidden = layers.Flatten()(images)
    for _ in range(2):
        hidden = layers.Dense(1200, activation="relu")(hidden)
    return hidden


def _check(name, image_shape, latent_dim, kind):
    if kind not in ("conv", "fc"):
        raise ValueError(f'{name}: kind must be "conv" or "fc", got {kind!r}.')
    if latent_dim < 1:
        raise ValueError(f"{name}: latent_dim must be >= 1, got {latent_dim}.")
    if len(image_shape) != 3 or min(image_shape) < 1:
        raise ValueError(f"{name}: image_shape must be (H, W, C), got {tuple(image_shape)}.")
    height, width, _ = image_shape
    if kind == "conv" and (height != width or height not in _SIDES):
        raise ValueError(
            f'{name}: kind "conv" needs square images of side 16, 32 or 64, got {height} x '
            f'{width}; resize them (data.image_size), or use kind "fc".'
        )
