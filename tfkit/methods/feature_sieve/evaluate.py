"""Accuracy by group, and what is still decodable where the sieve sits."""

import numpy as np

from tfkit.classification.evaluation import (
    SCORES,
    answers,
    group_figure,
    group_scores,
    rows_at_once,
)
from tfkit.classification.group_labels import group_labels_used
from tfkit.explain import attribution_panels, grad_cam, gradient_times_input, region_share
from tfkit.figure import Figure
from tfkit.methods.feature_sieve.probe import features_at_the_sieve, probe_accuracy

_EXPLAINED = 500  # held-out examples whose attributions are averaged
_DRAWN = 4  # and drawn
_KNOWN = (*SCORES, "leak", "probe_accuracy", "spurious_share")


def evaluate(
    model, source, split, metrics, seed, *, probe_examples: int = 1000
) -> dict[str, float]:
    """Accuracy over the groups of a held-out part, and two looks at the features at the cut.

    The probe is fitted to one half of `probe_examples` training examples and judged on the other:
    with what holds in training, a shortcut that is still there is an accuracy far above chance.
    `train.validate: [probe_accuracy, leak]` gives both as curves. Where there are several sieves,
    leak is the mean over them, and the probe sits at the last.

    Gives:
        average (labels, groups): share of right answers, in [0, 1]; larger is better.
        adjusted (labels, groups): mean of the groups' accuracies, in [0, 1]; larger is better.
        worst_group (labels, groups): least accuracy of a group, in [0, 1]; larger is better.
        train_weighted (labels, groups): accuracies by shares in training; larger is better.
        leak (labels): what the readout decodes of the part, CE(uniform, A(D(x))) - log K, in nats.
        probe_accuracy (labels): accuracy of a fresh linear probe, in [0, 1].
        spurious_share (labels; asked): share of |gradient x input| of the chosen class on the
            region of the shortcut, where the data know it, mean over up to 500 examples of the
            part, in [0, 1]; smaller is better.
    Args:
        probe_examples: training examples for the probe, >= 4, as far as there are so many.
    Raises:
        ValueError: an unknown metric, too few examples, or a region that the data do not tell.
    References: Tiwari and Shenoy 2023, arXiv:2301.13293; Sagawa et al. 2020, arXiv:1911.08731.
    """
    if unknown := set(metrics or ()) - set(_KNOWN):
        raise ValueError(f"evaluate: metrics must be among {', '.join(_KNOWN)}, got {unknown}.")
    if probe_examples < 4:
        raise ValueError(f"evaluate: probe_examples must be >= 4, got {probe_examples}.")
    wanted = [name for name in _KNOWN if name in (metrics or _KNOWN[:-1])]
    values = {}
    if set(wanted) & set(SCORES):
        values |= group_scores(answers(model, source, split), source)
    if "leak" in wanted:
        values["leak"] = _leak(model, source, split)
    if "probe_accuracy" in wanted:
        values["probe_accuracy"] = _probed(model, source, probe_examples, seed)
    if "spurious_share" in wanted:
        values["spurious_share"] = _share(model, source, split)
    return {name: values[name] for name in wanted}


def facts(model, source, train, chosen_by) -> dict[str, str]:
    """Where group labels were used."""
    return group_labels_used(model, source, train, chosen_by)


def figures(model, source, seed) -> dict[str, Figure]:
    """Accuracy by group on the test part; Grad-CAM at the cut, where the features are maps."""
    drawn = {"groups": group_figure(answers(model, source, "test"), source)}
    inputs = _first_inputs(source, "test", _DRAWN)
    maps = model.features(inputs)[-1]
    if inputs.ndim != 4 or inputs.shape[-1] not in (1, 3) or len(maps.shape) != 4:
        return drawn
    seen = grad_cam(lambda rows: model.features(rows)[-1], model.upper, inputs)
    region = getattr(source, "spurious_region", None)
    return {**drawn, "grad_cam": attribution_panels(inputs, {"sieve": seen}, region)}


def _leak(model, source, split) -> float:
    """Mean over the part, and over the sieves."""

    batches = source.held_out(split, rows_at_once(source))
    found = np.concatenate([model.decoded(batch["inputs"]) for batch in batches])
    return float(np.mean(found)) - float(np.log(model.classes))


def _probed(model, source, examples, seed) -> float:
    """A probe of the last features, from training examples that are all different."""
    size = min(examples, source.shapes["num_train"])
    batch = next(iter(source.train(size, seed=int(seed) % (1 << 31))))
    features = features_at_the_sieve(model, batch["inputs"], rows_at_once(source))
    labels, half = np.asarray(batch["labels"]), size // 2
    return probe_accuracy(features[:half], labels[:half], features[half:], labels[half:])


def _share(model, source, split) -> float:
    """Mean share of the attribution on the region of the shortcut."""
    region = getattr(source, "spurious_region", None)
    if region is None:
        raise ValueError(
            "evaluate: spurious_share needs data that know where the shortcut is, as strip_xor and "
            "patch_xor do; leave it out."
        )
    attribution = gradient_times_input(model, _first_inputs(source, split, _EXPLAINED))
    return float(np.nanmean(region_share(attribution, region)))


def _first_inputs(source, split, count):
    """The first examples of a held-out part."""
    return np.asarray(next(iter(source.held_out(split, count)))["inputs"])
