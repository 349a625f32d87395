"""What a caller gives the client, made the arrays of a signature: arrays, tables, files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from tfkit.export.fitting import Spec, fit


def arrays(inputs: Any, specs: dict[str, Spec]) -> dict[str, np.ndarray]:
    """One array per input, of its shape and dtype.

    Args:
        inputs: {name: array}, one array, a pandas DataFrame, or the path of a file or folder.
        specs: {name: Spec} of the signature's inputs.
    Raises: UsageError that says what was expected and what was found, DataMissing.
    """
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
        return _numbers(frame) if spec.dtype != "string" else frame.to_numpy()
    return {
        column: _of_column(frame[column], specs.get(column)) for column in frame.columns.tolist()
    }


def _of_column(column: Any, spec: Spec | None) -> np.ndarray:
    """[rows, …]: cells that are lists or arrays are rows of a larger array."""
    values = column.to_numpy()
    cells = values.dtype == object and len(values)
    if cells and isinstance(values[0], list | tuple | np.ndarray):
        return np.array(values.tolist())
    if spec is None or spec.dtype == "string":
        return _with_axis(values, spec)
    return _with_axis(_numbers(column) if cells else values, spec)


def _with_axis(values: np.ndarray, spec: Spec | None) -> np.ndarray:
    column = spec is not None and spec.shape is not None and len(spec.shape) == 2
    return values[:, None] if column and spec.takes((len(values), 1)) else values


def _numbers(frame: Any) -> np.ndarray:
    """Numbers of a frame or a column; a missing one is NaN, which only floats can hold."""
    try:
        values = frame.to_numpy()
        return values if values.dtype != object else frame.to_numpy(float, na_value=np.nan)
    except (TypeError, ValueError):
        return frame.to_numpy()  # the refusal says what it is
