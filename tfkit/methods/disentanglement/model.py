"""β-VAE and β-TCVAE."""

import math

import keras
from keras import ops

from tfkit.losses import total_correlation
from tfkit.methods.disentanglement.vae import VAE, gather_replicas


@keras.saving.register_keras_serializable(package="tfkit")
class BetaVAE(VAE):
    """β-VAE: a VAE whose KL term weighs beta times as much.

        loss = reconstruction + beta * kl

    Sums over pixels and latents, means over the batch. A large beta makes the latents carry
    less and, often, one factor each; beta = 1 is the plain VAE.

    Shapes: images [B, H, W, C] in [0, 1]
    Needs: images
    Logs: loss, reconstruction, kl, elbo
    Args:
        encoder: images -> [mean, logvar], each [B, D].
        decoder: codes [B, D] -> logits [B, H, W, C].
        beta: weight of the KL term, >= 0; 4 is the paper's, the study takes 1, 2, 4, 6, 8 and 16.
    References: Higgins et al. 2017, https://openreview.net/forum?id=Sy2fzU9gl
    """

    def __init__(self, encoder: keras.Model, decoder: keras.Model, beta: float = 4.0, **kwargs):
        super().__init__(encoder, decoder, **kwargs)
        self.beta = _checked("BetaVAE", beta)

    def objective(self, images, training):
        """reconstruction + beta * kl, and its parts."""
        reconstruction, kl, _ = self.terms(images, training)
        logs = {"reconstruction": reconstruction, "kl": kl, "elbo": -(reconstruction + kl)}
        return reconstruction + self.beta * kl, logs

    def get_config(self):
        """The two networks and beta."""
        return {**super().get_config(), "beta": self.beta}


@keras.saving.register_keras_serializable(package="tfkit")
class BetaTCVAE(VAE):
    """β-TCVAE: a VAE that pays beta times for the dependence between its latents only.

        loss = reconstruction + kl + (beta - 1) * TC
        TC   = mean_j [ log sum_i prod_l q(z_jl|x_i) - sum_l log sum_i q(z_jl|x_i) ]

    i and j run over the batch. This is the study's estimator, whose constants are dropped: it is
    about -(D - 1) log B, and so the loss can be negative. `tc` is logged with (D - 1) log B
    added, to read like a total correlation. beta = 1 is the plain VAE.

    Shapes: images [B, H, W, C] in [0, 1]
    Needs: images
    Logs: loss, reconstruction, kl, elbo, tc
    Args:
        encoder: images -> [mean, logvar], each [B, D].
        decoder: codes [B, D] -> logits [B, H, W, C].
        beta: weight of the total correlation, >= 0; 6 is the paper's on dSprites, the study takes
            1, 2, 4, 6, 8 and 10.
    References: Chen et al. 2018, arXiv:1802.04942; Locatello et al. 2019, arXiv:1811.12359.
    """

    logged = ("reconstruction", "kl", "elbo", "tc")

    def __init__(self, encoder: keras.Model, decoder: keras.Model, beta: float = 6.0, **kwargs):
        super().__init__(encoder, decoder, **kwargs)
        self.beta = _checked("BetaTCVAE", beta)

    def objective(self, images, training):
        """reconstruction + kl + (beta - 1) * TC, and its parts."""
        reconstruction, kl, codes = self.terms(images, training)
        z, mean, logvar = gather_replicas(*codes)
        tc = total_correlation(z, mean, logvar)["tc"]
        batch, latents = ops.shape(z)
        constant = (latents - 1) * ops.log(ops.cast(batch, "float32"))
        logs = {"reconstruction": reconstruction, "kl": kl, "elbo": -(reconstruction + kl)}
        return reconstruction + kl + (self.beta - 1.0) * tc, {**logs, "tc": tc + constant}

    def get_config(self):
        """The two networks and beta."""
        return {**super().get_config(), "beta": self.beta}


def supplied(parts: dict) -> dict:
    """What the engine can tell the parts still to be built: the number of latents."""
    outputs = getattr(parts.get("encoder"), "outputs", None)
    return {"latent_dim": outputs[0].shape[-1]} if outputs else {}


def _checked(name, beta):
    if not (math.isfinite(beta) and beta >= 0):
        raise ValueError(f"{name}: beta must be finite and >= 0, got {beta}.")
    return float(beta)
