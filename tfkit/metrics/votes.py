"""Scores that interrogate a representation: which factor was held fixed in these images?"""

import functools

import numpy as np

from tfkit.metrics.draws import batches_in_order
from tfkit.metrics.encoding import at_least, encoded, factor_sizes
from tfkit.metrics.multinomial import class_probabilities
from tfkit.metrics.parallel import one_thread

_AT_ONCE = 16_384  # images whose factors are drawn together


def beta_vae_score(
    representation,
    dataset,
    *,
    seed: int = 0,
    batch_size: int = 64,
    num_train: int = 10_000,
    num_eval: int = 5_000,
) -> dict:
    """How well a linear classifier tells the factor that two batches of images share.

        x1, x2   two batches of images that agree row by row in factor k and are else independent
        point    mean_b |r(x1_b) - r(x2_b)|  [D], label k
        score    accuracy of a logistic regression on fresh points

    Draws come in the order of the study's code, so that on data without observation noise a seed
    gives its numbers. In [0, 1]; 1 / K is chance.

    Shapes: representation [B, H, W, C] -> [B, D], dataset -> dict: "beta_vae_score" and
        "train_accuracy"
    Args:
        representation: function images -> codes, in NumPy.
        dataset: anything with `factor_sizes` (the number of values of each factor) and
            `observe(factors [B, K], random_state) -> images`.
        seed: of NumPy's RandomState, which everything is drawn from.
        batch_size: pairs of images behind a point, >= 1; 64 is the study's.
        num_train: points the classifier learns from, >= 1; 10000 is the study's.
        num_eval: points it is judged on, >= 1; 5000 is the study's.
    Raises:
        ValueError: counts below 1, a data set without a full grid of factors, codes that are not
            [B, D] or not finite.
    References: Higgins et al. 2017, https://openreview.net/forum?id=Sy2fzU9gl; parameters of
        Locatello et al. 2019, arXiv:1811.12359, appendix.
    """
    name = "beta_vae_score"
    sizes = factor_sizes(
        name, dataset, batch_size=batch_size, num_train=num_train, num_eval=num_eval
    )
    random_state = np.random.RandomState(seed)
    encode = functools.partial(encoded, name, representation, dataset, random_state)

    def points(count):
        labels, features = [], []
        for fixed, pairs in _drawn(random_state, sizes, count, batch_size, pairs=True):
            codes = encode(pairs.reshape(-1, len(sizes)))
            first, second = codes.reshape(len(fixed), 2, batch_size, -1).swapaxes(0, 1)
            labels.append(fixed)
            features.append(np.abs(first - second).mean(axis=1))
        return np.concatenate(features), np.concatenate(labels)  # [count, D], [count]

    features, labels = points(num_train)
    if len(np.unique(labels)) < 2:  # a classifier needs two classes; this one knows only one
        told = np.full(num_eval, labels[0]) == points(num_eval)[1]
        return {name: float(told.mean()), "train_accuracy": 1.0}
    known, numbers = np.unique(labels, return_inverse=True)
    fresh, truth = points(num_eval)
    with one_thread():
        told = class_probabilities(features, numbers, features, fresh)
    right = [
        np.mean(known[probabilities.argmax(axis=1)] == wanted)
        for probabilities, wanted in zip(told, (labels, truth), strict=True)
    ]
    return {name: float(right[1]), "train_accuracy": float(right[0])}


def factor_vae_score(
    representation,
    dataset,
    *,
    seed: int = 0,
    batch_size: int = 64,
    num_train: int = 10_000,
    num_eval: int = 5_000,
    num_variance: int = 10_000,
    threshold: float = 0.05,
) -> dict:
    """How well the code that varies least tells the factor that a batch of images shares.

        vote     (k, argmin_j var_b r_j(x_b) / var r_j)   for images x that agree in factor k
        score    accuracy of "code j stands for the factor it was voted for most" on fresh votes

    Variances are unbiased; codes whose standard deviation over the data is below `threshold` are
    out of the running, and where all are the score is 0. Draws come in the order of the study's
    code. In [0, 1]; 1 / K is chance.

    Shapes: representation [B, H, W, C] -> [B, D], dataset -> dict: "factor_vae_score",
        "train_accuracy", "active" [D] bool and "votes" [D, K]
    Args:
        representation: function images -> codes, in NumPy.
        dataset: anything with `factor_sizes` (the number of values of each factor) and
            `observe(factors [B, K], random_state) -> images`.
        seed: of NumPy's RandomState, which everything is drawn from.
        batch_size: images behind a vote, >= 2; 64 is the study's.
        num_train: votes that say what a code stands for, >= 1; 10000 is the study's.
        num_eval: votes it is judged on, >= 1; 5000 is the study's.
        num_variance: images behind the variance over the data, >= 2; 10000 is the study's.
        threshold: least standard deviation of an active code, >= 0; 0.05 is the study's (its code's
            default is 0).
    Raises:
        ValueError: counts or threshold out of range, a data set without a full grid of factors,
            codes that are not [B, D] or not finite.
    References: Kim and Mnih 2018, arXiv:1802.05983, section 4; parameters of Locatello et al. 2019,
        arXiv:1811.12359, appendix.
    """
    name = "factor_vae_score"
    sizes = factor_sizes(name, dataset, num_train=num_train, num_eval=num_eval)
    at_least(name, 2, batch_size=batch_size, num_variance=num_variance)
    if not threshold >= 0:
        raise ValueError(f"{name}: threshold must be >= 0, got {threshold}.")
    random_state = np.random.RandomState(seed)
    encode = functools.partial(encoded, name, representation, dataset, random_state)
    drawn = np.stack([random_state.randint(size, size=num_variance) for size in sizes], axis=1)
    codes = encode(drawn)
    variance = codes.var(axis=0, ddof=1, dtype="float64")  # [D]
    active = np.sqrt(variance) >= threshold  # [D]
    if not (active & (variance > 0)).any():
        none = np.zeros((codes.shape[1], len(sizes)), int)
        return {name: 0.0, "train_accuracy": 0.0, "active": active, "votes": none}
    scale = np.where(active, np.where(variance > 0, variance, np.nan), np.nan)

    def votes(count):
        found = np.zeros((len(scale), len(sizes)), int)
        for fixed, batches in _drawn(random_state, sizes, count, batch_size, pairs=False):
            codes = encode(batches.reshape(-1, len(sizes)))
            within = codes.reshape(len(fixed), batch_size, -1).var(axis=1, ddof=1)  # [votes, D]
            np.add.at(found, (np.nanargmin(within / scale, axis=1), fixed), 1)
        return found

    train, fresh = votes(num_train), votes(num_eval)
    stands_for = train.argmax(axis=1)[:, None]  # [D, 1]
    right = [np.take_along_axis(found, stands_for, axis=1).sum() for found in (train, fresh)]
    return {
        name: float(right[1] / num_eval),
        "train_accuracy": float(right[0] / num_train),
        "active": active,
        "votes": train,
    }


def _drawn(random_state, sizes, count, batch_size, *, pairs: bool):
    """Factors of `count` batches that agree in one factor each, in the study's order of draws: the
    factor's number, then column by column. They come some at a time, as many as caches hold.

    Shapes: -> [some], [some, 1 or 2, batch_size, K] …; of pairs the second halves agree with the
        first row by row, else all rows with the first one
    """
    halves = 2 if pairs else 1
    votes = max(1, _AT_ONCE // (halves * batch_size))
    for start in range(0, count, votes):
        some = min(votes, count - start)
        labels, factors = batches_in_order(random_state, sizes, some, batch_size, halves)
        each = np.arange(some)
        kept = factors[each, 0, :, labels] if pairs else factors[each, 0, :1, labels]
        factors[each, -1, :, labels] = kept
        yield labels, factors
