"""Reconstruction terms: minus the log-likelihood of an image under a decoder's output."""

import math
from typing import Literal

from keras import ops

from tfkit.losses.precision import at_least_float32

Kind = Literal["bernoulli", "l2"]
Activation = Literal["logits", "tanh"]
_CLIP = 1e-6  # the study's: probabilities of "tanh", and of images whose entropy is taken
_LOG_RANGE = (math.log(_CLIP), math.log1p(-_CLIP))


def reconstruction(
    images,
    logits,
    kind: Kind = "bernoulli",
    activation: Activation = "logits",
    subtract_entropy: bool = False,
):
    """Reconstruction error, summed over the pixels of each image.

        bernoulli   -sum_p [x_p log q_p + (1 - x_p) log(1 - q_p)]
        l2          sum_p (x_p - q_p)^2

        logits      q = sigmoid(l)
        tanh        q = tanh(l) / 2 + 1/2, for bernoulli clipped to [1e-6, 1 - 1e-6]

    A sum, never a mean, over pixels: the mean would rescale beta by their number. The Bernoulli
    error is in nats; real-valued x in [0, 1] is accepted, as in the study, and makes it a
    cross-entropy, whose minimum is the entropy of x, which `subtract_entropy` takes away.

    Shapes: [B, H, W, C] in [0, 1], [B, H, W, C] -> [B]
    Args:
        images: pixels in [0, 1].
        logits: the decoder's output before the activation.
        kind: "bernoulli" as in the study, or "l2".
        activation: what makes probabilities of the decoder's output; "logits" in the study.
        subtract_entropy: subtract sum_p H(x_p), x clipped to [1e-6, 1 - 1e-6]; only with
            "bernoulli".
    Raises:
        ValueError: images and logits differ in shape; an unknown kind or activation;
            subtract_entropy with "l2".
    References: Locatello et al. 2019, arXiv:1811.12359, appendix.
    """
    images, logits = at_least_float32(images, logits)
    _check(images, logits, kind, activation, subtract_entropy)
    per_pixel = _ERRORS[kind, activation](images, logits)  # [B, H, W, C]
    if subtract_entropy:
        per_pixel = per_pixel - _entropy(images)
    return ops.sum(per_pixel, axis=tuple(range(1, len(per_pixel.shape))))  # [B]


def bernoulli_reconstruction(images, logits):
    """`reconstruction` of the study's kind: Bernoulli pixels on logits.

        rec_b = sum_p  softplus(l_p) - x_p l_p  =  -sum_p log Bernoulli(x_p; sigmoid(l_p))

    Shapes: [B, H, W, C] in [0, 1], [B, H, W, C] -> [B]
    Args:
        images: pixels in [0, 1].
        logits: the decoder's output before the sigmoid.
    Raises:
        ValueError: the two differ in shape.
    References: Locatello et al. 2019, arXiv:1811.12359, appendix.
    """
    return reconstruction(images, logits)


def _bernoulli_logits(images, logits):
    return ops.binary_crossentropy(images, logits, from_logits=True)


def _bernoulli_tanh(images, logits):
    # tanh(l) / 2 + 1/2 = sigmoid(2 l). Clipped as a logarithm: in float32, log(1 - p) of a
    # clipped p is up to 6 % off.
    log_q, log_not_q = (ops.clip(ops.log_sigmoid(s * logits), *_LOG_RANGE) for s in (2.0, -2.0))
    return -(images * log_q + (1.0 - images) * log_not_q)


def _l2_logits(images, logits):
    return ops.square(images - ops.sigmoid(logits))


def _l2_tanh(images, logits):
    return ops.square(images - (0.5 * ops.tanh(logits) + 0.5))


_ERRORS = {
    ("bernoulli", "logits"): _bernoulli_logits,
    ("bernoulli", "tanh"): _bernoulli_tanh,
    ("l2", "logits"): _l2_logits,
    ("l2", "tanh"): _l2_tanh,
}


def _entropy(images):
    """Entropy of Bernoulli pixels, in nats."""
    shares = (ops.clip(share, _CLIP, 1.0 - _CLIP) for share in (images, 1.0 - images))
    return -sum(share * ops.log(share) for share in shares)


def _check(images, logits, kind, activation, subtract_entropy):
    if tuple(images.shape[1:]) != tuple(logits.shape[1:]):
        raise ValueError(
            "reconstruction: images and logits must have the same shape, got "
            f"{tuple(images.shape)} and {tuple(logits.shape)}."
        )
    for name, value, known in (
        ("kind", kind, ("bernoulli", "l2")),
        ("activation", activation, ("logits", "tanh")),
    ):
        if value not in known:
            raise ValueError(
                f"reconstruction: {name} must be one of {', '.join(known)}, got {value!r}."
            )
    if subtract_entropy and kind == "l2":
        raise ValueError(
            'reconstruction: subtract_entropy=True needs kind "bernoulli", got "l2", whose '
            "minimum is 0 already; leave it out."
        )
