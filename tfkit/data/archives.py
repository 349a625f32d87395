"""Arrays in npz and HDF5 files, read some rows at a time and never unpickled."""

import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from tfkit.errors import DataMissing

_ROWS = 2_048  # read at once: 25 MB of 64 x 64 images in colour
_BROKEN = (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error)


@contextmanager
def reading(called: str, path: Path, layout: str):
    """What is wrong with a file, said once: DataMissing with the file and the expected layout."""
    try:
        yield
    except _BROKEN as error:
        said = error.args[0] if isinstance(error, KeyError) and error.args else error
        raise DataMissing(f"{called}: {path}: {said}; expected {layout}.") from error


class Archive:
    """The arrays of an npz or HDF5 file by their keys; which of the two, its first bytes tell.

    Raises, inside `reading`: DataMissing where the file is neither, is cut off, or lacks a key.
    """

    def __init__(self, path: Path):
        with path.open("rb") as file:
            start = file.read(8)
        self.is_hdf5 = start == b"\x89HDF\r\n\x1a\n"
        if self.is_hdf5:
            import h5py

            self.file = h5py.File(path, "r")
        else:
            self.file = zipfile.ZipFile(path)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.file.close()

    def array(self, key: str, kinds: str, *shape: int | None) -> "Rows":
        """The array of a key, of a kind of numbers ("u", "iu", "f") and a shape with None for any
        length; ValueError or KeyError for another one.
        """
        names = self._names()
        if key not in names:
            raise KeyError(f"it has no array {key}; there are {', '.join(names) or 'none'}")
        rows = _Hdf5Rows(self.file[key]) if self.is_hdf5 else _NpzRows(self.file, f"{key}.npy")
        fits = len(rows.shape) == len(shape)
        fits = fits and all(b in (None, a) for a, b in zip(rows.shape, shape, strict=True))
        if not fits or rows.dtype.kind not in kinds:
            wanted = " x ".join("N" if length is None else str(length) for length in shape)
            raise ValueError(
                f"{key} is {rows.dtype} of shape {rows.shape}, not {_KINDS[kinds]} of {wanted}"
            )
        return rows

    def _names(self) -> list[str]:
        if not self.is_hdf5:
            return [name.removesuffix(".npy") for name in self.file.namelist()]
        import h5py

        names: list[str] = []
        self.file.visititems(
            lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None
        )
        return names


_KINDS = {"u": "unsigned integers", "iu": "integers", "f": "floats"}


class Rows:
    """One stored array: its shape and type, and its rows in order."""

    shape: tuple[int, ...]
    dtype: np.dtype

    def blocks(self) -> Iterator[tuple[int, np.ndarray]]:
        """(number of the first row, rows), until the end."""
        raise NotImplementedError

    def whole(self) -> np.ndarray:
        """All rows."""
        return np.concatenate([block for _, block in self.blocks()])

    def kept(self, rows: np.ndarray, change: Callable, shape: tuple, dtype) -> np.ndarray:
        """`change` of some rows, in ascending order, each made of `shape` and `dtype`."""
        result = empty((len(rows), *shape), dtype)
        for start, block in self.blocks():
            low, high = np.searchsorted(rows, (start, start + len(block)))
            if high > low:
                result[low:high] = change(block[rows[low:high] - start])
        return result


class _Hdf5Rows(Rows):
    def __init__(self, dataset):
        self.dataset = dataset
        self.shape, self.dtype = dataset.shape, dataset.dtype

    def blocks(self):
        for start in range(0, self.shape[0], _ROWS):
            yield start, self.dataset[start : start + _ROWS]


class _NpzRows(Rows):
    def __init__(self, archive, name):
        self.archive, self.name = archive, name
        with archive.open(name) as file:
            self.shape, self.dtype = self._header(file)

    def _header(self, file):
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0
        if version != (1, 0):
            read = np.lib.format.read_array_header_2_0
        shape, by_columns, dtype = read(file)
        if by_columns or dtype.hasobject:  # an object would have to be unpickled
            raise ValueError(f"{self.name} is not a plain array stored row by row")
        return shape, dtype

    def blocks(self):
        row = int(np.prod(self.shape[1:], dtype=np.int64)) * self.dtype.itemsize
        with self.archive.open(self.name) as file:
            self._header(file)
            for start in range(0, self.shape[0], _ROWS):
                count = min(_ROWS, self.shape[0] - start)
                content = file.read(count * row)
                if len(content) < count * row:
                    raise EOFError(f"{self.name} ends in row {start + len(content) // row}")
                yield start, np.frombuffer(content, self.dtype).reshape(count, *self.shape[1:])


def empty(shape: tuple[int, ...], dtype) -> np.ndarray:
    """An array at an address that TensorFlow can share, see `shared`."""
    size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    room = np.empty(size + 64, np.uint8)
    start = -room.ctypes.data % 64
    return room[start : start + size].view(dtype).reshape(shape)


def shared(array: np.ndarray):
    """A tensor in the memory of an array of `empty`: images may be too many to be held twice."""
    import tensorflow as tf

    return tf.experimental.dlpack.from_dlpack(array.__dlpack__())


def one_of_each(values: np.ndarray) -> tuple[int, ...]:
    """The numbers of different values in the columns of a table that lists a whole grid in order,
    the last column the fastest; ValueError where it does not.  [N, K] -> K
    """
    classes = [np.unique(column, return_inverse=True)[1] for column in values.T]
    sizes = tuple(int(column.max()) + 1 for column in classes)
    whole = int(np.prod(sizes)) == len(values)
    if not whole or np.any(np.ravel_multi_index(classes, sizes) != np.arange(len(values))):
        raise ValueError(
            f"its {len(values)} rows of factors are not all combinations of "
            f"{' x '.join(map(str, sizes))} values in order"
        )
    return sizes
