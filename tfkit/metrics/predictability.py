"""Separated attribute predictability."""

import numpy as np

from tfkit.metrics.histograms import class_numbers
from tfkit.metrics.inputs import checked, checked_variation, train_and_test
from tfkit.metrics.margins import predicted_by_one_latent

LEAST_VARIANCE = 1e-12  # of a latent; the reference scores 0 below


def sap(
    codes,
    factors,
    *,
    seed: int = 0,
    codes_test=None,
    factors_test=None,
    continuous: bool = False,
) -> dict:
    """How much better the best single latent predicts a factor than the second best, averaged.

        SAP  = mean_k (S_(1)k - S_(2)k)
        S_jk = test accuracy of a linear support vector classifier of factor k on latent j alone,
               or, for continuous factors, the squared correlation of the two on all rows

    The classifier is LinearSVC(C=0.01, class_weight="balanced"): squared hinge, one value against
    the others. A line cuts one latent in two, so that a perfect representation does not score 1. A
    factor with one value only separates nothing and is left out of the mean.

    Without a test set a third of the rows, drawn from the seed, is held out for the classifiers.

    Shapes: [N, D], [N, K] int -> dict: "sap"; "scores" [D, K], the S_jk
    Args:
        codes: representation of N examples, D >= 2.
        factors: class numbers of the same examples; with `continuous` any values.
        seed: which rows are held out where there is no test set.
        codes_test: representation of the test examples [M, D]; not read with `continuous`.
        factors_test: their class numbers [M, K]; not read with `continuous`.
        continuous: squared correlations in place of classifiers.
    Raises:
        ValueError: wrong shapes, codes that are not finite, factors that are not integers, or, with
            `continuous`, not finite, or that all are constant.
    References: Kumar et al. 2018, arXiv:1711.00848, section 3; classifier of Locatello et al. 2019,
        arXiv:1811.12359.
    """
    codes, factors = checked("sap", codes, factors, latents=2, values=continuous)
    if continuous:
        checked_variation("sap", factors)
        varied, scores = (factors != factors[0]).any(axis=0), _correlations(codes, factors)
    else:
        train, test = train_and_test("sap", (codes, factors), codes_test, factors_test, seed)
        checked_variation("sap", train[1])
        varied, scores = (train[1] != train[1][0]).any(axis=0), _accuracies(train, test)
    second, first = np.sort(scores, axis=0)[-2:]  # [K] each
    return {"sap": float(np.mean((first - second)[varied])), "scores": scores}


def _correlations(codes, factors):
    """Squared correlation of every latent and factor; 0 where either is constant.  [D, K]"""
    z, y = (part - part.mean(axis=0, dtype="float64") for part in (codes, factors))
    variances = [np.square(part).sum(axis=0) / max(len(z) - 1, 1) for part in (z, y)]
    scale = np.outer(*variances) * max(len(z) - 1, 1) ** 2
    usable = np.outer(variances[0] > LEAST_VARIANCE, (factors != factors[0]).any(axis=0))
    return np.divide(np.square(z.T @ y), scale, where=usable, out=np.zeros_like(scale))


def _accuracies(train, test):
    """Test accuracy of the classifier of every latent and factor.  [D, K]"""
    (codes, factors), (codes_test, factors_test) = train, test
    classes, _ = class_numbers(factors)
    columns = []
    for factor, numbers in enumerate(classes.T):
        values = np.unique(factors[:, factor])
        answers = values[predicted_by_one_latent(codes, numbers, codes_test)]  # [M, D]
        columns.append((answers == factors_test[:, [factor]]).mean(axis=0))
    return np.stack(columns, axis=1)
