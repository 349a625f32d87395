"""DCI-ES: how large a probe must be before it reads the factors, and how large the code is."""

from typing import Literal

import numpy as np
from scipy.integrate import trapezoid
from sklearn.ensemble import RandomForestClassifier

from tfkit.metrics.importance import dci
from tfkit.metrics.inputs import checked, checked_variation, train_and_test
from tfkit.metrics.parallel import checked_workers, in_processes

DEPTHS = (1, 2, 4, 8, 16, 32)  # capacities of the probes; equal steps on a logarithmic axis
_TREES = 50
_SECONDS = 2e-5  # of a fit, for each row and class: how the work is shared out


def dci_es(
    codes,
    factors,
    *,
    seed: int = 0,
    codes_test=None,
    factors_test=None,
    method: Literal["exact", "fast"] = "exact",
    workers: int | None = None,
) -> dict:
    """DCI, and beside it explicitness (E: how small a probe suffices) and size (S).

        E   mean_k 1 - A_k / Z_k          A_k: area under the loss-capacity curve of factor k above
                                          its minimum; Z_k = capacity range * baseline loss / 2
        S   K / D, factors over latents

    The probes are random forests of 50 trees of depth 1, 2, 4, … 32; capacity is the logarithm of
    the depth, the loss the share of wrong answers on the test rows, the baseline that of the most
    frequent class. E is 1 where the smallest probe is as good as any, 0 for a straight line from
    the baseline to 0; in [-1, 1].

    Without a test set a third of the rows, drawn from the seed, is held out. The order of rows
    matters, as in `dci`.

    Shapes: [N, D], [N, K] int -> dict: "dci_es", the mean of "disentanglement", "completeness",
        "informativeness" (test accuracy of DCI's trees) and "explicitness"; "size"; "losses"
        [K, 6], NaN for factors with one value; "method"
    Args:
        codes: representation of N examples, D >= 2.
        factors: class numbers of the same examples, K >= 2.
        seed: of the trees, and of which rows are held out where there is no test set.
        codes_test: representation of the test examples [M, D].
        factors_test: their class numbers [M, K].
        method: of `dci`, "exact" or "fast".
        workers: processes, >= 1; as many as there are processors if left out.
    Raises:
        ValueError: as `dci`.
        UsageError: "fast" without LightGBM.
    References: Eastwood et al. 2023, arXiv:2210.00364, section 4.
    """
    tests = {"codes_test": codes_test, "factors_test": factors_test}
    importance = dci(codes, factors, seed=seed, method=method, workers=workers, **tests)
    probed = probe_explicitness(codes, factors, seed=seed, workers=workers, **tests)
    parts = {
        "disentanglement": importance["disentanglement"],
        "completeness": importance["completeness"],
        "informativeness": importance["informativeness_test"],
        "explicitness": probed["explicitness"],
    }
    size = np.shape(factors)[1] / np.shape(codes)[1]
    mean = float(np.mean(list(parts.values())))
    return {"dci_es": mean, **parts, "size": size, "losses": probed["losses"], "method": method}


def probe_explicitness(
    codes, factors, *, seed: int = 0, codes_test=None, factors_test=None, workers=None
) -> dict:
    """E of `dci_es` alone.  [N, D], [N, K] int -> {"explicitness", "losses" [K, 6]}"""
    name = "dci_es"
    workers = checked_workers(name, workers)
    codes, factors = checked(name, codes, factors)
    train, test = train_and_test(name, (codes, factors), codes_test, factors_test, seed)
    checked_variation(name, train[1])
    columns = [k for k in range(factors.shape[1]) if len(np.unique(train[1][:, k])) > 1]
    jobs = [(train[0], train[1][:, k], test[0], test[1][:, k], seed) for k in columns]
    costs = [_SECONDS * len(DEPTHS) * len(train[0]) * len(np.unique(job[1])) for job in jobs]
    curves = np.array(in_processes(_losses, jobs, workers, costs))  # [K, 1 + depths]
    capacity = np.log2(DEPTHS)
    baseline, losses = curves[:, 0], curves[:, 1:]
    area = trapezoid(losses - losses.min(axis=1, keepdims=True), capacity, axis=1)
    room = (capacity[-1] - capacity[0]) * baseline / 2
    scores = 1 - np.divide(area, room, out=np.zeros_like(area), where=room > 0)
    every = np.full((factors.shape[1], len(DEPTHS)), np.nan)
    every[columns] = losses
    return {"explicitness": float(scores.mean()), "losses": every}


def _losses(codes, labels, codes_test, labels_test, seed):
    """Share of wrong answers of the most frequent class, and of a forest of each depth."""
    known, counts = np.unique(labels, return_counts=True)
    errors = [np.mean(labels_test != known[counts.argmax()])]
    for depth in DEPTHS:
        forest = RandomForestClassifier(_TREES, max_depth=depth, random_state=seed)
        errors.append(np.mean(forest.fit(codes, labels).predict(codes_test) != labels_test))
    return errors
