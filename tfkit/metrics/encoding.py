"""What metrics that draw their own examples ask of a representation and of a data set."""

import numpy as np

CHUNK = 4_096  # images that the representation gets at once


def encoded(caller: str, representation, dataset, random_state, factors) -> np.ndarray:
    """Codes of the images of all these factors.  [N, K] -> [N, D] float32 or float64"""
    rows = []
    for start in range(0, len(factors), CHUNK):
        chunk = factors[start : start + CHUNK]
        codes = np.asarray(representation(dataset.observe(chunk, random_state)))
        if codes.ndim != 2 or len(codes) != len(chunk):
            raise ValueError(
                f"{caller}: representation must give [B, D], got {codes.shape} for {len(chunk)} "
                "images; flatten the codes to one row per image."
            )
        rows.append(codes)
    codes = np.concatenate(rows)
    codes = codes if codes.dtype in (np.float32, np.float64) else codes.astype(np.float64)
    if not np.isfinite(codes).all():
        raise ValueError(f"{caller}: codes must be finite, got NaN or infinity.")
    return codes


def factor_sizes(caller: str, dataset, **counts: int) -> list[int]:
    """The factor sizes of a data set that has them all, and counts of at least 1."""
    at_least(caller, 1, **counts)
    sizes = getattr(dataset, "factor_sizes", None)
    if sizes is None:
        why = getattr(dataset, "why_no_grid", "it has no factor_sizes")
        raise ValueError(
            f"{caller}: factors are fixed one at a time, which takes images of every combination "
            f"of factors, and the data set has not got them: {why}."
        )
    return [int(size) for size in sizes]


def at_least(caller: str, least: int, **counts: int) -> None:
    """Refuse a count below the least, by its name."""
    for option, value in counts.items():
        if value < least:
            raise ValueError(f"{caller}: {option} must be >= {least}, got {value}.")
