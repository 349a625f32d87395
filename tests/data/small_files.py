"""Small files of the layouts of the published data sets, for tests."""

import gzip
import struct
from itertools import product

import h5py
import numpy as np
import scipy.io

SPRITES = (1, 2, 2, 4, 3, 4)  # color, shape, scale, orientation, x, y
SHAPES = (3, 2, 2, 2, 2, 3)
MPI = (2, 2, 2, 1, 2, 3, 3)
TOYS = (2, 2, 3, 2)  # category, elevation, azimuth, lighting; three instances in each part
INSTANCES = ((4, 6, 7), (0, 1, 2))


def grid(sizes):
    """All combinations in order.  -> [N, K]"""
    return np.array(list(product(*map(range, sizes))))


def colours(count, seed=0):
    """Random pictures.  -> [N, 64, 64, 3]"""
    return np.random.default_rng(seed).integers(0, 256, (count, 64, 64, 3), np.uint8)


def sprites(path, hdf5=False, **changed):
    """A file of dSprites."""
    classes = grid(SPRITES)
    generator = np.random.default_rng(0)
    arrays = {
        "imgs": generator.integers(0, 2, (len(classes), 64, 64), np.uint8),
        "latents_classes": classes,
        "latents_values": 1.0 + classes * 0.5,
        "metadata": np.array({"never": "unpickled"}, dtype=object),
    }
    return write(path, arrays | changed, hdf5)


def shapes3d(path, hdf5=True, **changed):
    """A file of Shapes3D."""
    labels = grid(SHAPES) * 0.1
    return write(path, {"images": colours(len(labels)), "labels": labels} | changed, hdf5)


def mpi3d(path, **changed):
    """A file of MPI3D."""
    return write(path, {"images": colours(len(grid(MPI)))} | changed, False)


def write(path, arrays, hdf5):
    """npz or HDF5; arrays that are None are left out."""
    arrays = {key: value for key, value in arrays.items() if value is not None}
    if not hdf5:
        np.savez_compressed(path, **arrays)
        return arrays
    with h5py.File(path, "w") as file:
        for key, value in arrays.items():
            if value.dtype != object:
                file[key.replace("latents_", "latents/")] = value
    return arrays


def cars(folder, count=3):
    """MAT files of cars; the pixels of a view tell which it is."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        mesh = np.zeros((128, 128, 3, 24, 4), np.uint8)
        mesh[:, :, 0] = np.arange(24)[:, None] * 10
        mesh[:, :, 1] = np.arange(4) * 60
        mesh[:, :, 2] = number * 80
        name = folder / f"car_{number:03}_mesh.mat"
        scipy.io.savemat(name, {"im": mesh}, do_compression=True)


def norb(folder, packed=False):
    """The six files of SmallNORB; returns labels [N, 5] (category, instance, …) and images."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(0)
    labels, images = [], []
    names = ("5x46789x9x18x6x2x96x96-training", "5x01235x9x18x6x2x96x96-testing")
    for name, instances in zip(names, INSTANCES, strict=True):
        rows = grid((TOYS[0], len(instances), *TOYS[1:]))
        rows[:, 1] = np.array(instances)[rows[:, 1]]
        rows[:, 3] *= 2
        generator.shuffle(rows)
        pixels = generator.integers(0, 256, (len(rows), 2, 96, 96)).astype(np.uint8)
        for kind, array in (("dat", pixels), ("cat", rows[:, 0]), ("info", rows[:, 1:])):
            content = matrix(array)
            file = folder / f"smallnorb-{name}-{kind}.mat"
            if packed:
                file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(content, 1))
            else:
                file.write_bytes(content)
        labels.append(rows), images.append(pixels[:, 0])
    return np.concatenate(labels), np.concatenate(images)


def matrix(array):
    """The binary format of NORB."""
    magic, kind = (0x1E3D4C55, "u1") if array.dtype == np.uint8 else (0x1E3D4C54, "<i4")
    lengths = (*array.shape, 1, 1)[: max(3, array.ndim)]
    header = struct.pack(f"<Ii{len(lengths)}i", magic, array.ndim, *lengths)
    return header + array.astype(kind).tobytes()
