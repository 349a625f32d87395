"""Pictures of what a VAE has learned, as data."""

import keras
import numpy as np
import tensorflow as tf

from tfkit.figure import Figure
from tfkit.methods.disentanglement.codes import encoder_of, from_held_out, mean_of
from tfkit.metrics.mig import mutual_information

_PICTURED = 2_000  # images behind the KL bars, the heat map and the histograms
_COLUMNS = 10  # images shown
_TRAVERSAL = np.linspace(-2.0, 2.0, 9)
_HISTOGRAM = np.linspace(-4.0, 4.0, 41)  # edges of the bins


def figures(model, source, seed) -> dict[str, Figure]:
    """Pictures of what the model has learned, from images of the test part.

    reconstructions: originals above their reconstructions at the mean. traversals: one latent a
    row, moved from -2 to 2 around one image's code, latents that carry most first. kl: nats per
    latent. latents: how the means of each latent are spread, beside the prior. information: mutual
    information of latents and factors, where the source has factors.
    """
    sample = from_held_out(encoder_of(model.encoder), source, "test", _PICTURED)
    mean, logvar = np.split(np.concatenate([sample.rows, sample.rows_test]), 2, axis=1)
    nats = 0.5 * (np.square(mean) + np.exp(logvar) - logvar - 1).mean(axis=0)  # [D]
    order = np.argsort(-nats, kind="stable")  # latents that carry most first
    images = next(iter(source.held_out("test", _COLUMNS)))["images"].numpy()
    drawn = {
        "reconstructions": _reconstructions(model, images, mean[:_COLUMNS]),
        "traversals": _traversals(model, mean[0], order, nats[order]),
        "kl": _kl_bars(order, nats[order]),
        "latents": _histograms(mean, order),
    }
    if sample.factors is not None:
        codes = mean_of(sample.rows)
        drawn["information"] = _information(codes, sample.factors, order, source.factor_names)
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


def _histograms(mean, order):
    """Shares of the means in bins, a row per latent, and those of the prior below."""
    inside = np.clip(mean, _HISTOGRAM[0], _HISTOGRAM[-1])
    shares = [np.histogram(inside[:, latent], _HISTOGRAM)[0] / len(mean) for latent in order]
    prior = np.exp(-0.5 * np.square((_HISTOGRAM[1:] + _HISTOGRAM[:-1]) / 2))
    centres = (_HISTOGRAM[1:] + _HISTOGRAM[:-1]) / 2
    return Figure(
        kind="heatmap",
        arrays={"values": np.stack([*shares, prior / prior.sum()])},
        caption="Histograms of the mean of q(z|x), a row per latent by KL, and of the prior below. "
        "A collapsed latent is one bright bin at 0; values beyond 4 are in the outermost bins.",
        alt=f"Heat map of {len(order)} latents and the prior over {len(centres)} bins.",
        labels={
            "rows": [*(f"z{latent}" for latent in order), "prior"],
            "columns": [f"{c:g}" if i % 8 == 4 else "" for i, c in enumerate(centres.round(1))],
            "x": "mean",
            "value": "share of images",
        },
    )


def _information(codes, factors, order, factor_names):
    information = mutual_information(codes, factors)[order]  # [D, K]
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
