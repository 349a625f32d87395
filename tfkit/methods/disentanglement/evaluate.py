"""Scores and pictures of a trained VAE on held-out images."""

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from tfkit.figure import Figure
from tfkit.losses import bernoulli_reconstruction, kl_to_standard_normal
from tfkit.metrics.mig import mutual_information, mutual_information_gap

_BATCH = 200  # rows encoded at once
_ACTIVE_NATS = 0.01  # a latent below tells nothing: UDR's threshold (Duan et al. 2020)
_PICTURED = 10_000  # images behind the KL bars and the heat map
_COLUMNS = 10  # images shown
_TRAVERSAL = np.linspace(-2.0, 2.0, 9)
_NEEDS_PIXELS = {"reconstruction", "elbo"}
_NEEDS_FACTORS = {"mig"}
_ALL = ("mig", "reconstruction", "kl", "elbo", "active_units")


class Encoded(NamedTuple):
    """What the metrics are computed from, one row per example."""

    mean: np.ndarray  # [N, D]
    kl: np.ndarray  # [N, D]
    reconstruction: np.ndarray | None  # [N]
    factors: np.ndarray | None  # [N, K]


def evaluate(
    model, source, split, metrics, seed, *, samples: int = 10_000, bins: int = 20
) -> dict[str, float]:
    """Scores on the first `samples` held-out images; the representation is the encoder's mean.

    Reconstruction and ELBO take one sample of the code per image, drawn from `seed`.

    Gives:
        mig (factors): mutual information gap, in [0, 1]; larger is better; uses the labels.
        reconstruction: Bernoulli reconstruction error of an image, in nats; smaller is better.
        kl: KL divergence of q(z|x) from the prior, in nats.
        elbo: -(reconstruction + kl), the evidence lower bound, in nats; larger is better.
        active_units: latents whose mean KL is above 0.01 nats.
    Args:
        samples: images scored, >= 1; 10000 is the study's. MIG depends on it: compare at equal N.
        bins: bins of equal width per latent for the mutual information, >= 2; 20 is the study's.
    Raises:
        ValueError: an unknown metric, "mig" on data without factors, no samples.
    References: Locatello et al. 2019, arXiv:1811.12359.
    """
    if samples < 1:
        raise ValueError(f"evaluate: samples must be >= 1, got {samples}.")
    has_factors = "factors" in source.held_out(split, 1).element_spec
    metrics = _selected(metrics, has_factors)
    encoded = encode(
        model, source.held_out(split, _BATCH), samples, seed, pixels=bool(_NEEDS_PIXELS & metrics)
    )
    values = {}
    kl = float(encoded.kl.sum(axis=1).mean())
    if "mig" in metrics:
        values["mig"] = mutual_information_gap(encoded.mean, encoded.factors, bins)
    if encoded.reconstruction is not None:
        reconstruction = float(encoded.reconstruction.mean())
        values |= {"reconstruction": reconstruction, "elbo": -(reconstruction + kl)}
    values["kl"] = kl
    values["active_units"] = float(np.sum(encoded.kl.mean(axis=0) > _ACTIVE_NATS))
    return {name: values[name] for name in _ALL if name in metrics}


def encode(model, dataset, samples, seed, *, pixels: bool) -> Encoded:
    """Codes of the first `samples` examples, with their reconstruction errors if `pixels`."""

    @tf.function(reduce_retracing=True)
    def step(images, number):
        mean, logvar = (tf.cast(code, tf.float32) for code in model.encoder(images, training=False))
        kl = kl_to_standard_normal(mean, logvar)
        if not pixels:
            return mean, kl
        noise = tf.random.stateless_normal(
            tf.shape(mean), tf.stack([tf.cast(seed, tf.int64), number])
        )
        z = mean + tf.exp(0.5 * logvar) * noise
        return mean, kl, bernoulli_reconstruction(images, model.decoder(z, training=False))

    rows, factors = [], []
    for number, batch in enumerate(dataset.take(-(-samples // _BATCH))):
        rows.append(step(batch["images"], tf.constant(number, tf.int64)))
        factors.append(batch.get("factors"))
    mean, kl, *reconstruction = (
        np.concatenate(parts)[:samples] for parts in zip(*rows, strict=True)
    )
    return Encoded(
        mean,
        kl,
        reconstruction[0] if pixels else None,
        None if factors[0] is None else np.concatenate(factors)[:samples],
    )


def figures(model, source, seed) -> dict[str, Figure]:
    """Pictures of what the model has learned, from images of the test part.

    reconstructions: originals above their reconstructions at the mean. traversals: one latent a
    row, moved from -2 to 2 around one image's code, latents that carry most first. kl: nats per
    latent. information: mutual information of latents and factors, where the source has factors.
    """
    encoded = encode(model, source.held_out("test", _BATCH), _PICTURED, seed, pixels=False)
    order = np.argsort(-encoded.kl.mean(axis=0), kind="stable")  # [D], most nats first
    nats = encoded.kl.mean(axis=0)[order]
    images = next(iter(source.held_out("test", _COLUMNS)))["images"].numpy()
    drawn = {
        "reconstructions": _reconstructions(model, images, encoded.mean[:_COLUMNS]),
        "traversals": _traversals(model, encoded.mean[0], order, nats),
        "kl": _kl_bars(order, nats),
    }
    if encoded.factors is not None:
        drawn["information"] = _information(encoded, order, source.factor_names)
    return drawn


def _decode(model, codes):
    logits = model.decoder(tf.constant(codes, tf.float32), training=False)
    return keras.ops.convert_to_numpy(keras.ops.sigmoid(keras.ops.cast(logits, "float32")))


def _reconstructions(model, images, codes):
    return Figure(
        kind="images",
        arrays={"images": np.stack([images, _decode(model, codes)])},
        caption="Held-out images (above) and their reconstructions at the mean code (below).",
        alt=f"{len(images)} held-out images in a row, and below each its reconstruction.",
        labels={"rows": ["original", "reconstruction"]},
    )


def _traversals(model, code, order, nats):
    codes = np.tile(code, (len(order), len(_TRAVERSAL), 1))  # [D, steps, D]
    for row, latent in enumerate(order):
        codes[row, :, latent] = _TRAVERSAL
    decoded = _decode(model, codes.reshape(-1, len(order)))
    return Figure(
        kind="images",
        arrays={"images": decoded.reshape(*codes.shape[:2], *decoded.shape[1:])},
        caption="Latent traversals: each row moves one latent from -2 to 2 and keeps the others at "
        "the code of one held-out image. Rows by KL; a row below 0.01 nats tells nothing.",
        alt=f"Grid of {len(order)} rows of decoded images, one row per latent.",
        labels={
            "rows": [f"z{latent}: {kl:.2f} nats" for latent, kl in zip(order, nats, strict=True)],
            "columns": [f"{value:g}" for value in _TRAVERSAL],
        },
    )


def _kl_bars(order, nats):
    return Figure(
        kind="bars",
        arrays={"values": nats},
        caption="KL divergence from the prior per latent: how much each one tells about the image.",
        alt=f"Bars of {len(nats)} latents from {nats[0]:.2f} down to {nats[-1]:.2f} nats.",
        labels={"names": [f"z{latent}" for latent in order], "y": "KL (nats)"},
    )


def _information(encoded, order, factor_names):
    information = mutual_information(encoded.mean, encoded.factors)[order]  # [D, K]
    names = list(factor_names) or [f"factor {k}" for k in range(information.shape[1])]
    return Figure(
        kind="heatmap",
        arrays={"values": information},
        caption="Mutual information of latents (rows, by KL) and factors (columns), in nats. A "
        "disentangled representation has one bright cell in each column.",
        alt=f"Heat map of {information.shape[0]} latents and {information.shape[1]} factors.",
        labels={
            "rows": [f"z{latent}" for latent in order],
            "columns": names,
            "value": "mutual information (nats)",
        },
    )


def _selected(metrics, has_factors):
    """The names to compute: what was asked for, or all that the data allow."""
    if metrics is None:
        return set(_ALL) if has_factors else set(_ALL) - _NEEDS_FACTORS
    unknown = sorted(set(metrics) - set(_ALL))
    if unknown:
        raise ValueError(f"evaluate: metrics must be among {', '.join(_ALL)}, got {unknown}.")
    if not has_factors and _NEEDS_FACTORS & set(metrics):
        raise ValueError("evaluate: mig needs factors, and these data have none; leave it out.")
    return set(metrics)
