"""What a caller gives the client, made the arrays of a signature: arrays, tables, files."""

from __future__ import annotations

import os
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np

from tfkit.errors import UsageError
from tfkit.export.fitting import Spec, fit


def arrays(inputs: Any, specs: dict[str, Spec]) -> dict[str, np.ndarray]:
    """One array per input, of its shape and dtype.

    Args:
        inputs: {name: array}, one array, a pandas DataFrame, or the path of a file or folder.
        specs: {name: Spec} of the signature's inputs.
    Raises: UsageError that says what was expected and what was found, DataMissing.
    """
    ready = _fitted(inputs, specs)
    for name, array in ready.items():
        if 0 in (array.shape[:-1] or array.shape):  # JSON has no sizes behind an empty axis
            raise UsageError(
                f"predict: {name} must have one row or more, got shape {list(array.shape)}."
            )
    return ready


def _fitted(inputs: Any, specs: dict[str, Spec]) -> dict[str, np.ndarray]:
    if isinstance(inputs, str | os.PathLike):
        from tfkit.export.questions import read_input  # brings Pillow

        return read_input(Path(inputs), specs)[0]
    if hasattr(inputs, "columns") and hasattr(inputs, "to_numpy"):
        return fit("DataFrame", _of_frame(inputs, specs), specs)
    return fit("predict", inputs, specs)


def _of_frame(frame: Any, specs: dict[str, Spec]) -> Any:
    """Columns by the inputs' names; all columns as one where only one matrix is asked for."""
    name, spec = next(iter(specs.items()))
    table = spec.shape is not None and len(spec.shape) == 2
    if len(specs) == 1 and name not in frame.columns and table and len(frame.columns) > 1:
        if spec.dtype == "string":
            return frame.to_numpy()
        return np.stack([_numbers(*column, spec) for column in frame.items()], axis=1)
    if not frame.columns.is_unique:
        raise UsageError("DataFrame: several columns have the same name.")
    return {column: _of_column(column, cells, specs.get(column)) for column, cells in frame.items()}


def _of_column(name: Any, column: Any, spec: Spec | None) -> np.ndarray:
    """[rows, …]: cells that are lists or arrays are rows of a larger array."""
    values = column.to_numpy()
    text = spec is None or spec.dtype == "string"
    if values.dtype == object and any(isinstance(v, list | tuple | np.ndarray) for v in values):
        try:
            return np.array(values.tolist(), object if text else None)
        except ValueError as error:
            raise UsageError(
                f"DataFrame: the cells of {name} must all be lists of one length: {error}"
            ) from error
    values = values if text else _numbers(name, column, spec)
    matrix = spec is not None and spec.shape is not None and len(spec.shape) == 2
    return values[:, None] if matrix and spec.takes((len(values), 1)) else values


def _numbers(name: Any, column: Any, spec: Spec) -> np.ndarray:
    """A column in the input's dtype; a missing number is NaN, which only floats can hold.

    Raises: UsageError that names the column.
    """
    missing = column.isna().to_numpy(bool)
    given = column[~missing].to_numpy()
    if given.dtype == object and all(isinstance(cell, Real | np.bool_) for cell in given):
        numbers = np.array(given.tolist())
        # else whole numbers were rounded to stand beside fractions
        given = numbers if numbers.tolist() == given.tolist() else given
    if given.dtype.kind not in "biuf":
        raise UsageError(
            f"DataFrame: the column {name} must hold numbers of one kind, got {column.dtype}."
        )
    if missing.any() and not spec.is_floating:
        raise UsageError(f"DataFrame: {name} must be {spec.dtype}, but has missing values.")
    result = np.full(len(column), np.nan if spec.is_floating else 0, spec.array_dtype)
    result[~missing] = fit("DataFrame", {name: given}, {name: Spec(spec.dtype, (None,))})[name]
    return result
