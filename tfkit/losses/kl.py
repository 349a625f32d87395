"""KL divergences in closed form."""

from keras import ops

from tfkit.losses.precision import at_least_float32


def kl_to_standard_normal(mean, logvar):
    """KL divergence from a diagonal Gaussian to N(0, I), one value per example and latent.

        KL(N(m, e^s) || N(0, 1)) = (m^2 + e^s - s - 1) / 2        s = logvar

    In nats and never negative. Sum over D and average over B for the KL term of a VAE.

    Shapes: [B, D], [B, D] -> [B, D]
    Args:
        mean: means of q(z|x); tensors and arrays of any floating type. float64 stays float64,
            everything below float32 is computed in float32.
        logvar: logarithms of its variances, not clipped.
    Raises:
        ValueError: the two differ in shape.
    References: Kingma and Welling 2014, arXiv:1312.6114, appendix B.
    """
    mean, logvar = at_least_float32(mean, logvar)
    if tuple(mean.shape) != tuple(logvar.shape):
        raise ValueError(
            "kl_to_standard_normal: mean and logvar must have the same shape, got "
            f"{tuple(mean.shape)} and {tuple(logvar.shape)}; pass the encoder's two outputs."
        )
    return 0.5 * (ops.square(mean) + ops.exp(logvar) - logvar - 1.0)  # [B, D]
