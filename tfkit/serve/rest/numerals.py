"""Arrays of numbers -> JSON text with TF Serving's numerals, all numbers by one formatting.

    %g where that reads back equal, else %.9g (float32) or %.17g (float64), and .0 behind what has
    neither . nor e: 0.1, 2.0, 9e+06, 0.333333343, NaN, -Infinity

TF Serving has no form for float16 and bfloat16; they are written as the float32 of equal value.
"""

import json
from functools import cache
from math import prod

import numpy as np

# stands between the rows of `rows`; JSON text has no such character
BETWEEN_ROWS = "\x00"
SINGLE, DOUBLE = np.dtype(np.float32), np.dtype(np.float64)
DIGITS = {SINGLE: 9, DOUBLE: 17}

# kinds of numerals, as indices of a table of formats
SHORT, SHORT_WHOLE, LONG, LONG_WHOLE, NAN, INFINITY, MINUS_INFINITY = range(7)

# powers of ten are exact doubles up to 10^22, and so are products and quotients, once rounded
EXACT_POWER = 22
POWERS = np.array([float(f"1e{k}") for k in range(-340, 309)] + [np.inf] * 40)
# how near a six-digit decimal must be to read back equal, half a unit in the last place and a bit
NEAR = {SINGLE: 6.2e-8, DOUBLE: 1e-15}


def to_json(array: np.ndarray) -> str:
    """JSON text of an array of floats, integers or booleans, nested as its axes are.

    Args:
        array: of any rank; one without axes is a bare number.
    """
    if not _is_float(array) or array.size == 0:
        return json.dumps(array.tolist())
    return "[" * array.ndim + _joined(array, ", ") + "]" * array.ndim


def rows(array: np.ndarray) -> list[str]:
    """JSON text of each row, that is of `array[0]`, `array[1]`, …

    Args:
        array: of rank 1 or more.
    """
    if not _is_float(array) or array.size == 0:
        return [json.dumps(row) for row in array.tolist()]
    texts = _joined(array, BETWEEN_ROWS).split(BETWEEN_ROWS)
    inner = array.ndim - 1
    return ["[" * inner + text + "]" * inner for text in texts] if inner else texts


def _is_float(array: np.ndarray) -> bool:
    return array.dtype.kind == "f" or array.dtype.name == "bfloat16"


def _joined(array: np.ndarray, between_rows: str) -> str:
    """Numerals with separators and inner brackets, without the brackets around all."""
    flat = np.ravel(array)
    if flat.dtype not in DIGITS:
        flat = flat.astype(SINGLE)
    kinds = _kinds(flat)
    table = _table(array.ndim, between_rows, DIGITS[flat.dtype])
    pieces = table[kinds, _closed(array.shape)].tolist()
    pieces[-1] = table[kinds[-1], -1]  # nothing follows the last number
    return "".join(pieces) % tuple(flat[kinds < NAN].tolist())


@cache
def _table(rank: int, between_rows: str, digits: int) -> np.ndarray:
    """[kind, closed]: format of a number and what follows it where it ends 0, 1, … inner lists.

    In the last column nothing follows.
    """
    formats = ("%g", "%g.0", f"%.{digits}g", f"%.{digits}g.0", "NaN", "Infinity", "-Infinity")
    ends = ["]" * closed + ", " + "[" * closed for closed in range(max(rank, 1))]
    if between_rows == BETWEEN_ROWS:
        ends[-1] = BETWEEN_ROWS  # the brackets of a row are put around its text
    return np.array([[text + end for end in (*ends, "")] for text in formats], dtype=object)


def _closed(shape: tuple) -> np.ndarray:
    """How many inner lists end with each number."""
    closed = np.zeros(prod(shape), np.intp)
    for axis in range(1, len(shape)):
        size = prod(shape[axis:])
        closed[size - 1 :: size] += 1
    return closed


def _kinds(flat: np.ndarray) -> np.ndarray:
    """Which format each number takes."""
    finite = np.isfinite(flat)
    numbers = np.where(finite, flat, 0).astype(np.float64)
    sizes = np.abs(numbers)
    short = _reads_back(sizes, flat.dtype)
    # a numeral that reads back equal has no . and no e just where the number is a small integer
    limit = np.where(short, 1e6, 10.0 ** DIGITS[flat.dtype])
    whole = (sizes < limit) & (np.trunc(numbers) == numbers)
    kinds = np.where(short, SHORT, LONG) + whole
    if not finite.all():
        kinds[np.isnan(flat)] = NAN
        kinds[np.isposinf(flat)] = INFINITY
        kinds[np.isneginf(flat)] = MINUS_INFINITY
    return kinds


def _reads_back(sizes: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Whether the six digits of %g read back as the same number.

    The six digits are an integer below 10^6 times a power of ten. Up to 10^22 that power is exact
    and the decision too; beyond, what might read back is formatted and read.
    (No float32 lies so that reading by way of a double rounds twice: all six-digit decimals of its
    range were tried.)

    Args:
        sizes: finite, >= 0, as doubles.
        dtype: SINGLE or DOUBLE, in which they are to be equal.
    """
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        exponent = np.floor(np.log10(sizes))
        exponent[sizes == 0] = 0
        power = (5 - exponent).astype(np.intp)
        scaled = _times_power(sizes, power)
        digits = np.rint(scaled)
        equal = _times_power(digits, -power).astype(dtype) == sizes
    doubtful = np.abs(power) > EXACT_POWER
    if doubtful.any():
        normal = sizes >= np.finfo(dtype).tiny
        with np.errstate(invalid="ignore"):
            far = normal & (power <= 308) & (np.abs(digits - scaled) > NEAR[dtype] * scaled)
        for index in np.flatnonzero(doubtful & ~far):
            equal[index] = dtype.type(float(f"{sizes[index]:g}")) == sizes[index]
    return equal


def _times_power(values: np.ndarray, power: np.ndarray) -> np.ndarray:
    """values * 10^power, rounded once where the power is exact: a negative one divides."""
    factor = POWERS[np.abs(power) + 340]
    return np.where(power < 0, values / factor, values * factor)
