"""A table of the factors of images: one line an image, one column a factor."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tfkit.errors import DataMissing

_LAYOUT = "a CSV file with a line for each image: its file name, and a value of each factor"
_FEW = 20  # different values that need not repeat
_NAMED = 5  # of many missing files


class FactorTable(NamedTuple):
    """What a table says of some images.

    Args:
        classes: of each image and factor, places in `values`.  [N, K] int32
        values: {factor: its values in order}.
    """

    classes: np.ndarray
    values: dict[str, list]


def read_table(
    path: Path, file_column: str, factors: Sequence[str] | None, names: Sequence[str]
) -> FactorTable:
    """The factors of images by their names, in the order of the names.

    The values of a factor are numbered in their order: of numbers where all are numbers, of the
    alphabet otherwise.

    Args:
        path: the CSV file.
        file_column: the column of file names.
        factors: the columns to take; None takes all but that of the files.
        names: the images that are there.
    Raises:
        DataMissing: no such file, lines without an image, images without a line, a file twice, an
            empty value.
        ValueError: columns that the table lacks.
    """
    table = _read(path)
    columns = _columns(path, table, file_column, factors)
    lines = {}
    for line, name in zip(table.index, table[file_column], strict=True):
        if not name:
            raise _wrong(path, line, f"{file_column} is empty")
        if name in lines:
            raise _wrong(path, line, f"{name} is there already, in line {lines[name]}")
        lines[name] = line
    there = set(names)
    if strange := [name for name in lines if name not in there]:
        raise _wrong(path, lines[strange[0]], f"no image {_listed(strange)} in {path.parent}")
    if left := [name for name in names if name not in lines]:
        raise DataMissing(f"{path}: no line for {_listed(left)}; expected {_LAYOUT}.")
    chosen = table.loc[[lines[name] for name in names], columns]
    known = {name: _classes(path, chosen[name]) for name in columns}
    classes = np.stack([numbers for numbers, _ in known.values()], axis=1).astype(np.int32)
    return FactorTable(classes, {name: values for name, (_, values) in known.items()})


def _read(path):
    """The table as text, its index the numbers of the file's lines; blank lines left out."""
    import pandas

    try:
        table = pandas.read_csv(path, dtype=str, keep_default_na=False, skip_blank_lines=False)
    except (OSError, ValueError, UnicodeDecodeError) as error:  # pandas' errors are ValueErrors
        raise DataMissing(f"{path}: {error}; expected {_LAYOUT}.") from error
    table.index = range(2, len(table) + 2)
    table = table.fillna("").apply(lambda column: column.str.strip())
    return table[(table != "").any(axis=1)]


def _columns(path, table, file_column, factors):
    """The columns that are factors."""
    wanted = [file_column, *(factors or ())]
    if lacking := [name for name in wanted if name not in table.columns]:
        raise ValueError(
            f"{path}: no column {', '.join(lacking)}; there are {', '.join(table.columns)}."
        )
    columns = list(factors or (name for name in table.columns if name != file_column))
    if not columns or len(set(wanted)) < len(wanted):
        raise ValueError(
            f"{path}: factors must be different columns beside {file_column}, got {columns}."
        )
    return columns


def _classes(path, column):
    """Numbers of the values of one factor, and the values in order."""
    for line, value in column.items():
        if not value:
            raise _wrong(path, line, f"{column.name} is empty")
    keys = column.to_numpy(object)
    try:
        numbers = keys.astype(float)
        keys = numbers if np.all(np.isfinite(numbers)) else keys
    except ValueError:
        pass  # words
    values, classes = np.unique(keys, return_inverse=True)
    if len(values) > max(_FEW, len(keys) / 2):
        raise ValueError(
            f"{path}: {column.name} has {len(values)} different values in {len(keys)} lines; "
            "factors are classes that repeat: bin its values, or name the others (data.factors)."
        )
    return classes, [int(v) if isinstance(v, float) and v.is_integer() else v for v in values]


def _wrong(path, line, said):
    return DataMissing(f"{path}:{line}: {said}; expected {_LAYOUT}.")


def _listed(names):
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
