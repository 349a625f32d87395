"""Which combinations of factors there are, and how often training shows them."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

_LINE = "{factor: [class numbers]}"


class Correlation(NamedTuple):
    """How often training shows the pairs of classes of two factors."""

    columns: tuple[int, int]
    weights: np.ndarray  # [n1 * n2], not normalised


def correlation(called: str, sizes: Mapping[str, int], names, width: float) -> Correlation | None:
    """The weights of the pairs of classes of two correlated factors.

        p(c1, c2) ~ exp(-(c1 - c2)^2 / (2 width^2)),   c = class / (classes - 1), in [0, 1]

    Args:
        called: the data set's name, for messages.
        sizes: {factor: number of classes}.
        names: the two factors; None for no correlation.
        width: > 0; the paper's are 0.2 (strong), 0.4 and 0.7.
    Raises:
        ValueError: other than two different factors, or a width that is not positive.
    References: Träuble et al. 2021, arXiv:2006.07886, equation 1, with alpha = 1.
    """
    if not width > 0 or math.isinf(width):
        raise ValueError(f"{called}: correlation_width must be > 0 and finite, got {width}.")
    if names is None:
        return None
    known = list(sizes)
    if len(names) != 2 or names[0] == names[1] or not set(names) <= set(known):
        raise ValueError(
            f"{called}: correlated must be two different factors of {', '.join(known)}, "
            f"got {list(names)}."
        )
    columns = known.index(names[0]), known.index(names[1])
    one, other = (np.arange(sizes[name]) / max(sizes[name] - 1, 1) for name in names)
    weights = np.exp(-((one[:, None] - other) ** 2) / (2 * width**2))
    return Correlation(columns, weights.ravel())


def pairs(sizes: Sequence[int], known: Correlation, rows: np.ndarray) -> np.ndarray:
    """The pair of correlated classes that each combination has.  [N] -> [N] in 0 … n1 n2 - 1"""
    one, other = (_column(sizes, column, rows) for column in known.columns)
    return one * sizes[known.columns[1]] + other


def exclusions(called: str, sizes: Mapping[str, int], excluded) -> tuple[dict[int, list], ...]:
    """The combinations that training never shows, by the numbers of their factors' columns.

    A combination is excluded where all factors that one entry names have one of its classes.

    Args:
        called: the data set's name, for messages.
        sizes: {factor: number of classes}.
        excluded: [{factor: [class numbers]}], or None.
    Raises:
        ValueError: an empty entry, an unknown factor, or a class out of range.
    """
    known = list(sizes)
    found = []
    for number, entry in enumerate(excluded or ()):
        place = f"{called}: excluded[{number}]"
        if not isinstance(entry, Mapping) or not entry:
            raise ValueError(f"{place} must be {_LINE}, got {entry!r}.")
        for name, classes in entry.items():
            if name not in known:
                raise ValueError(f"{place}: no factor {name}; there are {', '.join(known)}.")
            whole = isinstance(classes, list | tuple) and all(type(c) is int for c in classes)
            if not whole or not classes or not all(0 <= c < sizes[name] for c in classes):
                raise ValueError(
                    f"{place}: {name} must be a list of class numbers in 0-{sizes[name] - 1}, "
                    f"got {classes!r}."
                )
        found.append({known.index(name): list(classes) for name, classes in entry.items()})
    return tuple(found)


def excluded_rows(sizes: Sequence[int], excluded, rows: np.ndarray) -> np.ndarray:
    """Which combinations, by their number in the grid, are excluded.  [N] -> [N] bool"""
    result = np.zeros(len(rows), bool)
    for entry in excluded:
        inside = np.ones(len(rows), bool)
        for column, classes in entry.items():
            inside &= np.isin(_column(sizes, column, rows), classes)
        result |= inside
    return result


def kept_values(
    called: str, sizes: Mapping[str, int], values, circles: Mapping[str, int] = MappingProxyType({})
) -> list[np.ndarray]:
    """Which values of each factor a small world keeps.

        n of N:        round(k (N - 1) / (n - 1)),  k = 0 … n - 1;  a single one is the middle
        round a circle of M different values:  round(k M / n)  for n <= M

    Args:
        called: the data set's name, for messages.
        sizes: {factor: number of values}.
        values: how many to keep of each factor, in the factors' order; None keeps all.
        circles: {factor: M}; M is N - 1 where the last value is the first again.
    Raises:
        ValueError: not one number a factor, or one out of range.
    """
    if values is None:
        return [np.arange(size) for size in sizes.values()]
    if len(values) != len(sizes):
        raise ValueError(
            f"{called}: values must be one number for each of {', '.join(sizes)}, got {values}."
        )
    kept = []
    for (name, size), count in zip(sizes.items(), values, strict=True):
        if not 1 <= count <= size:
            raise ValueError(f"{called}: values of {name} must be in 1-{size}, got {count}.")
        if count <= circles.get(name, 0):
            places = np.arange(count) * circles[name] / count
        else:
            places = np.linspace(0, size - 1, count) if count > 1 else np.array([(size - 1) // 2])
        kept.append(np.floor(places + 0.5).astype(np.int64))
    return kept


def kept_rows(sizes: Sequence[int], kept: Sequence[np.ndarray]) -> np.ndarray:
    """Numbers of the kept combinations in the whole grid, the last factor the fastest.  -> [N]"""
    return np.ravel_multi_index(np.ix_(*kept), sizes).ravel()


def _column(sizes, column, rows):
    """The classes of one factor.  [N] -> [N]"""
    return rows // int(np.prod(sizes[column + 1 :], dtype=np.int64)) % sizes[column]
