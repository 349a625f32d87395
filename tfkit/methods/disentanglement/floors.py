"""What the scores are worth: those of the factors themselves, of no training, of chance."""

import json

import keras
import numpy as np
from sklearn.decomposition import PCA

from tfkit.methods.disentanglement.codes import (
    Codes,
    Shuffled,
    Truth,
    encoder_of,
    from_grid,
    mean_of,
)
from tfkit.methods.disentanglement.names import DCI, LABELLED
from tfkit.methods.disentanglement.scores import Scores, Settings

_SEED = 0  # floors are the data's and the network's, not the run's
_FITTED = 2_000  # images that the principal components are fitted to
_SCORED = (*LABELLED, *DCI)


def floors(
    model,
    source,
    metrics,
    *,
    samples=10_000,
    votes=10_000,
    bins=20,
    trees="exact",
    drawn_from="grid",
) -> dict:
    """The scores of representations that learned nothing of disentanglement, at the same counts.

        ground truth     the factors themselves
        random encoder   the model's encoder with fresh Glorot-uniform weights
        PCA              as many principal components of 2,000 images as there are latents
        permuted         codes of the random encoder against the factors of other images

    They depend on the data and the encoder's architecture only, and a process computes them once.
    {} where the data have no full grid of factors, or scores are not drawn from it.

    Args:
        model: a `VAE`; its weights do not matter.
        source: its data.
        metrics: names of the scores; those of the mean representation that need factors count.
        samples: as in `evaluate`.
        votes: as in `evaluate`.
        bins: as in `evaluate`.
        trees: as in `evaluate`.
        drawn_from: as in `evaluate`.
    Returns: {floor: {score: value}}
    """
    names = tuple(name for name in _SCORED if name in metrics)
    if drawn_from != "grid" or getattr(source, "factor_sizes", None) is None or not names:
        return {}
    settings = Settings(samples, votes, bins, trees, _SEED)
    known = source.__dict__.setdefault("_floors", {})  # lives as long as the data
    key = names, settings, _architecture(model.encoder)
    if key not in known:
        known[key] = _computed(model, source, names, settings)
    return known[key]


def _computed(model, source, names, settings):
    untrained = Codes(source, _random_encoder(model.encoder))
    latents = untrained.sample(1, np.random.RandomState(_SEED))[0].shape[1] // 2
    rows = {
        "ground truth": (Truth(source), _itself),
        "random encoder": (untrained, mean_of),
        "PCA": (Codes(source, _principal_components(source, latents)), _itself),
        "permuted": (Shuffled(untrained), mean_of),
    }
    found = {}
    for floor, (codes, represent) in rows.items():
        sample = from_grid(codes, settings.samples, np.random.RandomState(_SEED))
        scores = Scores(represent, sample, codes, settings)
        found[floor] = {name: float(scores.named(name)) for name in names}
    return found


def _architecture(network) -> str:
    """What tells networks apart that are not the same but for the names of their layers."""
    layers = [{**layer.get_config(), "name": ""} for layer in network.layers]
    return json.dumps(layers, sort_keys=True, default=str)


def _itself(rows):
    return rows


def _random_encoder(network):
    """The encoder with kernels drawn anew and everything else as it was at the start."""
    clone = keras.models.clone_model(network)
    for number, variable in enumerate(clone.trainable_variables):
        if len(variable.shape) > 1:
            draw = keras.initializers.GlorotUniform(seed=_SEED + number)
            variable.assign(draw(variable.shape, variable.dtype))
    return encoder_of(clone)


def _principal_components(source, latents):
    """The function images -> the first principal components."""
    random_state = np.random.RandomState(_SEED)
    images = source.observe(source.sample_factors(_FITTED, random_state), random_state)
    components = PCA(latents, random_state=_SEED).fit(_flat(images))
    return lambda images: components.transform(_flat(images)).astype(np.float32)


def _flat(images):
    return np.reshape(images, (len(images), -1))
