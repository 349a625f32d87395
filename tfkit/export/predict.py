"""Answers from an export folder: files in, files out. Nothing of the model's room is imported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tfkit.errors import DataMissing, TfkitError, UsageError
from tfkit.export import versions
from tfkit.export.answers import check_output, summary, write_output
from tfkit.export.fitting import chosen_signature
from tfkit.export.questions import read_input, require_input


def predict(
    path: str | Path,
    input: str | Path,
    output: str | Path | None = None,
    signature: str | None = None,
    batch_size: int = 64,
) -> dict[str, Any]:
    """Run one signature of an export over the rows of a file.

    In: .npy (a signature with one input), .npz (keys are the input names), an image file, or a
    folder of images, subfolders too, in the order of their paths. Images are read as the `images`
    data set reads them: upright, the middle cropped and resized to the signature's height and
    width, transparency black; scaled to [0, 1] for a float input. Out: .npz or .json (all outputs),
    .png (one grid of the image output) or a folder (one PNG a row).

    Args:
        path: `savedmodels/NAME` (its newest version) or `savedmodels/NAME/VERSION`.
        input: the file or folder with the rows.
        output: the file or folder to write; None writes nothing.
        signature: a name; None is `predict`.
        batch_size: rows a call.
    Returns: folder, signature, rows, written, outputs {name: dtype, shape, values (or None)}.
    Raises: UsageError (what was asked does not fit the model), DataMissing (no such file).
    """
    if batch_size < 1:
        raise UsageError(f"predict: the batch size must be at least 1, got {batch_size}.")
    if output is not None:
        check_output(Path(output))
    folder = version_folder(Path(path))
    require_input(Path(input))
    loaded = _load(folder)
    name = chosen_signature("The export", list(loaded.signatures), signature)
    function = loaded.signatures[name]
    specs = function.structured_input_signature[1]
    arrays, names = read_input(Path(input), specs)
    outputs = _run(function, arrays, batch_size)
    written = [] if output is None else write_output(Path(output), outputs, names, name)
    return {
        "folder": str(folder),
        "signature": name,
        "rows": len(names),
        "outputs": {key: summary(value) for key, value in outputs.items()},
        "written": [str(file) for file in written],
    }


def version_folder(path: Path) -> Path:
    """The version folder itself, or the newest one of a model's folder."""
    if (path / "saved_model.pb").is_file():
        return path
    numbers = versions.published(path) if path.is_dir() else []
    if numbers:
        return path / str(numbers[-1])
    raise DataMissing(
        f"{path} holds no export: expected saved_model.pb or numbered version folders there; "
        "`tfkit run RECIPE --export` and `tfkit export RUN` make them."
    )


def _load(folder: Path) -> Any:
    try:
        return tf.saved_model.load(str(folder))
    except (OSError, ValueError, tf.errors.OpError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise TfkitError(f"{folder} could not be loaded as a SavedModel: {reason}") from error


def _run(function: Any, arrays: dict[str, np.ndarray], batch_size: int) -> dict[str, np.ndarray]:
    rows = len(next(iter(arrays.values())))
    parts: dict[str, list] = {}
    for start in range(0, rows, batch_size):
        batch = {name: tf.constant(a[start : start + batch_size]) for name, a in arrays.items()}
        for key, value in function(**batch).items():
            parts.setdefault(key, []).append(value.numpy())
    return {key: np.concatenate(parts[key]) for key in sorted(parts)}
