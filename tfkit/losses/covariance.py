"""The DIP-VAE regularisers: moments of the aggregate posterior that should be those of N(0, I)."""

import math
from typing import Literal

from keras import ops

from tfkit.losses.precision import at_least_float32

Kind = Literal["i", "ii"]
_RATIOS = {"i": 10.0, "ii": 1.0}  # lambda_d / lambda_od of the study


def dip_regularizer(
    mean, logvar, lambda_od: float = 10.0, lambda_d: float | None = None, kind: Kind = "i"
):
    """Distance between the covariance of the codes in a batch and the identity.

        lambda_od sum_{i != j} S_ij^2 + lambda_d sum_i (S_ii - 1)^2

        i    S = Cov[mean]
        ii   S = Cov[mean] + E[diag(e^logvar)], the covariance of z ~ q(z)

    Cov is the batch's biased covariance, E[m m^T] - E[m] E[m]^T; the first sum takes both
    triangles.

    Shapes: [B, D], [B, D] -> []
    Args:
        mean: means of q(z|x).
        logvar: logarithms of its variances; of no influence on kind "i".
        lambda_od: weight of the covariances, >= 0; the study takes 1, 2, 5, 10, 20 and 50.
        lambda_d: weight of the variances, >= 0; None is the study's ratio, 10 lambda_od for kind
            "i" and lambda_od for kind "ii".
        kind: "i" or "ii".
    Raises:
        ValueError: shapes that differ or are not [B, D]; a weight below 0; an unknown kind.
    References: Kumar et al. 2018, arXiv:1711.00848, equations 6 and 7.
    """
    mean, logvar = at_least_float32(mean, logvar)
    if kind not in _RATIOS:
        raise ValueError(f'dip_regularizer: kind must be "i" or "ii", got {kind!r}.')
    if lambda_d is None:
        lambda_d = _RATIOS[kind] * lambda_od
    _check(mean, logvar, lambda_od=lambda_od, lambda_d=lambda_d)
    centred = mean - ops.mean(mean, axis=0)  # [B, D]; without the cancellation of E[m m^T]
    rows = ops.cast(ops.shape(mean)[0], mean.dtype)
    covariance = ops.matmul(ops.transpose(centred), centred) / rows  # [D, D]
    if kind == "ii":
        covariance = covariance + ops.diag(ops.mean(ops.exp(logvar), axis=0))
    variances = ops.diagonal(covariance)  # [D]
    covariances = ops.sum(ops.square(covariance)) - ops.sum(ops.square(variances))
    return lambda_od * covariances + lambda_d * ops.sum(ops.square(variances - 1.0))


def _check(mean, logvar, **weights):
    shapes = tuple(mean.shape), tuple(logvar.shape)
    if len(shapes[0]) != 2 or shapes[0][1:] != shapes[1][1:]:
        raise ValueError(
            "dip_regularizer: mean and logvar must have one shape [B, D], got "
            f"{shapes[0]} and {shapes[1]}; pass the encoder's two outputs."
        )
    for name, value in weights.items():
        if not (math.isfinite(value) and value >= 0):
            raise ValueError(f"dip_regularizer: {name} must be finite and >= 0, got {value}.")
