"""A folder of the user's own images."""

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import numpy as np

from tfkit.data import finding
from tfkit.data.pictures import SUFFIXES, files_below, pixels
from tfkit.data.source import ArraySource, Source
from tfkit.errors import DataMissing

LAYOUT = f"a folder with {', '.join(SUFFIXES)} files, in subfolders too"


def load(
    path: str,
    image_size: int = 64,
    channels: Literal[1, 3] = 3,
    validation: float = 0.1,
    test: float = 0.1,
) -> Source:
    """Images of a folder: cropped to the square in their middle, resized, in [0, 1].

    All files below the folder, in the order of their paths. Which part a file belongs to depends
    on the file names alone: the SHA-256 of a name orders the files, the first `test` of them are
    for testing, the next `validation` for choosing, at least one each. Pixels are held in memory
    as bytes. Transparency becomes black.

    Gives: images
    Args:
        path: the folder; a relative one is looked for under $TFKIT_DATA, then here.
        image_size: side in pixels after resizing, >= 8.
        channels: 1 for grey, 3 for colour.
        validation: share of the images held out for choosing, in (0, 1).
        test: share of the images held out for reporting, in (0, 1).
    Raises:
        DataMissing: no such folder, no image in it, or files that cannot be read (all are named).
        ValueError: shares that leave nothing to train on, or options out of range.
    """
    checked(image_size, channels, validation, test)
    folder = find(path)
    files = files_below(folder)
    if not files:
        raise DataMissing(f"images: no image in {folder}; expected {LAYOUT}.")
    names = [file.relative_to(folder).as_posix() for file in files]
    images = read(folder, names, image_size, channels)
    splits = {
        part: {"images": images[rows]} for part, rows in split(names, validation, test).items()
    }
    shape = (image_size, image_size, channels)
    return ArraySource(splits, {"image_shape": shape}, source=str(folder.resolve()))


def find(path: str | os.PathLike) -> Path:
    """The folder meant by `path`: as it is, under $TFKIT_DATA, or in the current folder."""
    return finding.find("images", path, LAYOUT, "folder")


def split(names: Sequence[str], validation: float, test: float) -> dict[str, list[int]]:
    """Rows of train, valid and test, in the order of `names`, by the hashes of the names."""
    order = ordered(names)
    testing, choosing = (max(1, round(share * len(names))) for share in (test, validation))
    if testing + choosing >= len(names):
        raise ValueError(
            f"images: {len(names)} images leave none to train on beside {choosing} for validation "
            f"and {testing} for testing; add images or lower the shares."
        )
    parts = {
        "test": order[:testing],
        "valid": order[testing : testing + choosing],
        "train": order[testing + choosing :],
    }
    return {part: sorted(rows) for part, rows in parts.items()}


def ordered(names: Sequence[str]) -> list[int]:
    """Rows in the order of the SHA-256 of their names: at random, and the same on every machine."""
    return sorted(range(len(names)), key=lambda row: hashlib.sha256(names[row].encode()).digest())


def read(
    folder: Path, names: Sequence[str], size: int, channels: int, called: str = "images"
) -> np.ndarray:
    """Some files of a folder as bytes; one error that names every file that cannot be read.

    Shapes: -> [N, S, S, C] uint8
    """
    images = np.empty((len(names), size, size, channels), np.uint8)

    def read_one(row):
        try:
            images[row] = pixels(folder / names[row], (size, size), channels)
        except Exception as error:  # Pillow raises many kinds for a broken file
            return f"  {names[row]}: {error}"
        return None

    with ThreadPoolExecutor() as pool:  # Pillow decodes outside Python's lock
        failures = [failure for failure in pool.map(read_one, range(len(names))) if failure]
    if failures:
        raise DataMissing(
            f"{called}: {len(failures)} of {len(names)} files cannot be read; repair or remove "
            "them:\n" + "\n".join(failures)
        )
    return images


def checked(image_size: int, channels: int, validation: float, test: float) -> None:
    """ValueError for options out of range."""
    if image_size < 8:
        raise ValueError(f"images: image_size must be >= 8, got {image_size}.")
    if channels not in (1, 3):
        raise ValueError(f"images: channels must be 1 or 3, got {channels}.")
    for name, share in (("validation", validation), ("test", test)):
        if not 0 < share < 1:
            raise ValueError(f"images: {name} must be in (0, 1), got {share}.")
