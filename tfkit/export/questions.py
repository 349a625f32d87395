"""Rows for a signature from .npy, .npz, an image file or a folder of images, checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from tfkit.data import pictures
from tfkit.errors import DataMissing, UsageError
from tfkit.export.fitting import Spec, fit

_CHANNELS = (1, 3, 4)


def read_input(path: Path, specs: dict[str, Any]) -> tuple[dict[str, np.ndarray], list[str]]:
    """Arrays of the signature's shapes and dtypes, and a name for every row.

    Args:
        path: the file or folder.
        specs: {input name: Spec or tf.TensorSpec} of the signature.
    Raises: UsageError that says what was expected and what was found, DataMissing.
    """
    require_input(path)
    specs = {name: Spec.of(spec) for name, spec in specs.items()}
    if path.is_dir():
        files = pictures.files_below(path)
        if not files:
            raise DataMissing(f"{path} holds no images ({', '.join(pictures.SUFFIXES)}).")
        return _read_images(files, [_flat(file.relative_to(path)) for file in files], specs)
    suffix = path.suffix.lower()
    if suffix in pictures.SUFFIXES:
        return _read_images([path], [path.stem], specs)
    if suffix not in (".npy", ".npz"):
        raise UsageError(
            f"{path}: cannot read {suffix or 'a file without a suffix'}; give .npy, .npz, an image "
            f"({', '.join(pictures.SUFFIXES)}) or a folder of images."
        )
    arrays = fit(str(path), _read_arrays(path), specs)
    single = [name for name, array in arrays.items() if array.ndim == 0]
    if single:
        raise UsageError(
            f"{path}: files are read as rows, but the signature takes {', '.join(single)} as one "
            "value, without a batch axis; `tfkit serve` it and ask with tfkit.serve.Client."
        )
    sizes = {name: len(array) for name, array in arrays.items()}
    if len(set(sizes.values())) > 1:
        raise UsageError(f"{path}: the inputs differ in their number of rows: {sizes}.")
    rows = next(iter(sizes.values()))
    if rows == 0:
        raise UsageError(f"{path}: there are no rows.")
    return arrays, [f"{index:04d}" for index in range(rows)]


def require_input(path: Path) -> None:
    """Raise DataMissing where there is nothing to read."""
    if not path.exists():
        raise DataMissing(
            f"{path} does not exist; expected an .npy, .npz or image file, or a folder of images."
        )


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
    rank = None if spec.shape is None else len(spec.shape)
    if spec.dtype == "string" and rank == 1:
        return {name: np.array([file.read_bytes() for file in files], object)}, names
    if rank != 4 or spec.shape[-1] not in _CHANNELS:
        raise UsageError(
            f"{files[0]}: the input {name} has shape {spec.words} and takes no images; give .npy."
        )
    return {name: np.stack([_read_image(file, spec) for file in files])}, names


def _read_image(file: Path, spec: Spec) -> np.ndarray:
    """An image as training reads it, [H, W, C] in the input's dtype."""
    height, width, channels = spec.shape[1:]
    try:
        pixels = pictures.pixels(file, (height, width) if height and width else None, channels)
    except Exception as error:  # Pillow raises many kinds for a broken file
        raise UsageError(f"{file} could not be read as an image: {error}") from error
    scaled = pixels / np.float32(255) if spec.is_floating else pixels
    return scaled.astype(spec.array_dtype)
