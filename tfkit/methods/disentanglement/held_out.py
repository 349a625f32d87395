"""What the ELBO of images is made of, one value per image."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tfkit.losses import kl_to_standard_normal, reconstruction
from tfkit.methods.disentanglement.graphs import any_batch_of, compiled_for

BATCH = 200  # rows of a batch of held-out images
ACTIVE_NATS = 0.01  # a latent below tells nothing: UDR's threshold (Duan et al. 2020)
_SEEDS = tf.TensorSpec((2,), tf.int64)


class Terms(NamedTuple):
    """The terms of the ELBO, a row per image.

    Args:
        mean: of q(z|x), [N, D].
        kl: of q(z|x) from the prior by latent, in nats, [N, D].
        reconstruction: Bernoulli reconstruction error of one sample of the code, in nats, [N].
    """

    mean: np.ndarray
    kl: np.ndarray
    reconstruction: np.ndarray


def elbo_terms(model, batches, samples: int, seed: int) -> Terms:
    """Terms of the first `samples` images of some batches; the noise is drawn from `seed`.

    Args:
        model: a `VAE`.
        batches: iterable of images [B, H, W, C].
        samples: images that count.
        seed: of the noise.
    """
    rows, count = [], 0
    for number, images in enumerate(batches):
        images = tf.convert_to_tensor(images, tf.float32)
        step = compiled_for(model, _step, any_batch_of(images), _SEEDS)
        rows.append(step(images, tf.constant([seed, number], tf.int64)))
        count += len(images)
        if count >= samples:
            break
    return Terms(*(np.concatenate(parts)[:samples] for parts in zip(*rows, strict=True)))


def held_out_terms(model, source, split: str, samples: int, seed: int) -> Terms:
    """Terms of the first held-out images."""
    batches = (batch["images"] for batch in source.held_out(split, BATCH))
    return elbo_terms(model, batches, samples, seed)


def summary(terms: Terms) -> dict[str, float]:
    """Means over the images, and how many latents tell something."""
    kl, error = float(terms.kl.sum(axis=1).mean()), float(terms.reconstruction.mean())
    active = float(np.sum(terms.kl.mean(axis=0) > ACTIVE_NATS))
    return {"reconstruction": error, "kl": kl, "elbo": -(error + kl), "active_units": active}


def _step(model, images, seeds):
    mean, logvar = (tf.cast(code, tf.float32) for code in model.encoder(images, training=False))
    noise = tf.random.stateless_normal(tf.shape(mean), seeds)
    z = mean + tf.exp(0.5 * logvar) * noise  # [B, D]
    error = reconstruction(images, model.decoder(z, training=False))  # [B]
    return mean, kl_to_standard_normal(mean, logvar), error
