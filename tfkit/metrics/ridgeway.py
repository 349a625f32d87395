"""Modularity and explicitness, the two halves of Ridgeway and Mozer's definition."""

from typing import Literal

import numpy as np

from tfkit.metrics.histograms import checked_bins, factor_entropies, mutual_information
from tfkit.metrics.inputs import checked, checked_variation, train_and_test
from tfkit.metrics.multinomial import class_probabilities
from tfkit.metrics.parallel import one_thread

INFORMATIVE = 0.05  # share of a factor's entropy
TINY = 1e-300  # in place of the entropy of a factor with one value, of which nothing can be told


def modularity(
    codes,
    factors,
    *,
    seed: int = 0,
    bins: int = 20,
    protocol: Literal["study", "informative"] = "study",
) -> dict:
    """How far each latent tells about one factor only, averaged over the latents.

        modularity = mean_j 1 - sum_{k != k*} I_jk^2 / (I_jk*^2 (K - 1)),  k* = argmax_k I_jk

    I_jk is the plug-in mutual information of latent j in `bins` bins and factor k. In [0, 1]. A
    latent that tells nothing at all scores 0. The study averages over all latents, so that
    collapsed ones, whose information is chance, move the score; "informative" averages over those
    that tell at least 5 % of some factor's entropy, more than chance does from 2,000 examples on
    (0 if there is none).

    Shapes: [N, D], [N, K] int -> dict: "modularity"; "per_code" [D]; "mutual_information" [D, K],
        in nats; "informative" [D], whether the latent tells of a factor
    Args:
        codes: representation of N examples.
        factors: class numbers of the same examples, K >= 2.
        seed: nothing is drawn; all array metrics are called alike.
        bins: >= 2; 20 is the study's.
        protocol: the mean over all latents, "study", or over those that are "informative".
    Raises:
        ValueError: wrong shapes, codes that are not finite, factors that are not integers, fewer
            than two factors.
    References: Ridgeway and Mozer 2018, arXiv:1802.05312, section 3; bins and mean of Locatello
        et al. 2019, arXiv:1811.12359.
    """
    if protocol not in ("study", "informative"):
        raise ValueError(f"modularity: protocol must be study or informative, got {protocol!r}.")
    checked_bins("modularity", bins)
    codes, factors = checked("modularity", codes, factors, fewest=2)
    information = mutual_information(codes, factors, bins)  # [D, K]
    per_code = _per_code(information)
    share = information / np.maximum(factor_entropies(factors), TINY)
    informative = share.max(axis=1) >= INFORMATIVE  # [D]
    counted = per_code if protocol == "study" else per_code[informative]
    return {
        "modularity": float(counted.mean()) if len(counted) else 0.0,
        "per_code": per_code,
        "mutual_information": information,
        "informative": informative,
    }


def _per_code(information):
    squared = np.square(information)  # [D, K]
    largest = squared.max(axis=1)
    others = squared.sum(axis=1) - largest
    room = largest * (information.shape[1] - 1)
    return np.where(largest > 0, 1 - np.divide(others, room, where=room > 0, out=room * 0), 0.0)


def explicitness(codes, factors, *, seed: int = 0, codes_test=None, factors_test=None) -> dict:
    """How well a linear classifier reads each factor's values from the codes together.

        explicitness = mean_k mean_c AUC of p(factor k = c | codes) against the other values

    The classifier is LogisticRegression() with its defaults, in scikit-learn's objective and
    optimizer, on codes standardised by the training rows; 1 is perfect, 0.5 chance. A value that
    the test rows lack, or the training rows, has no area and is left out; a factor without any
    scores 0.5 and is left out of the mean.

    Without a test set a third of the rows, drawn from the seed, is held out.

    Shapes: [N, D], [N, K] int -> dict: "explicitness" and "per_factor" [K] on the test rows,
        "explicitness_train" on the training rows
    Args:
        codes: representation of N examples; constant latents tell nothing.
        factors: class numbers of the same examples. Not for values of continuous factors: the area
            under the curve is one of a class against the others, so bin them first.
        seed: which rows are held out where there is no test set.
        codes_test: representation of the test examples [M, D].
        factors_test: their class numbers [M, K].
    Raises:
        ValueError: wrong shapes, codes that are not finite, factors that are not integers or that
            all are constant, no value that both training and test rows have.
    References: Ridgeway and Mozer 2018, arXiv:1802.05312, section 3; classifier of Locatello et
        al. 2019, arXiv:1811.12359.
    """
    codes, factors = checked("explicitness", codes, factors)
    train, test = train_and_test("explicitness", (codes, factors), codes_test, factors_test, seed)
    checked_variation("explicitness", train[1])
    mean, deviation = train[0].mean(axis=0), train[0].std(axis=0)
    deviation = np.where(deviation > 0, deviation, 1.0)  # the reference divides 0 by 0
    standard = [(rows - mean) / deviation for rows in (train[0], test[0])]
    pairs = [
        _areas(standard, train[1][:, factor], test[1][:, factor])
        for factor in range(factors.shape[1])
    ]
    on_train, on_test = np.array(pairs).T  # [K] each
    told = ~np.isnan(on_test)
    if not told.any():
        raise ValueError(
            "explicitness: no value of a factor is in the training rows and, beside others, in the "
            f"test rows; got {len(train[0])} and {len(test[0])} rows, pass more."
        )
    return {
        "explicitness": float(on_test[told].mean()),
        "per_factor": np.where(told, on_test, 0.5),
        "explicitness_train": float(on_train[told].mean()),
    }


def _areas(standard, on_train, on_test):
    """Mean areas under the curve of one factor's classes, on training and test rows."""
    known, numbers = np.unique(on_train, return_inverse=True)
    if len(known) < 2:
        return np.nan, np.nan
    with one_thread():
        scores = class_probabilities(standard[0], numbers, *standard)
    return tuple(
        _mean_area(score, labels == known[:, None])
        for score, labels in zip(scores, (on_train, on_test), strict=True)
    )


def _mean_area(scores, members):
    """Mean over classes of the area under the curve: [N, C], [C, N] -> []; NaN without a class."""
    inside = members.sum(axis=1)
    usable = (inside > 0) & (inside < members.shape[1])
    if not usable.any():
        return np.nan
    areas = [_area(*pair) for pair in zip(scores.T[usable], members[usable], strict=True)]
    return float(np.mean(areas))


def _area(score, member):
    """The area of one class: the share of (member, other) pairs in order, ties by half."""
    ordered, own = np.sort(score), score[member]
    below, upto = (np.searchsorted(ordered, own, side) for side in ("left", "right"))
    among = len(own) * len(own) / 2  # pairs of members, half of them in order
    return ((below + upto).sum() / 2 - among) / (len(own) * (len(score) - len(own)))
