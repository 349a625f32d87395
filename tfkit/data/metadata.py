"""CSV tables that say of each example its label, its attribute and its part."""

from pathlib import Path

import numpy as np

from tfkit.data.archives import reading
from tfkit.errors import DataMissing

# what tables call the parts, in the order of PARTS
_SPLITS = ({"0", "train", "tr"}, {"1", "val", "valid", "va", "validation"}, {"2", "test", "te"})


def read_csv(called: str, path: Path, layout: str, **options):
    """A table as text; DataMissing where there is none that can be read."""
    import pandas

    options = {"dtype": str, "keep_default_na": False, **options}
    with reading(called, path, layout):
        return pandas.read_csv(path, **options)


def column(called: str, path: Path, table, name: str, layout: str) -> np.ndarray:
    """A column of a table; DataMissing where it is not there or has an empty value.  -> [N] str"""
    if name not in table:
        raise DataMissing(
            f"{called}: {path} has no column {name}; there are {', '.join(map(str, table))}; "
            f"expected {layout}."
        )
    values = table[name].to_numpy(object)
    for row, value in enumerate(values):
        if not isinstance(value, str) or not value.strip():
            raise wrong_value(called, path, name, row, value, layout)
    return values


def numbers(
    called: str, path: Path, table, name: str, layout: str, allowed=None, empty=None
) -> np.ndarray:
    """A column of numbers; DataMissing for what is none.  -> [N] float

    Args:
        called: the data set's name, for messages.
        path: the table's file, for messages.
        table: as `read_csv` gives it.
        name: the column's.
        layout: what is expected, for messages.
        allowed: the numbers that may stand there; None allows all.
        empty: what an empty value counts as; None refuses it.
    """
    if empty is not None and name in table.columns:
        table = {name: table[name].replace("", str(empty))}
    values = column(called, path, table, name, layout)
    try:
        found = values.astype(np.float64)
    except ValueError:
        found = np.array([_number(value) for value in values])
    wrong = ~np.isfinite(found)
    if allowed is not None:
        wrong |= ~np.isin(found, allowed)
    if wrong.any():
        row = int(wrong.argmax())
        raise wrong_value(called, path, name, row, values[row], layout)
    return found


def classes_of(called: str, path: Path, table, name: str, layout: str):
    """The classes of a column in order: of numbers where all are, of the alphabet otherwise.

    Returns: [N] int64, and their names.
    """
    values = column(called, path, table, name, layout)
    try:
        keys = values.astype(np.float64)
    except ValueError:
        keys = values.astype(str)
    known, classes = np.unique(keys, return_inverse=True)
    names = [f"{key:g}" if isinstance(key, float) else str(key) for key in known.tolist()]
    return classes.astype(np.int64), names


def parts_of(called: str, path: Path, table, name: str, layout: str) -> np.ndarray:
    """Parts by their numbers 0, 1, 2 or their usual words.  -> [N], places in PARTS"""
    values = column(called, path, table, name, layout)
    known = {word: number for number, words in enumerate(_SPLITS) for word in words}
    parts = np.array([known.get(value.strip().lower(), -1) for value in values])
    if (parts < 0).any():
        row = int((parts < 0).argmax())
        raise wrong_value(called, path, name, row, values[row], layout)
    return parts


def wrong_value(called, path, name, row, value, layout) -> DataMissing:
    """The error of one value, with its line in the file."""
    return DataMissing(f"{called}: {path}:{row + 2}: {name} is {value!r}; expected {layout}.")


def _number(value):
    try:
        return float(value)
    except ValueError:
        return np.nan
