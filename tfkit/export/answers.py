"""Answers to .npz, .json, one .png grid or a folder of PNGs."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tfkit.errors import TfkitError, UsageError

_FILES = (".npz", ".json", ".png")
_SHOWN = 200  # numbers that a summary spells out; more belong in a file
_GAP = 2  # pixels between the pictures of a grid


def check_output(path: Path) -> None:
    """Refuse an unknown ending before the model is loaded, not after."""
    if path.suffix and path.suffix.lower() not in _FILES and not path.is_dir():
        raise UsageError(
            f"{path}: cannot write {path.suffix}; name .npz, .json, .png or a folder (for one PNG "
            "a row)."
        )


def write_output(
    path: Path, outputs: dict[str, np.ndarray], names: list[str], signature: str
) -> list[Path]:
    """Write the outputs in the form that the path's ending names; return the files.

    Args:
        path: .npz, .json, .png, or a folder.
        outputs: {name: [B, …]}.
        names: one per row, the PNGs' names.
        signature: told in the JSON.
    """
    suffix = path.suffix.lower()
    try:
        if path.is_dir() or suffix not in _FILES:
            path.mkdir(parents=True, exist_ok=True)
            pictures = image_output(outputs)
            files = [path / f"{name}.png" for name in _unique(names)]
            for file, picture in zip(files, pictures, strict=True):
                _replace(file, lambda to, picture=picture: _picture(picture).save(to, "PNG"))
            return files
        path.parent.mkdir(parents=True, exist_ok=True)
        if suffix == ".png":
            pictures = image_output(outputs)
            _replace(path, lambda to: _picture(grid(pictures)).save(to, "PNG"))
        elif suffix == ".npz":
            stored = {key: _storable(value) for key, value in outputs.items()}
            _replace(path, lambda to: np.savez_compressed(to, **stored))
        else:
            answer = {"signature": signature, "outputs": {k: plain(v) for k, v in outputs.items()}}
            _replace(path, lambda to: to.write((json.dumps(answer) + "\n").encode()))
    except OSError as error:
        raise TfkitError(f"{path} could not be written: {error.strerror or error}.") from error
    return [path]


def image_output(outputs: dict[str, np.ndarray]) -> np.ndarray:
    """The first output that is pictures: [B, H, W, 1 or 3] in [0, 1]; else UsageError."""
    for array in outputs.values():
        shaped = array.ndim == 4 and array.shape[-1] in (1, 3) and array.dtype.kind == "f"
        finite = array[np.isfinite(array)] if shaped else np.empty(0)
        if shaped and (finite.size == 0 or (finite.min() >= 0 and finite.max() <= 1)):
            return array
    shapes = ", ".join(f"{key} {list(value.shape)}" for key, value in outputs.items())
    raise UsageError(
        f"No output is a picture, [batch, height, width, 1 or 3] in [0, 1]: {shapes}; "
        "write .npz or .json."
    )


def grid(pictures: np.ndarray) -> np.ndarray:
    """[B, H, W, C] -> one picture [rows H, columns W, C], as square as it goes, grey between."""
    count, height, width, channels = pictures.shape
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    canvas = np.full(
        (rows * (height + _GAP) - _GAP, columns * (width + _GAP) - _GAP, channels), 0.5
    )
    for index, picture in enumerate(pictures):
        top = index // columns * (height + _GAP)
        left = index % columns * (width + _GAP)
        canvas[top : top + height, left : left + width] = picture
    return canvas


def summary(array: np.ndarray) -> dict[str, Any]:
    """dtype, shape, and the values of what is small, else None."""
    dtype = "string" if array.dtype == object else array.dtype.name
    values = plain(array) if array.size <= _SHOWN else None
    return {"dtype": dtype, "shape": list(array.shape), "values": values}


def plain(array: np.ndarray) -> Any:
    """Nested lists; text as text, other bytes by their escapes."""
    if array.dtype == object:
        flat = [v.decode("utf-8", "backslashreplace") for v in array.ravel()]
        return np.array(flat, dtype=object).reshape(array.shape).tolist()
    return array.tolist()


def _storable(array: np.ndarray) -> np.ndarray:
    """Text as fixed-width bytes: an object array would need pickle to read back."""
    return array.astype(np.bytes_) if array.dtype == object else array


def _picture(pixels: np.ndarray) -> Image.Image:
    scaled = np.rint(np.nan_to_num(pixels) * 255).clip(0, 255).astype(np.uint8)
    return Image.fromarray(scaled[..., 0] if scaled.shape[-1] == 1 else scaled)


def _unique(names: list[str]) -> list[str]:
    """a.png and a.jpg both answer: the second becomes a-1."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        count = seen.get(name, 0)
        seen[name] = count + 1
        result.append(f"{name}-{count}" if count else name)
    return result


def _replace(path: Path, write) -> None:
    partial = path.with_name(f".{path.name}.tmp")
    with open(partial, "wb") as file:
        write(file)
    os.replace(partial, path)
