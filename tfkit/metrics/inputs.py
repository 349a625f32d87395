"""What the array metrics ask of their arrays, said with the name of the metric that asks."""

import numpy as np

HELD_OUT = 3  # without a test set, every third row is kept from training


def checked_codes(caller: str, codes, latents: int = 1) -> np.ndarray:
    """The codes as an array of float32 or float64, or why they are none.  [N, D]"""
    codes = np.asarray(codes)
    if codes.ndim != 2 or not len(codes):
        raise ValueError(f"{caller}: codes must be [N, D] with N >= 1, got shape {codes.shape}.")
    if codes.shape[1] < latents:
        raise ValueError(
            f"{caller}: needs at least {latents} latents, got {codes.shape[1]} "
            f"(codes of shape {codes.shape})."
        )
    if codes.dtype.kind not in "fiub":
        raise ValueError(f"{caller}: codes must be real numbers, got {codes.dtype}.")
    if not np.all(np.isfinite(codes)):
        raise ValueError(f"{caller}: codes must be finite, got NaN or infinity.")
    if codes.dtype in (np.float32, np.float64):
        return codes
    return codes.astype("float32" if codes.dtype == np.float16 else "float64")


def checked(caller: str, codes, factors, latents: int = 1, fewest: int = 1, values: bool = False):
    """Codes and factors that belong together.

    Shapes: [N, D], [N, K] -> [N, D], [N, K]
    Args:
        caller: name of the metric, for messages.
        codes: representation of N examples.
        factors: class numbers of the same examples.
        latents: fewest D that the metric is defined for.
        fewest: fewest K that the metric is defined for.
        values: whether the metric takes factors that are values and not classes.
    """
    codes, factors = np.asarray(codes), np.asarray(factors)
    if codes.ndim != 2 or factors.ndim != 2 or len(codes) != len(factors) or not len(codes):
        raise ValueError(
            f"{caller}: codes and factors must be [N, D] and [N, K], got {codes.shape} and "
            f"{factors.shape}."
        )
    codes = checked_codes(caller, codes, latents)
    if factors.shape[1] < fewest:
        raise ValueError(
            f"{caller}: needs at least {fewest} factors, got {factors.shape[1]} "
            f"(factors of shape {factors.shape})."
        )
    if values and factors.dtype.kind in "fiu":
        if not np.all(np.isfinite(factors)):
            raise ValueError(f"{caller}: factors must be finite, got NaN or infinity.")
    elif not _whole(factors):
        raise ValueError(
            f"{caller}: factors must be integers, got {factors.dtype}; pass class numbers, not "
            "values."
        )
    return codes, factors


def checked_variation(caller: str, factors) -> None:
    """Refuse factors that all are constant: there is nothing to find."""
    if np.all(factors == factors[0]):
        raise ValueError(f"{caller}: every factor has one value only; pass examples that differ.")


def train_and_test(caller: str, train, codes_test, factors_test, seed: int):
    """The rows to learn from and the rows to be tested on.

    Without a test set a third of the rows, drawn from `seed`, is held out.

    Shapes: ([N, D], [N, K]), [M, D], [M, K] -> ([N, D], [N, K]), ([M, D], [M, K])
    """
    codes, factors = train
    if (codes_test is None) != (factors_test is None):
        raise ValueError(
            f"{caller}: codes_test and factors_test go together; pass both or neither."
        )
    if codes_test is not None:
        test = checked(caller, codes_test, factors_test)
        widths = codes.shape[1], factors.shape[1]
        if (test[0].shape[1], test[1].shape[1]) != widths:
            raise ValueError(
                f"{caller}: the test set must have {widths[0]} latents and {widths[1]} factors "
                f"like the training set, got {test[0].shape} and {test[1].shape}."
            )
        return train, test
    if len(codes) < HELD_OUT:
        raise ValueError(
            f"{caller}: needs at least {HELD_OUT} rows to hold a third out, got {len(codes)}; "
            "pass more rows, or codes_test and factors_test."
        )
    order = np.random.RandomState(seed).permutation(len(codes))
    kept, held = order[len(codes) // HELD_OUT :], order[: len(codes) // HELD_OUT]
    return (codes[kept], factors[kept]), (codes[held], factors[held])


def _whole(numbers) -> bool:
    if numbers.dtype.kind == "f":
        return bool(np.all(np.isfinite(numbers) & (numbers == np.rint(numbers))))
    return numbers.dtype.kind in "iu"
