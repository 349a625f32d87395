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

    They depend on the data and the encoder's architecture only, and a process computes them once
    for each data set that it holds. An encoder that Keras cannot clone has no floor of its own.
    {} where the data have no full grid of factors, or scores are not drawn from it.

    Args:
        model: a `VAE`; its weights do not matter.
        source: its data.
        metrics: names of the scores; of the study's, those of the mean representation count.
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
    latents = Codes(source, encoder_of(model.encoder)).sample(1, np.random.RandomState(_SEED))[0]
    components = _principal_components(source, latents.shape[1] // 2)
    rows = {"ground truth": (Truth(source), _itself), "PCA": (Codes(source, components), _itself)}
    encode = _random_encoder(model.encoder)
    if encode is not None:
        untrained = Codes(source, encode)
        rows["random encoder"] = untrained, mean_of
        rows["permuted"] = Shuffled(untrained), mean_of
    found = {}
    for floor, (codes, represent) in rows.items():
        sample = from_grid(codes, settings.samples, np.random.RandomState(_SEED))
        scores = Scores(represent, sample, codes, settings)
        found[floor] = {name: float(scores.named(name)) for name in names}
    return found


def _architecture(network) -> str:
    """What tells networks apart that are not the same but for the names of their layers."""
    layers = [type(layer).__name__ for layer in network.layers]
    weights = [tuple(variable.shape) for variable in network.variables]
    return json.dumps([type(network).__name__, layers, weights])


def _itself(rows, random_state=None):
    return rows


def _random_encoder(network):
    """The encoder with kernels drawn anew and everything else as it was at the start; None for a
    subclassed network that does not tell how it was made.
    """
    try:
        clone = keras.models.clone_model(network)
    except (NotImplementedError, TypeError, ValueError):
        return None
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
