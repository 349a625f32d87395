import numpy as np
import pytest

from tests.data import small_files
from tfkit.data.archives import Archive, empty, one_of_each, reading, shared
from tfkit.errors import DataMissing

ARRAYS = {"a": np.arange(5000 * 3).reshape(5000, 3), "b": np.arange(4.0)}


@pytest.mark.parametrize("hdf5", [False, True])
def test_rows_are_read_block_by_block(tmp_path, hdf5):
    small_files.write(tmp_path / "x.npz", ARRAYS, hdf5)
    rows = np.array([0, 2047, 2048, 4999])
    with Archive(tmp_path / "x.npz") as archive:
        stored = archive.array("a", "iu", None, 3)
        assert archive.is_hdf5 == hdf5
        assert [len(block) for _, block in stored.blocks()] == [2048, 2048, 904]
        np.testing.assert_array_equal(stored.whole(), ARRAYS["a"])
        kept = stored.kept(rows, lambda block: block[:, :2] + 1, (2,), np.int32)
        np.testing.assert_array_equal(kept, ARRAYS["a"][rows, :2] + 1)
        assert kept.dtype == np.int32
        np.testing.assert_array_equal(archive.array("b", "f", 4).whole(), ARRAYS["b"])


@pytest.mark.parametrize(
    ("key", "kinds", "shape", "message"),
    [
        ("c", "f", (4,), "no array c; there are a, b"),
        ("a", "f", (None, 3), r"a is int64 of shape \(5000, 3\), not floats of N x 3"),
        ("a", "iu", (None, 4), "not integers of N x 4"),
        ("a", "iu", (None,), "not integers of N"),
    ],
)
@pytest.mark.parametrize("hdf5", [False, True])
def test_other_arrays_are_refused(tmp_path, key, kinds, shape, message, hdf5):
    path = tmp_path / "x"
    with path.open("wb") as file:
        np.savez(file, **ARRAYS)
    if hdf5:
        small_files.write(path, ARRAYS, True)
    with pytest.raises(DataMissing, match=f"called: .*x: .*{message}; expected LAYOUT") as error:
        with reading("called", path, "LAYOUT"), Archive(path) as archive:
            archive.array(key, kinds, *shape)
    assert error.value.exit_code == 3


@pytest.mark.parametrize("hdf5", [False, True])
@pytest.mark.parametrize("left", [3, 900, 30_000])
def test_files_that_are_cut_off(tmp_path, hdf5, left):
    path = tmp_path / "x.npz"
    small_files.write(path, {"a": np.random.default_rng(0).random(8000)}, hdf5)
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(DataMissing, match="x.npz: .*; expected LAYOUT"):
        with reading("called", path, "LAYOUT"), Archive(path) as archive:
            archive.array("a", "f", None).whole()


def test_a_damaged_member(tmp_path):
    path = tmp_path / "x.npz"
    small_files.write(path, {"a": np.random.default_rng(0).random(8000)}, False)
    content = bytearray(path.read_bytes())
    content[20_000:20_100] = bytes(100)
    path.write_bytes(content)
    with pytest.raises(DataMissing, match="expected LAYOUT"):
        with reading("called", path, "LAYOUT"), Archive(path) as archive:
            archive.array("a", "f", None).whole()


def test_objects_are_not_unpickled(tmp_path):
    path = tmp_path / "x.npz"
    small_files.write(path, {"a": np.array([{"x": 1}], dtype=object)}, False)
    with pytest.raises(DataMissing, match="not a plain array"):
        with reading("called", path, "LAYOUT"), Archive(path) as archive:
            archive.array("a", "f", None)


def test_tensors_share_the_memory_of_arrays():
    array = empty((100, 3, 3, 1), np.uint16)
    array[:] = 5
    tensor = shared(array)
    array[7] = 9
    assert tensor.shape == (100, 3, 3, 1) and tensor[7, 0, 0, 0] == 9 and tensor[8, 0, 0, 0] == 5


def test_a_table_must_list_a_grid_in_order():
    table = small_files.grid((2, 3, 1))
    assert one_of_each(table * 0.5 - 1) == (2, 3, 1)
    for wrong in (table[:-1], table[::-1], table[:, ::-1], np.concatenate([table[:5], table[:1]])):
        with pytest.raises(ValueError, match="not all combinations of"):
            one_of_each(wrong)
