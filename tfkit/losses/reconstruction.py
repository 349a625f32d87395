"""Reconstruction terms: minus the log-likelihood of an image under a decoder's output."""

from keras import ops

from tfkit.losses.precision import at_least_float32


def bernoulli_reconstruction(images, logits):
    """Bernoulli reconstruction error, summed over the pixels of each image.

        rec_b = sum_p  softplus(l_p) - x_p l_p  =  -sum_p log Bernoulli(x_p; sigmoid(l_p))

    In nats. A sum, never a mean, over pixels: the mean would rescale beta by their number.
    Real-valued x in [0, 1] is accepted, as in the study (the value is then a cross-entropy
    and not a likelihood).

    Shapes: [B, H, W, C], [B, H, W, C] -> [B]
    Args:
        images: pixels in [0, 1].
        logits: the decoder's output before the sigmoid.
    Raises:
        ValueError: the two differ in shape.
    References: Locatello et al. 2019, arXiv:1811.12359, appendix.
    """
    images, logits = at_least_float32(images, logits)
    if tuple(images.shape[1:]) != tuple(logits.shape[1:]):
        raise ValueError(
            "bernoulli_reconstruction: images and logits must have the same shape, got "
            f"{tuple(images.shape)} and {tuple(logits.shape)}."
        )
    per_pixel = ops.binary_crossentropy(images, logits, from_logits=True)  # [B, H, W, C]
    return ops.sum(per_pixel, axis=tuple(range(1, len(per_pixel.shape))))  # [B]
