"""Accuracy by group, and what is still decodable where the sieve sits."""

import numpy as np
import tensorflow as tf
from keras import ops

from tfkit.classification.evaluation import SCORES, answers, group_figure, group_scores
from tfkit.figure import Figure
from tfkit.losses import forgetting_loss
from tfkit.methods.feature_sieve.probe import probe_accuracy

_BATCH = 500
_KNOWN = (*SCORES, "leak", "probe_accuracy")


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
    Args:
        probe_examples: training examples for the probe, >= 4, as far as there are so many.
    Raises:
        ValueError: an unknown metric, or too few examples.
    References: Tiwari and Shenoy 2023, arXiv:2301.13293; Sagawa et al. 2020, arXiv:1911.08731.
    """
    if unknown := set(metrics or ()) - set(_KNOWN):
        raise ValueError(f"evaluate: metrics must be among {', '.join(_KNOWN)}, got {unknown}.")
    if probe_examples < 4:
        raise ValueError(f"evaluate: probe_examples must be >= 4, got {probe_examples}.")
    wanted = [name for name in _KNOWN if metrics is None or name in metrics]
    values = {}
    if set(wanted) & set(SCORES):
        values |= group_scores(_answers(model, source, split), source)
    if "leak" in wanted:
        values["leak"] = _leak(model, source, split)
    if "probe_accuracy" in wanted:
        values["probe_accuracy"] = _probed(model, source, probe_examples, seed)
    return {name: values[name] for name in wanted}


def figures(model, source, seed) -> dict[str, Figure]:
    """Accuracy by group on the test part."""
    return {"groups": group_figure(_answers(model, source, "test"), source)}


def _answers(model, source, split):
    network = tf.function(lambda inputs: model(inputs, training=False), reduce_retracing=True)
    return answers(network, source, split)


def _leak(model, source, split) -> float:
    """Mean over the part, and over the sieves."""

    @tf.function(reduce_retracing=True)
    def uniform(inputs):
        pairs = zip(model.readouts, model.features(inputs), strict=True)
        return sum(forgetting_loss(a(known, training=False)) for a, known in pairs)  # [B]

    found = [uniform(batch["inputs"]) for batch in source.held_out(split, _BATCH)]
    mean = float(np.mean(np.concatenate(found))) / len(model.readouts)
    return mean - float(np.log(model.classes))


def _probed(model, source, examples, seed) -> float:
    """A probe of the last features, from training examples that are all different."""
    size = min(examples, source.shapes["num_train"])
    batch = next(iter(source.train(size, seed=int(seed) % (1 << 31))))
    features = [
        ops.convert_to_numpy(ops.cast(model.features(rows)[-1], "float32"))
        for rows in (batch["inputs"][at : at + _BATCH] for at in range(0, size, _BATCH))
    ]
    features, labels, half = np.concatenate(features), np.asarray(batch["labels"]), size // 2
    return probe_accuracy(features[:half], labels[:half], features[half:], labels[half:])
