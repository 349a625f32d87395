"""FactorVAE's two terms: what a discriminator of joint and permuted codes says, and learns."""

import math

from keras import ops

from tfkit.losses.precision import at_least_float32

_CLIP = 1e-6  # the study's: a probability beyond it has no gradient any more
_LOG_RANGE = (math.log(_CLIP), math.log1p(-_CLIP))


def discriminator_total_correlation(logits):
    """Total correlation of codes by the density-ratio trick, from a discriminator's answers.

        TC = mean_b (logit_b0 - logit_b1)        class 0 "joint", class 1 "permuted"

    With the best discriminator the difference is log q(z) / prod_l q(z_l). In nats; an estimate
    that can be negative.

    Shapes: [B, 2] -> []
    Args:
        logits: the discriminator's output on codes z, [B, 2].
    Raises:
        ValueError: logits without the two columns.
    References: Kim and Mnih 2018, arXiv:1802.05983, equation 3.
    """
    (logits,) = at_least_float32(logits)
    _check("discriminator_total_correlation", logits)
    return ops.mean(logits[:, 0] - logits[:, 1])


def discriminator_loss(logits_joint, logits_permuted):
    """Cross-entropy of a discriminator of joint codes (class 0) and permuted ones (class 1).

        -[ mean_b log p_0(z_b) + mean_b log p_1(z'_b) ] / 2

    Probabilities are clipped to [1e-6, 1 - 1e-6], and have no gradient beyond. log 2 for one that
    knows nothing.

    Shapes: [B, 2], [B, 2] -> []
    Args:
        logits_joint: its output on codes z, [B, 2].
        logits_permuted: its output on codes whose latents were permuted over the batch, [B, 2];
            the number of rows may be another.
    Raises:
        ValueError: logits without the two columns.
    References: Kim and Mnih 2018, arXiv:1802.05983, algorithm 1; Locatello et al. 2019,
        arXiv:1811.12359.
    """
    logits_joint, logits_permuted = at_least_float32(logits_joint, logits_permuted)
    for logits in (logits_joint, logits_permuted):
        _check("discriminator_loss", logits)
    joint, permuted = (
        ops.clip(ops.log_softmax(logits, axis=1), *_LOG_RANGE)
        for logits in (logits_joint, logits_permuted)
    )
    return -0.5 * (ops.mean(joint[:, 0]) + ops.mean(permuted[:, 1]))


def _check(name, logits):
    if len(logits.shape) != 2 or logits.shape[1] != 2:
        raise ValueError(
            f"{name}: logits must have shape [B, 2], one column for joint and one for permuted "
            f"codes, got {tuple(logits.shape)}."
        )
