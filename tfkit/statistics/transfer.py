"""Does choosing a setting by one score help for another one?"""

from collections.abc import Mapping

import numpy as np


def selection_transfer(source: np.ndarray, target: np.ndarray) -> float | None:
    """How often a setting that was best by `source` with one seed beats a random one by `target`
    with another seed.

        best(a)  = argmax_g source_ga
        transfer = mean over a != b and g != best(a) of [target_best(a),b > target_gb], ties 1/2

    One half: the choice is worth nothing. The seeds differ, so that the luck of a seed is not taken
    for the quality of a setting.

    Shapes: [G, S], [G, S] -> float, None with fewer than two settings or seeds
    Args:
        source: the score that chooses, larger is better, by setting and seed; NaN is left out.
        target: the score that is wanted, likewise.
    References: Locatello et al. 2019, arXiv:1811.12359, section 5.4, table 1.
    """
    settings, seeds = source.shape
    if settings < 2 or seeds < 2:
        return None
    wins = []
    for a in range(seeds):
        if np.isnan(source[:, a]).all():
            continue
        best = int(np.nanargmax(source[:, a]))
        for b in range(seeds):
            others = np.delete(target[:, b], best)
            others = others[~np.isnan(others)]
            if b != a and len(others) and not np.isnan(target[best, b]):
                wins.append(np.mean((target[best, b] > others) + 0.5 * (target[best, b] == others)))
    return float(np.mean(wins)) if wins else None


def transfer_table(scores: Mapping[tuple[str, str], np.ndarray]) -> list[dict]:
    """Means of `selection_transfer` over pairs of scores: the same or another metric, on the same
    or other data.

    Args:
        scores: {(data, metric): [G, S]}, larger is better; one order of settings and seeds for all.
    Returns: rows "metric" and "data" ("same" or "other"), "value" and "pairs".
    """
    found: dict[tuple[str, str], list[float]] = {}
    for source, chosen in scores.items():
        for target, wanted in scores.items():
            value = selection_transfer(chosen, wanted)
            if value is not None:
                data, metric = (
                    "same" if one == other else "other"
                    for one, other in zip(source, target, strict=True)
                )
                found.setdefault((metric, data), []).append(value)
    return [
        {"metric": metric, "data": data, "value": float(np.mean(values)), "pairs": len(values)}
        for (metric, data), values in found.items()
    ]
