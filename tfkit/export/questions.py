"""Rows for a signature from .npy, .npz, an image file or a folder of images, checked."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from tfkit.data import images
from tfkit.errors import DataMissing, UsageError

_CHANNELS = (1, 3, 4)


def read_input(path: Path, specs: dict[str, Any]) -> tuple[dict[str, np.ndarray], list[str]]:
    """Arrays of the signature's shapes and dtypes, and a name for every row.

    Args:
        path: exists.
        specs: {input name: tf.TensorSpec} of the signature.
    Raises: UsageError that says what was expected and what was found.
    """
    if path.is_dir():
        files = images.files_below(path)
        if not files:
            raise DataMissing(f"{path} holds no images ({', '.join(images.SUFFIXES)}).")
        return _read_images(files, [_flat(file.relative_to(path)) for file in files], specs)
    suffix = path.suffix.lower()
    if suffix in images.SUFFIXES:
        return _read_images([path], [path.stem], specs)
    if suffix not in (".npy", ".npz"):
        raise UsageError(
            f"{path}: cannot read {suffix or 'a file without a suffix'}; give .npy, .npz, an image "
            f"({', '.join(images.SUFFIXES)}) or a folder of images."
        )
    arrays = _named(path, _read_arrays(path), specs)
    arrays = {name: _fit(path, name, arrays[name], specs[name]) for name in specs}
    sizes = {name: len(array) for name, array in arrays.items()}
    if len(set(sizes.values())) > 1:
        raise UsageError(f"{path}: the inputs differ in their number of rows: {sizes}.")
    rows = next(iter(sizes.values()))
    if rows == 0:
        raise UsageError(f"{path}: there are no rows.")
    return arrays, [f"{index:04d}" for index in range(rows)]


def _read_arrays(path: Path) -> np.ndarray | dict[str, np.ndarray]:
    try:
        stored = np.load(path, allow_pickle=False)
        if isinstance(stored, np.ndarray):
            return stored
        with stored:
            return {name: stored[name] for name in stored.files}
    except (ValueError, OSError, EOFError, BadZipFile) as error:
        raise UsageError(
            f"{path} could not be read as an array of numbers or text: {error}"
        ) from error


def _named(path: Path, stored: Any, specs: dict) -> dict[str, np.ndarray]:
    """One array per input, by name."""
    if isinstance(stored, np.ndarray):
        if len(specs) != 1:
            raise UsageError(
                f"{path}: the signature takes several inputs ({', '.join(specs)}); "
                "give an .npz with these keys."
            )
        return {next(iter(specs)): stored}
    for name in specs:
        if name not in stored:
            close = difflib.get_close_matches(name, stored, n=1)
            hint = f"; did you mean {name} where it says {close[0]}?" if close else "."
            raise UsageError(
                f"{path}: the input {name!r} is missing{hint} The file has: "
                f"{', '.join(stored) or 'nothing'}."
            )
    unknown = [name for name in stored if name not in specs]
    if unknown:
        raise UsageError(
            f"{path}: the signature has no input {unknown[0]!r}; it takes {', '.join(specs)}."
        )
    return stored


def _fit(path: Path, name: str, array: np.ndarray, spec: Any) -> np.ndarray:
    """The array in the input's dtype, if its shape and its values allow."""
    expected = [None if size is None else int(size) for size in spec.shape.as_list()]
    words = "[" + ", ".join("batch" if s is None else str(s) for s in expected) + "]"
    if not spec.shape.is_compatible_with(array.shape):
        cure = ""
        if spec.shape[1:].is_compatible_with(array.shape):
            cure = "; a single row needs a leading axis of 1"
        raise UsageError(f"{path}: {name} must have shape {words}, got {list(array.shape)}{cure}.")
    if spec.dtype.name == "string":
        if array.dtype.kind not in "SU":
            raise UsageError(f"{path}: {name} must be text, got {array.dtype}.")
        return np.char.encode(array, "utf-8") if array.dtype.kind == "U" else array
    target = np.dtype(spec.dtype.as_numpy_dtype)
    if not _casts(array, target):
        raise UsageError(
            f"{path}: {name} must be {target}, got {array.dtype} with values that {target} cannot "
            "hold."
        )
    return array.astype(target)


def _casts(array: np.ndarray, target: np.dtype) -> bool:
    """Whether the values survive: floats may round but not overflow, all else must be exact."""
    if array.dtype.kind not in "biuf":
        return False
    with np.errstate(all="ignore"):
        cast = array.astype(target)
    if array.dtype.kind == "f" and target.kind == "f":
        return bool(np.array_equal(np.isfinite(cast), np.isfinite(array)))
    return bool(np.array_equal(cast.astype(array.dtype), array))


def _flat(path: Path) -> str:
    """A name for the answer to an image: cats/1.png -> cats-1."""
    return "-".join(path.with_suffix("").parts)


def _read_images(
    files: list[Path], names: list[str], specs: dict
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Pictures for the one input that takes them: [B, H, W, C], or [B] of encoded bytes."""
    if len(specs) != 1:
        raise UsageError(
            f"{files[0]}: images answer signatures of one input, this one takes "
            f"{', '.join(specs)}; give an .npz with these keys."
        )
    name, spec = next(iter(specs.items()))
    if spec.dtype.name == "string" and spec.shape.rank == 1:
        return {name: np.array([file.read_bytes() for file in files], object)}, names
    if spec.shape.rank != 4 or spec.shape[-1] not in _CHANNELS:
        raise UsageError(
            f"{files[0]}: the input {name} has shape {spec.shape} and takes no images; give .npy."
        )
    return {name: np.stack([_read_image(file, spec) for file in files])}, names


def _read_image(file: Path, spec: Any) -> np.ndarray:
    """An image as training reads it, [H, W, C] in the input's dtype."""
    height, width, channels = spec.shape[1:]
    try:
        pixels = images.pixels(file, (height, width) if height and width else None, channels)
    except Exception as error:  # Pillow raises many kinds for a broken file
        raise UsageError(f"{file} could not be read as an image: {error}") from error
    target = spec.dtype.as_numpy_dtype
    return (
        (pixels / np.float32(255)).astype(target)
        if spec.dtype.is_floating
        else pixels.astype(target)
    )
