"""Models of the golden training: images of 4 x 4 pixels, three latents, a layer or two."""

import keras
import numpy as np

from tfkit.models import DIPVAE, AnnealedVAE, BetaTCVAE, BetaVAE, FactorVAE

# kind -> options with which it is tested; strengths that matter at this size
OPTIONS = {
    BetaVAE: {"beta": 3.0},
    AnnealedVAE: {"gamma": 3.0, "c_max": 2.0, "iteration_threshold": 4},
    BetaTCVAE: {"beta": 3.0},
    DIPVAE: {"lambda_od": 3.0},
    FactorVAE: {"gamma": 3.0},
}
KINDS = tuple(OPTIONS)


def toy_networks(latents=3, regularizer=None):
    """Encoder and decoder."""
    images = keras.Input((4, 4, 1))
    flat = keras.layers.Flatten()(images)
    mean = keras.layers.Dense(latents, kernel_regularizer=regularizer, name="e1")(flat)
    logvar = keras.layers.Dense(latents, name="e2")(flat)
    vectors = keras.Input((latents,))
    logits = keras.layers.Reshape((4, 4, 1))(keras.layers.Dense(16, name="d1")(vectors))
    return keras.Model(images, [mean, logvar]), keras.Model(vectors, logits)


def toy_discriminator(latents=3, regularizer=None):
    """Codes to two logits."""
    codes = hidden = keras.Input((latents,))
    for name in ("d1", "d2"):
        hidden = keras.layers.Dense(8, kernel_regularizer=regularizer, name=name)(hidden)
        hidden = keras.layers.LeakyReLU(negative_slope=0.2)(hidden)
    return keras.Model(codes, keras.layers.Dense(2, name="logits")(hidden))


def toy(model_class, seed=0, networks=None, discriminator=None, compiled=None, **options):
    """A compiled model; `compiled` are options of compile."""
    keras.utils.set_random_seed(seed)
    parts = networks or toy_networks()
    base = next(known for known in KINDS if issubclass(model_class, known))
    compiled = {"optimizer": keras.optimizers.Adam(1e-2, epsilon=1e-8), **(compiled or {})}
    if base is FactorVAE:
        parts = (*parts, discriminator or toy_discriminator())
        second = keras.optimizers.Adam(1e-2, beta_1=0.5, beta_2=0.9, epsilon=1e-8)
        compiled.setdefault("discriminator_optimizer", second)
    model = model_class(*parts, **(options or OPTIONS[base]))
    model.compile(**compiled)
    return model


def toy_images(rows=8, seed=0):
    """Random images."""
    return np.random.default_rng(seed).random((rows, 4, 4, 1)).astype(np.float32)


def weights(model):
    """All variables of the model, one after the other."""
    return np.concatenate([np.ravel(value) for value in model.get_weights()])


def trained_weights(model):
    """All trainable variables, one after the other."""
    return np.concatenate([np.ravel(v.numpy()) for v in model.trainable_variables])
