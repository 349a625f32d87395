"""The KL term of a VAE in three parts: mutual information, total correlation, dimension-wise KL."""

import math
from typing import Literal

from keras import ops

from tfkit.losses.precision import at_least_float32

Estimator = Literal["batch", "mws", "mss", "mss_released"]
_ESTIMATORS = ("batch", "mws", "mss", "mss_released")
_LOG_2PI = math.log(2.0 * math.pi)
# [B, B, D] is 4 GB at B = 4,096 and D = 64, so of a batch whose size is known latents are taken as
# many at a time as fit in this; a graph of any batch takes them together.
_ELEMENTS = 1 << 24


def total_correlation(z, mean, logvar, estimator: Estimator = "batch", dataset_size=None):
    """Mutual information, total correlation and dimension-wise KL of a batch of codes.

        mi   = E[log q(z|x) - log q(z)]
        tc   = E[log q(z) - sum_l log q(z_l)]
        dwkl = E[sum_l log q(z_l) - log p(z)]        mi + tc + dwkl = E[log q(z|x) - log p(z)]

    q(z) and its marginals q(z_l) are mixtures over the batch, log sum_i W_ji q(z_j|x_i):

        batch         W_ji = 1              constants dropped, as in the study: tc is about
                                            -(D - 1) log B, its gradient that of W_ji = 1 / B
        mws           W_ji = 1 / (B N)      minibatch-weighted sampling
        mss           W_jj = 1 / N, W_j,j+1 = (N - M) / (N M), else 1 / M    with M = B - 1
        mss_released  the same with 1 / N in column 0 and (N - M) / (N M) in column 1, as in the
                      code released with the paper; biased, for comparison with old runs only

    In nats. The sum of the three does not depend on the estimator.

    Shapes: [B, D], [B, D], [B, D] -> dict of scalars "mi", "tc", "dwkl"
    Args:
        z: a sample of q(z|x) for each example.
        mean: means of q(z|x).
        logvar: logarithms of its variances.
        estimator: one of the four above.
        dataset_size: N, the number of training examples, >= B; "batch" has no use for it.
    Raises:
        ValueError: shapes that differ or are not [B, D]; an unknown estimator; N missing or < B;
            "mss" with fewer than two examples.
    References: Chen et al. 2018, arXiv:1802.04942, section 3 and appendix C.
    """
    z, mean, logvar = at_least_float32(z, mean, logvar)
    _check(z, mean, logvar, estimator, dataset_size)
    log_weights = _log_weights(estimator, ops.shape(z)[0], dataset_size, z.dtype)  # [B, B]
    log_joint, log_product = _aggregate_posterior(z, mean, logvar, log_weights)  # [B] each
    log_conditional = ops.sum(_log_normal(z, mean, logvar), axis=1)  # [B]
    log_prior = ops.sum(-0.5 * (ops.square(z) + _LOG_2PI), axis=1)  # [B]
    return {
        "mi": ops.mean(log_conditional - log_joint),
        "tc": ops.mean(log_joint - log_product),
        "dwkl": ops.mean(log_product - log_prior),
    }


def _log_normal(z, mean, logvar):
    return -0.5 * (ops.square(z - mean) * ops.exp(-logvar) + logvar + _LOG_2PI)


def _aggregate_posterior(z, mean, logvar, log_weights):
    """log q(z_j) and sum_l log q(z_jl) under the mixture of the batch's posteriors.  [B] each"""
    rows, latents = z.shape
    together = max(1, min(latents, _ELEMENTS // (rows or 1) ** 2))
    log_joint, log_product = log_weights, 0.0
    for start in range(0, latents, together):
        z_k, mean_k, logvar_k = (x[:, start : start + together] for x in (z, mean, logvar))
        log_density = _log_normal(z_k[:, None], mean_k, logvar_k)  # [B, B, k], row j, component i
        log_joint = log_joint + ops.sum(log_density, axis=2)
        marginals = ops.logsumexp(log_weights[:, :, None] + log_density, axis=1)  # [B, k]
        log_product = log_product + ops.sum(marginals, axis=1)
    return ops.logsumexp(log_joint, axis=1), log_product


def _log_weights(estimator, batch, dataset_size, dtype):
    if estimator == "batch":
        return ops.zeros((1, batch), dtype)
    size = ops.cast(dataset_size, dtype)
    rows = ops.cast(batch, dtype)
    if estimator == "mws":
        return ops.zeros((1, batch), dtype) - ops.log(rows * size)
    others = rows - 1.0
    own, following = _places(estimator, batch)  # [B, B] booleans
    rest = (size - others) / (size * others)
    weights = ops.where(own, 1.0 / size, ops.where(following, rest, 1.0 / others))
    return ops.log(weights)


def _places(estimator, batch):
    """Where an `mss` weight matrix holds 1 / N and where (N - M) / (N M)."""
    row = ops.arange(batch)[:, None]
    column = ops.arange(batch)[None, :]
    if estimator == "mss":
        return column == row, column == (row + 1) % batch
    # The released code strides over the flattened matrix and so fills two columns; one entry of
    # the last row but one is overwritten.
    last = (row == batch - 2) & (column == 0)
    return (column == 0) & ~last, (column == 1) | last


def _check(z, mean, logvar, estimator, dataset_size):
    shapes = [tuple(tensor.shape) for tensor in (z, mean, logvar)]
    if len(set(shapes)) > 1 or len(shapes[0]) != 2:
        raise ValueError(
            "total_correlation: z, mean and logvar must have one shape [B, D], got "
            f"{shapes[0]}, {shapes[1]} and {shapes[2]}; flatten the codes to one row per example."
        )
    if estimator not in _ESTIMATORS:
        raise ValueError(
            f"total_correlation: estimator must be one of {', '.join(_ESTIMATORS)}, "
            f"got {estimator!r}."
        )
    if estimator == "batch":
        return
    batch = shapes[0][0]
    if dataset_size is None or dataset_size < (batch or 1):
        raise ValueError(
            f"total_correlation: estimator {estimator!r} needs dataset_size >= the batch's "
            f"{batch} rows, got {dataset_size}; pass the number of training examples."
        )
    if estimator != "mws" and batch == 1:
        raise ValueError(
            f"total_correlation: estimator {estimator!r} needs at least 2 rows, got 1; "
            'use a larger batch or "mws".'
        )
