"""What a readout still knows: the loss by which the feature sieve erases it."""

from keras import ops

from tfkit.losses.precision import at_least_float32


def forgetting_loss(logits):
    """Cross-entropy of a readout to the uniform distribution, one value per example.

        L = -(1/K) sum_k log softmax(logits)_k

    L >= log K, equal where the readout knows nothing; L - log K = KL(uniform || softmax(logits)).
    The gradient with respect to a logit is softmax(logits)_k - 1/K. It is neither the entropy, KL
    the other way round, nor the label's cross-entropy with the sign turned.

    Shapes: [B, K] -> [B]
    Args:
        logits: scores before the softmax, of any floating type; float64 stays float64, everything
            below float32 is computed in float32.
    Raises:
        ValueError: logits that have not one row per example, or fewer than two classes.
    References: Tiwari and Shenoy 2023, arXiv:2301.13293.
    """
    (logits,) = at_least_float32(logits)
    if len(logits.shape) != 2 or logits.shape[1] == 1:
        raise ValueError(
            "forgetting_loss: logits must have shape [B, K] with K >= 2 classes, got "
            f"{tuple(logits.shape)}; a readout gives one row per example."
        )
    return -ops.mean(ops.log_softmax(logits, axis=1), axis=1)  # [B]
