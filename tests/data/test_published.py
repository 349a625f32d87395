"""The readers of published data sets, on small files of their layouts."""

import gzip
import zipfile

import numpy as np
import pytest
import scipy.io
from PIL import Image

from tests.data import small_files
from tfkit.data import cars3d, dsprites, mpi3d, shapes3d, smallnorb
from tfkit.errors import DataMissing

FEW = {"validation_size": 8, "test_size": 8}
ONE = {"validation_size": 1, "test_size": 1}
GRID = list(small_files.MPI)


def refused(load, message):
    """It ends in exit code 3 with a message that says what is wrong and what is expected."""
    with pytest.raises(DataMissing, match=message) as error:
        load()
    assert error.value.exit_code == 3
    assert "expected" in str(error.value) and "from http" in str(error.value)


def agrees(source, factors, expected):
    """An observation, the pipeline's image of the same factors, and what the file holds."""
    seen = source.observe(factors, np.random.RandomState(0))
    np.testing.assert_allclose(seen, expected, atol=1e-6)
    batch = next(iter(source.train(8, seed=0)))
    again = source.observe(batch["factors"].numpy(), np.random.RandomState(0))
    assert again.dtype == np.float32 and source.deterministic
    np.testing.assert_array_equal(again, batch["images"])


def averaged(images, size):
    block = 64 // size
    whole = images.reshape(len(images), size, block, size, block, -1) / 255
    return whole.mean(axis=(2, 4))


@pytest.mark.parametrize("hdf5", [False, True])
@pytest.mark.parametrize("size", [16, 64])
def test_dsprites(tmp_path, hdf5, size):
    arrays = small_files.sprites(tmp_path / "d.npz", hdf5)
    source = dsprites.load(size, path=str(tmp_path / "d.npz"), **FEW)
    assert source.factor_sizes == small_files.SPRITES[1:] and source.factor_names == (
        "shape", "scale", "orientation", "x", "y",
    )  # fmt: skip
    numbers = [0, 1, 50, 191]
    expected = averaged(arrays["imgs"][numbers] * 255, size)
    agrees(source, arrays["latents_classes"][numbers, 1:], expected)
    assert "d.npz" in source.fingerprint()["source"]


def test_variants_and_values_of_the_official_sprites(tmp_path):
    arrays = small_files.sprites(tmp_path / "d.npz")
    options = {"path": str(tmp_path / "d.npz"), "values": [2, 1, 3, 2, 2], **ONE}
    source = dsprites.load(
        64,
        variant="color",
        **options,
    )
    number = np.ravel_multi_index((1, 0, 2, 2, 3), small_files.SPRITES[1:])
    seen = source.observe(np.array([[1, 0, 2, 1, 1]]), np.random.RandomState(3))
    expected = dsprites.color(arrays["imgs"][[number]], np.random.RandomState(3))
    np.testing.assert_allclose(seen, expected, atol=1e-6)
    batch = next(iter(source.train(8, seed=0)))
    plain = dsprites.load(64, **options).observe(batch["factors"].numpy(), None)
    np.testing.assert_array_equal(batch["images"].numpy() > 0, np.tile(plain > 0, 3))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"imgs": None}, "no array imgs"),
        ({"imgs": np.zeros((192, 64, 64))}, "imgs is float64 .*, not unsigned integers"),
        ({"imgs": np.full((192, 64, 64), 255, np.uint8)}, "imgs must be 0 and 1, got 255"),
        ({"latents_classes": small_files.grid(small_files.SPRITES)[:-1]}, "not integers of 192 x"),
        ({"latents_classes": small_files.grid(small_files.SPRITES)[::-1]}, "in order"),
        ({"latents_values": None}, "no array latents_values"),
        ({"latents_values": np.ones((192, 6))}, "not all combinations of 1 x 1"),
    ],
)
def test_dsprites_of_another_layout(tmp_path, changed, message):
    small_files.sprites(tmp_path / "d.npz", **changed)
    refused(lambda: dsprites.load(path=str(tmp_path / "d.npz"), **FEW), message)


@pytest.mark.parametrize("hdf5", [False, True])
@pytest.mark.parametrize("size", [32, 64])
def test_shapes3d(tmp_path, hdf5, size):
    arrays = small_files.shapes3d(tmp_path / "s", hdf5) if hdf5 else None
    arrays = arrays or small_files.shapes3d(tmp_path / "s.npz", False)
    source = shapes3d.load(str(tmp_path / ("s" if hdf5 else "s.npz")), size, **FEW)
    assert source.factor_sizes == small_files.SHAPES
    factors = np.array([[0, 0, 0, 0, 0, 1], [2, 1, 0, 1, 0, 2]])
    numbers = [1, 2 * 48 + 24 + 6 + 2]
    agrees(source, factors, averaged(arrays["images"][numbers], size))


def test_values_of_a_file(tmp_path):
    arrays = small_files.shapes3d(tmp_path / "s")
    source = shapes3d.load(str(tmp_path / "s"), 64, [2, 1, 2, 2, 2, 3], **FEW)
    number = 2 * 48 + 0 + 12 + 0 + 3 + 1  # hue 2 is the second that is kept
    expected = averaged(arrays["images"][[number]], 64)
    agrees(source, np.array([[1, 0, 1, 0, 1, 1]]), expected)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"labels": None}, "no array labels"),
        ({"labels": np.zeros((144, 6), int)}, "labels is int64"),
        ({"images": small_files.colours(143)}, "labels is float64 .*not floats of 143 x 6"),
        ({"images": np.zeros((144, 64, 64), np.uint8)}, "not unsigned integers of N x 64 x 64 x 3"),
        ({"labels": np.zeros((144, 6))}, "not all combinations"),
    ],
)
def test_shapes3d_of_another_layout(tmp_path, changed, message):
    small_files.shapes3d(tmp_path / "s.h5", **changed)
    refused(lambda: shapes3d.load(str(tmp_path / "s.h5"), **FEW), message)


def test_mpi3d(tmp_path):
    arrays = small_files.mpi3d(tmp_path / "m.npz")
    source = mpi3d.load(str(tmp_path / "m.npz"), 16, GRID, **FEW)
    assert source.factor_names[0] == "color" and source.factor_names[-1] == "axis_2"
    factors = np.array([[1, 0, 1, 0, 1, 0, 2]])
    agrees(source, factors, averaged(arrays["images"][[72 + 0 + 18 + 9 + 0 + 2]], 16))


def test_mpi3d_is_known_by_its_number_of_images():
    assert {np.prod(sizes): n for n, sizes in mpi3d._SIZES.items()} == {
        1036800: 1036800,
        460800: 460800,
    }


def test_mpi3d_of_another_layout(tmp_path):
    path = str(tmp_path / "m.npz")
    small_files.mpi3d(path)
    refused(lambda: mpi3d.load(path, **FEW), "images are 144, not 1036800 or 460800")
    refused(lambda: mpi3d.load(path, grid=[9] * 7, **FEW), "images are 144, not 4782969 as grid")
    with pytest.raises(ValueError, match=r"grid must be the numbers .*got \[2, 3\]"):
        mpi3d.load(path, grid=[2, 3], **FEW)
    small_files.mpi3d(path, images=None, pictures=np.zeros(3))
    refused(lambda: mpi3d.load(path, **FEW), "no array images; there are pictures")


@pytest.fixture(scope="module")
def cars(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cars")
    small_files.cars(folder)
    return folder


@pytest.mark.parametrize("size", [16, 64])
def test_cars3d(cars, size):
    source = cars3d.load(str(cars), size, objects=3, **FEW)
    assert source.factor_sizes == (4, 24, 3) and source.factor_names[2] == "object"
    factors = np.array([[3, 0, 0], [0, 23, 0], [1, 2, 2]])
    told = np.array([[0, 180, 0], [230, 0, 0], [20, 60, 160]]) / 255  # azimuth, elevation, car
    agrees(source, factors, np.broadcast_to(told[:, None, None], (3, size, size, 3)))


def test_values_of_cars3d(cars):
    source = cars3d.load(str(cars), 16, objects=3, values=[2, 4, 2], **ONE)
    seen = source.observe(np.array([[1, 3, 1]]), None)
    np.testing.assert_allclose(seen[0, 0, 0], np.array([180, 180, 160]) / 255, atol=1e-6)


def test_cars_are_resized_by_lanczos(tmp_path):
    mesh = np.random.default_rng(0).integers(0, 256, (128, 128, 3, 24, 4)).astype(np.uint8)
    scipy.io.savemat(tmp_path / "a.mat", {"im": mesh})
    source = cars3d.load(str(tmp_path), objects=1, **FEW)
    picture = Image.fromarray(mesh[:, :, :, 5, 2]).resize((64, 64), Image.Resampling.LANCZOS)
    seen = source.observe(np.array([[2, 5, 0]]), None)[0]
    np.testing.assert_allclose(seen, np.asarray(picture) / 255, atol=1e-6)


def test_cars3d_of_another_layout(tmp_path, cars):
    refused(lambda: cars3d.load(str(cars), **FEW), "3 MAT files in .*, not 183")
    file = tmp_path / "a.mat"
    load = lambda: cars3d.load(str(tmp_path), objects=1, **FEW)  # noqa: E731
    whole = (cars / "car_000_mesh.mat").read_bytes()
    for content in (b"no MAT file", whole[:300], whole[: len(whole) // 2], b""):
        file.write_bytes(content)
        refused(load, "a.mat: ")
    scipy.io.savemat(file, {"image": np.zeros(3)})
    refused(load, "no array im")
    scipy.io.savemat(file, {"im": np.zeros((128, 128, 3, 4, 24), np.uint8)})
    refused(load, r"im is uint8 of shape \(128, 128, 3, 4, 24\)")


@pytest.mark.parametrize("packed", [False, True])
def test_smallnorb(tmp_path, packed):
    labels, pictures = small_files.norb(tmp_path, packed)
    source = smallnorb.load(str(tmp_path), **FEW)
    assert source.factor_sizes == small_files.TOYS and source.images_each == 6
    assert not source.deterministic
    category, instance, elevation, azimuth, lighting = labels.T
    factors = np.stack([category, elevation, azimuth // 2, lighting], axis=1)

    def resized(row):
        picture = Image.fromarray(pictures[row]).resize((64, 64), Image.Resampling.LANCZOS)
        return np.asarray(picture, np.float32)[..., None] / np.float32(255)

    known = {resized(row).tobytes(): row for row in range(len(labels))}
    assert len(known) == len(labels) == 144
    wanted = np.array([1, 0, 2, 1])
    seen = source.observe(np.tile(wanted, (200, 1)), np.random.RandomState(0))
    rows = [known[image.tobytes()] for image in seen]
    assert np.all(factors[rows] == wanted) and set(instance[rows]) == {0, 1, 2, 4, 6, 7}
    batch = next(iter(source.train(300, seed=0)))
    rows = [known[image.tobytes()] for image in batch["images"].numpy()]
    np.testing.assert_array_equal(factors[rows], batch["factors"])
    assert len(set(rows)) > 100


def test_smallnorb_of_another_layout(tmp_path):
    small_files.norb(tmp_path)
    load = lambda: smallnorb.load(str(tmp_path), **FEW)  # noqa: E731
    name = tmp_path / "smallnorb-5x01235x9x18x6x2x96x96-testing-dat.mat"
    whole = name.read_bytes()
    name.write_bytes(b"\x00\x00\x0d\x08" + whole[4:])
    refused(load, r"testing-dat.mat: begins with 0x080D0000, which is no magic number")
    name.write_bytes(whole[:-5])
    refused(load, f"testing-dat.mat: {len(whole) - 5} bytes, not the {len(whole)} that")
    name.write_bytes(whole[:6])
    refused(load, "testing-dat.mat: ")
    name.write_bytes(b"\x54" + whole[1:])
    refused(load, "<i4 of shape .*, not u1 of N x 2 x 96 x 96")
    name.unlink()
    refused(load, "testing-dat.mat: .*No such file")
    name.with_name(name.name + ".gz").write_bytes(gzip.compress(whole)[:-9])
    refused(load, "testing-dat.mat: ")
    name.write_bytes(small_files.matrix(np.zeros((5, 2, 96, 96), np.uint8)))
    refused(load, "77 images but 144 labels")


def test_smallnorb_with_images_left_out(tmp_path):
    small_files.norb(tmp_path)
    for kind, array in (("cat", np.zeros(9, int)), ("info", np.zeros((9, 4), int))):
        name = f"smallnorb-5x01235x9x18x6x2x96x96-testing-{kind}.mat"
        (tmp_path / name).write_bytes(small_files.matrix(array))
    refused(lambda: smallnorb.load(str(tmp_path), **FEW), "81 images in .*not all combinations")


@pytest.mark.parametrize("read", [dsprites.load, shapes3d.load, mpi3d.load])
def test_files_that_are_no_archives(tmp_path, read):
    path = tmp_path / "x.npz"
    path.write_bytes(b"something else")
    refused(lambda: read(path=str(path), **FEW), "x.npz: File is not a zip file")
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("images.npy", b"no array")
        file.writestr("imgs.npy", b"no array")
    refused(lambda: read(path=str(path), **FEW), "x.npz: .*magic string")
    refused(lambda: read(path=str(tmp_path / "none"), **FEW), "no file .*none.*TFKIT_DATA")


@pytest.mark.parametrize("read", [cars3d.load, smallnorb.load])
def test_folders_that_are_not_there(tmp_path, read):
    refused(lambda: read(str(tmp_path / "none"), **FEW), "no folder .*none.*TFKIT_DATA")


def test_options_are_refused_before_images_are_read(tmp_path, monkeypatch):
    small_files.shapes3d(tmp_path / "s.h5")
    monkeypatch.setattr(shapes3d, "images_of", lambda *_: pytest.fail("read"))
    with pytest.raises(ValueError, match="hold out more than half of the 144 images"):
        shapes3d.load(str(tmp_path / "s.h5"))
