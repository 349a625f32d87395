"""β-VAE, AnnealedVAE, β-TCVAE and DIP-VAE; FactorVAE, which has a discriminator, is next door."""

import math
from typing import Literal

import keras
from keras import ops

from tfkit.losses import annealed_capacity, dip_regularizer, total_correlation
from tfkit.losses.capacity import capacity_at
from tfkit.methods.disentanglement.factor_vae import FactorVAE
from tfkit.methods.disentanglement.vae import VAE, elbo_logs, gather_replicas, mean_of_replicas

__all__ = ["AnnealedVAE", "BetaTCVAE", "BetaVAE", "DIPVAE", "FactorVAE"]


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
        (self.beta,) = _checked("BetaVAE", beta=beta)

    def objective(self, images, training):
        """reconstruction + beta * kl, and its parts."""
        error, kl, _ = self.terms(images, training)
        return error + self.beta * kl, elbo_logs(error, kl)

    def get_config(self):
        """The two networks and beta."""
        return {**super().get_config(), "beta": self.beta}


@keras.saving.register_keras_serializable(package="tfkit")
class AnnealedVAE(VAE):
    """AnnealedVAE: a VAE whose KL term is held at a capacity that grows while it trains.

        loss = reconstruction + gamma * |kl - C|
        C    = min(c_max, c_max * step / iteration_threshold)

    The latents come into use one after the other. `step`, the number of updates before this one,
    is a variable of the model: it is in checkpoints and `.keras` files, and evaluation uses it as
    it is. An update that mixed precision skips does not count. `capacity` is logged.

    Shapes: images [B, H, W, C] in [0, 1]
    Needs: images
    Logs: loss, reconstruction, kl, elbo, capacity
    Args:
        encoder: images -> [mean, logvar], each [B, D].
        decoder: codes [B, D] -> logits [B, H, W, C].
        gamma: weight of the distance to the capacity, >= 0; 1000 is the study's.
        c_max: the largest capacity in nats, >= 0; 25 is the paper's on dSprites, the study takes
            5, 10, 25, 50, 75 and 100.
        iteration_threshold: updates until the capacity is c_max, >= 1; 100000 is the study's, a
            third of its training.
    References: Burgess et al. 2018, arXiv:1804.03599; Locatello et al. 2019, arXiv:1811.12359.
    """

    logged = ("reconstruction", "kl", "elbo", "capacity")

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        gamma: float = 1000.0,
        c_max: float = 25.0,
        iteration_threshold: int = 100_000,
        **kwargs,
    ):
        super().__init__(encoder, decoder, **kwargs)
        checked = _checked("AnnealedVAE", gamma=gamma, c_max=c_max)
        self.gamma, self.c_max = checked
        if not iteration_threshold >= 1:
            raise ValueError(
                f"AnnealedVAE: iteration_threshold must be >= 1, got {iteration_threshold}."
            )
        self.iteration_threshold = iteration_threshold

    def make_state(self):
        """The counter of updates."""
        self.step = self.add_weight(
            shape=(),
            initializer="zeros",
            dtype="int64",
            trainable=False,
            aggregation="only_first_replica",
            name="step",
        )

    def objective(self, images, training):
        """reconstruction + gamma * |kl - C|, and its parts."""
        error, kl, _ = self.terms(images, training)
        schedule = {"c_max": self.c_max, "iteration_threshold": self.iteration_threshold}
        held = annealed_capacity(mean_of_replicas(kl), self.step, self.gamma, **schedule)
        return error + held, {
            **elbo_logs(error, kl),
            "capacity": capacity_at(self.step, **schedule),
        }

    def train_step(self, data):
        """One update, which is counted."""
        before = self.optimizer.iterations + 0
        logs = super().train_step(data)
        self.step.assign_add(ops.cast(self.optimizer.iterations - before, "int64"))
        return logs

    def get_config(self):
        """The two networks, gamma and the schedule."""
        names = ("gamma", "c_max", "iteration_threshold")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


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
        (self.beta,) = _checked("BetaTCVAE", beta=beta)

    def objective(self, images, training):
        """reconstruction + kl + (beta - 1) * TC, and its parts."""
        error, kl, codes = self.terms(images, training)
        z, mean, logvar = gather_replicas(*codes)
        tc = total_correlation(z, mean, logvar)["tc"]
        batch, latents = ops.shape(z)
        constant = (latents - 1) * ops.log(ops.cast(batch, "float32"))
        return error + kl + (self.beta - 1.0) * tc, {**elbo_logs(error, kl), "tc": tc + constant}

    def get_config(self):
        """The two networks and beta."""
        return {**super().get_config(), "beta": self.beta}


@keras.saving.register_keras_serializable(package="tfkit")
class DIPVAE(VAE):
    """DIP-VAE: a VAE whose codes are asked to have the identity for a covariance.

        loss = reconstruction + kl + lambda_od * sum_{i != j} S_ij^2 + lambda_d * sum_i (S_ii - 1)^2

        i    S = Cov[mean]
        ii   S = Cov[mean] + E[diag(e^logvar)], the covariance of z

    Cov is the batch's. `dip`, the two sums with their weights, is logged; weights of 0 leave the
    plain VAE.

    Shapes: images [B, H, W, C] in [0, 1]
    Needs: images
    Logs: loss, reconstruction, kl, elbo, dip
    Args:
        encoder: images -> [mean, logvar], each [B, D].
        decoder: codes [B, D] -> logits [B, H, W, C].
        kind: "i" acts on the means, "ii" on samples.
        lambda_od: weight of the covariances, >= 0; the study takes 1, 2, 5, 10, 20 and 50.
        lambda_d: weight of the variances, >= 0; null is the study's ratio, 10 lambda_od for kind
            "i" and lambda_od for kind "ii".
    References: Kumar et al. 2018, arXiv:1711.00848; Locatello et al. 2019, arXiv:1811.12359.
    """

    logged = ("reconstruction", "kl", "elbo", "dip")

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        kind: Literal["i", "ii"] = "i",
        lambda_od: float = 10.0,
        lambda_d: float | None = None,
        **kwargs,
    ):
        super().__init__(encoder, decoder, **kwargs)
        if kind not in ("i", "ii"):
            raise ValueError(f'DIPVAE: kind must be "i" or "ii", got {kind!r}.')
        (self.lambda_od,) = _checked("DIPVAE", lambda_od=lambda_od)
        self.lambda_d = None if lambda_d is None else _checked("DIPVAE", lambda_d=lambda_d)[0]
        self.kind = kind

    def objective(self, images, training):
        """reconstruction + kl + the regulariser, and its parts."""
        error, kl, (_, *moments) = self.terms(images, training)
        dip = dip_regularizer(
            *gather_replicas(*moments), self.lambda_od, self.lambda_d, kind=self.kind
        )
        return error + kl + dip, {**elbo_logs(error, kl), "dip": dip}

    def get_config(self):
        """The two networks, the kind and its weights."""
        names = ("kind", "lambda_od", "lambda_d")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def supplied(parts: dict) -> dict:
    """What the engine can tell the parts still to be built: the number of latents."""
    outputs = getattr(parts.get("encoder"), "outputs", None)
    return {"latent_dim": outputs[0].shape[-1]} if outputs else {}


def _checked(model, **weights):
    for name, value in weights.items():
        if not (math.isfinite(value) and value >= 0):
            raise ValueError(f"{model}: {name} must be finite and >= 0, got {value}.")
    return [float(value) for value in weights.values()]
