"""MNIST from the user's files: Keras' mnist.npz, or the four files of its authors."""

import gzip
import struct
from pathlib import Path

import numpy as np

from tfkit.data.archives import Archive, reading
from tfkit.data.finding import find
from tfkit.errors import DataMissing

SIDE = 28
LAYOUT = (
    "mnist.npz with x_train, y_train, x_test, y_test, from "
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz, or a folder with "
    "train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and "
    "t10k-labels-idx1-ubyte, each as it is or packed (.gz)"
)
_IMAGES, _LABELS = 0x803, 0x801  # magic numbers: bytes of three and of one dimension


def read_mnist(called: str, path: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Images [N, 28, 28] uint8 and digits [N] of "train" and "test".

    Raises:
        DataMissing: neither file nor folder, or files of another layout.
    """
    try:
        place = find(called, path, LAYOUT)
    except DataMissing:
        folder = find(called, path, LAYOUT, "folder")
        if (folder / "mnist.npz").is_file():
            return _npz(called, folder / "mnist.npz")
        return {part: _idx(called, folder, stem) for part, stem in _STEMS.items()}
    return _npz(called, place)


_STEMS = {"train": "train", "test": "t10k"}


def _npz(called, path):
    with reading(called, path, LAYOUT), Archive(path) as archive:
        return {
            part: _pair(
                archive.array(f"x_{part}", "u", None, SIDE, SIDE).whole(),
                archive.array(f"y_{part}", "iu", None).whole(),
            )
            for part in _STEMS
        }


def _idx(called, folder, stem):
    images = _bytes(called, folder / f"{stem}-images-idx3-ubyte", _IMAGES, 3)
    digits = _bytes(called, folder / f"{stem}-labels-idx1-ubyte", _LABELS, 1)
    with reading(called, folder, LAYOUT):
        return _pair(images, digits)


def _pair(images, digits):
    """Both, if they belong together."""
    if images.shape[1:] != (SIDE, SIDE) or len(images) != len(digits):
        raise ValueError(f"images {images.shape} and labels {digits.shape} do not go together")
    if len(digits) and digits.max() > 9:
        raise ValueError(f"a label is {digits.max()}, no digit")
    return images, digits.astype(np.int64)


def _bytes(called, file: Path, magic: int, rank: int):
    """An array of bytes in the format idx."""
    packed = file.with_name(file.name + ".gz")
    file = packed if packed.is_file() else file
    with reading(called, file, LAYOUT):
        content = gzip.decompress(file.read_bytes()) if file is packed else file.read_bytes()
        if len(content) < 4 * (rank + 1):
            raise ValueError(f"{len(content)} bytes, too few for a header")
        found, *shape = struct.unpack(f">{rank + 1}I", content[: 4 * (rank + 1)])
        if found != magic:
            raise ValueError(f"begins with 0x{found:08X}, which is not 0x{magic:08X}")
        size = int(np.prod(shape, dtype=np.int64))
        if len(content) != size + 4 * (rank + 1):
            raise ValueError(f"{len(content)} bytes, not the {size + 4 * (rank + 1)} that it names")
        return np.frombuffer(content, np.uint8, offset=4 * (rank + 1)).reshape(shape)
