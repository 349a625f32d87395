"""Does choosing a setting by one score help for another one?"""

from collections.abc import Mapping

import numpy as np


def selection_transfer(source: np.ndarray, rates: np.ndarray) -> float | None:
    """How often a setting that was best by `source` with one seed beats a random one by `target`
    with another seed.

        best(a)  = argmax_g source_ga
        transfer = mean over a != b and g != best(a) of [target_best(a),b > target_gb], ties 1/2

    One half: the choice is worth nothing. The seeds differ, so that the luck of a seed is not taken
    for the quality of a setting.

    Shapes: [G, S], [G, S] -> float, None with fewer than two settings or seeds
    Args:
        source: the score that chooses, larger is better, by setting and seed; NaN is left out.
        rates: `win_rates` of the score that is wanted, [G, S].
    References: Locatello et al. 2019, arXiv:1811.12359, section 5.4, table 1.
    """
    settings, seeds = source.shape
    if settings < 2 or seeds < 2:
        return None
    chosen = np.flatnonzero(~np.isnan(source).all(axis=0))  # seeds that can choose
    best = np.nanargmax(source[:, chosen], axis=0)
    found = rates[best]  # [seeds that choose, S]
    found[np.arange(len(chosen)), chosen] = np.nan  # the judging seed is another one
    return float(np.nanmean(found)) if np.isfinite(found).any() else None


def win_rates(target: np.ndarray) -> np.ndarray:
    """How often each setting beats the others with the same seed, ties 1/2; NaN without others.

    Shapes: [G, S] -> [G, S]
    """
    pairs = target[:, None] - target[None]  # [G, G, S]
    points = np.where(np.isnan(pairs), np.nan, (pairs > 0) + 0.5 * (pairs == 0))
    points[np.arange(len(target)), np.arange(len(target))] = np.nan
    known = np.isfinite(points).sum(axis=1)
    return np.divide(
        np.nansum(points, axis=1), known, out=np.full(target.shape, np.nan), where=known > 0
    )


def transfer_table(scores: Mapping[tuple[str, str], np.ndarray]) -> list[dict]:
    """Means of `selection_transfer` over pairs of scores: the same or another metric, on the same
    or other data.

    Args:
        scores: {(data, metric): [G, S]}, larger is better; one order of settings and seeds for all.
    Returns: rows "metric" and "data" ("same" or "other"), "value" and "pairs".
    """
    found: dict[tuple[str, str], list[float]] = {}
    rates = {key: win_rates(table) for key, table in scores.items()}
    for source, chosen in scores.items():
        for target in scores:
            value = selection_transfer(chosen, rates[target])
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
