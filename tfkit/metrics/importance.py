"""Disentanglement, completeness and informativeness."""

from typing import Literal

import numpy as np

from tfkit.metrics.boosting import boosted, checked_method
from tfkit.metrics.inputs import checked, checked_variation, train_and_test
from tfkit.metrics.parallel import checked_workers

FLOOR = 1e-11  # added to importances, as in the reference, so that a row of zeros has an entropy


def dci(
    codes,
    factors,
    *,
    seed: int = 0,
    codes_test=None,
    factors_test=None,
    method: Literal["exact", "fast"] = "exact",
    workers: int | None = None,
) -> dict:
    """How far each latent predicts one factor only, and each factor is predicted by one only.

        R_jk             importance of latent j in gradient-boosted trees that predict factor k
        disentanglement  sum_j rho_j (1 - H_K(R_j. / sum R_j.)),   rho_j = sum R_j. / sum R
        completeness     sum_k rho_k (1 - H_D(R_.k / sum R_.k)),   rho_k = sum R_.k / sum R
        informativeness  mean accuracy of the trees
        dci              mean of disentanglement and completeness

    H_K is the entropy to base K. All in [0, 1]. "exact" takes scikit-learn's
    GradientBoostingClassifier with its defaults and importances equal to its own for the same
    random_state. "fast" takes LightGBM's trees of the same number, depth and rate, on latents in
    255 bins, and is another measure with like ranks: compare "fast" with "fast" only. Factors are
    fitted in parallel processes, whose number changes no result. A factor with one value has no
    importances.

    Without a test set a third of the rows, drawn from the seed, is held out. The order of rows
    matters: it decides between splits that are equally good up to rounding.

    Shapes: [N, D], [N, K] int -> dict: "dci"; "disentanglement", "completeness",
        "informativeness_train", "informativeness_test"; "disentanglement_per_code" [D],
        "completeness_per_factor" [K]; "importance" [D, K]; "method"
    Args:
        codes: representation of N examples, D >= 2.
        factors: class numbers of the same examples, K >= 2.
        seed: random_state of the trees, and which rows are held out where there is no test set.
        codes_test: representation of the test examples [M, D].
        factors_test: their class numbers [M, K].
        method: the study's trees, "exact", or another library's, "fast", at least 10 times faster;
            it needs `pip install 'tfkit[boosting]'`.
        workers: processes, >= 1; as many as there are processors if left out.
    Raises:
        ValueError: wrong shapes, codes that are not finite, factors that are not integers or that
            all are constant, fewer than two latents or factors.
        UsageError: "fast" without LightGBM.
    References: Eastwood and Williams 2018, https://openreview.net/forum?id=By-7dz-AZ; trees of
        Locatello et al. 2019, arXiv:1811.12359; "fast": Ke et al. 2017, LightGBM, NeurIPS.
    """
    checked_method("dci", method)
    workers = checked_workers("dci", workers)
    codes, factors = checked("dci", codes, factors, latents=2, fewest=2)
    train, test = train_and_test("dci", (codes, factors), codes_test, factors_test, seed)
    checked_variation("dci", train[1])
    fitted = boosted(*train, test[0], method, seed, workers)
    importance = np.stack([one.importance for one in fitted], axis=1)  # [D, K]
    told = [one.predictions == truth for one, truth in zip(fitted, test[1].T, strict=True)]
    per_code, per_factor = one_sidedness(importance), one_sidedness(importance.T)
    disentanglement = _weighted(per_code, importance)
    completeness = _weighted(per_factor, importance.T)
    return {
        "dci": (disentanglement + completeness) / 2,
        "disentanglement": disentanglement,
        "completeness": completeness,
        "informativeness_train": float(np.mean([one.train for one in fitted])),
        "informativeness_test": float(np.mean(told)),
        "disentanglement_per_code": per_code,
        "completeness_per_factor": per_factor,
        "importance": importance,
        "method": method,
    }


def one_sidedness(importance) -> np.ndarray:
    """1 - entropy of each row, to the base of its length: 1 for one entry, 0 for equal ones.

    Shapes: [A, B] -> [A]
    """
    share = importance + FLOOR
    share = share / share.sum(axis=1, keepdims=True)
    return 1 + np.sum(share * np.log(share), axis=1) / np.log(importance.shape[1])


def _weighted(scores, importance):
    """The mean of the rows' scores, each by its share of all importance; 0 without any."""
    total = importance.sum()
    return float(scores @ importance.sum(axis=1) / total) if total > 0 else 0.0
