import numpy as np
import pytest
from PIL import Image

from tfkit.data import images
from tfkit.errors import DataMissing


@pytest.fixture
def folder(tmp_path):
    generator = np.random.default_rng(0)
    for number in range(20):
        name = (
            tmp_path / f"set{number % 2}" / f"{number}.{('png', 'JPG', 'bmp', 'webp')[number % 4]}"
        )
        name.parent.mkdir(exist_ok=True)
        pixels = generator.integers(0, 256, (20, 30, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(name)
    (tmp_path / "notes.txt").write_text("not an image")
    return tmp_path


def parts(source):
    return {name: arrays["images"] for name, arrays in source.splits.items()}


def test_reads_all_formats_into_disjoint_parts(folder):
    source = images.load(str(folder), image_size=16)
    assert {name: array.shape for name, array in parts(source).items()} == {
        "train": (16, 16, 16, 3),
        "valid": (2, 16, 16, 3),
        "test": (2, 16, 16, 3),
    }
    assert source.shapes == {"image_shape": (16, 16, 3)}
    batch = next(iter(source.train(4, seed=0)))["images"].numpy()
    assert batch.dtype == np.float32 and 0 <= batch.min() < batch.max() <= 1
    assert source.steps_per_epoch(4) == 4
    everything = np.concatenate(list(parts(source).values())).reshape(20, -1)
    assert len(np.unique(everything, axis=0)) == 20


def test_a_square_image_of_the_right_size_is_kept_bit_for_bit(tmp_path):
    pixels = np.random.default_rng(1).integers(0, 256, (5, 12, 12)).astype(np.uint8)
    for number, image in enumerate(pixels):
        Image.fromarray(image).save(tmp_path / f"{number}.png")
    source = images.load(str(tmp_path), image_size=12, channels=1, validation=0.2, test=0.2)
    loaded = np.concatenate(list(parts(source).values()))[..., 0]
    assert sorted(image.tobytes() for image in loaded) == sorted(i.tobytes() for i in pixels)
    held = np.concatenate([batch["images"] for batch in source.held_out("test", 8)])
    np.testing.assert_array_equal(held, parts(source)["test"] / np.float32(255))


def test_the_split_depends_on_names_alone():
    names = [f"{number}.png" for number in range(50)]
    by_name = {
        part: {names[row] for row in rows} for part, rows in images.split(names, 0.2, 0.1).items()
    }
    backwards = names[::-1]
    for part, rows in images.split(backwards, 0.2, 0.1).items():
        assert {backwards[row] for row in rows} == by_name[part]
    assert [len(by_name[part]) for part in ("train", "valid", "test")] == [35, 10, 5]


def test_transparency_becomes_black(tmp_path):
    pixels = np.full((8, 8, 4), 255, np.uint8)
    pixels[:4, :, 3] = 0
    for number in range(3):
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    source = images.load(str(tmp_path), image_size=8)
    np.testing.assert_array_equal(parts(source)["test"][0, :, 0, 0], [0] * 4 + [255] * 4)


def test_a_picture_is_cropped_to_the_proportions_asked_for(tmp_path):
    stripes = np.zeros((20, 60, 3), np.uint8)
    stripes[:, 20:40] = 255  # the square in the middle
    Image.fromarray(stripes).save(tmp_path / "a.png")
    assert images.pixels(tmp_path / "a.png", (10, 10), 3).min() > 230  # LANCZOS rings at the edge
    np.testing.assert_array_equal(
        images.pixels(tmp_path / "a.png", (20, 40), 1)[..., 0], stripes[:, 10:50, 0]
    )
    np.testing.assert_array_equal(images.pixels(tmp_path / "a.png", None, 3), stripes)
    clear = np.full((8, 8, 4), 100, np.uint8)
    Image.fromarray(clear).save(tmp_path / "b.png")
    np.testing.assert_array_equal(images.pixels(tmp_path / "b.png", (8, 8), 4), clear)


def test_only_files_are_images(tmp_path):
    (tmp_path / "b" / "folder.png").mkdir(parents=True)
    for name in ("c.PNG", "b/folder.png/1.webp", "a.gif"):
        (tmp_path / name).write_bytes(b"")
    names = [str(file.relative_to(tmp_path)) for file in images.files_below(tmp_path)]
    assert names == ["b/folder.png/1.webp", "c.PNG"]


def test_a_relative_path_is_looked_for_under_the_data_folder_first(folder, monkeypatch, tmp_path):
    monkeypatch.chdir(folder)
    assert images.find("set0") == folder / "set0"
    (tmp_path / "data" / "set0").mkdir(parents=True)
    monkeypatch.setenv("TFKIT_DATA", str(tmp_path / "data"))
    assert images.find("set0") == tmp_path / "data" / "set0"
    assert images.find("set1") == folder / "set1"


def test_what_is_missing_is_named_with_the_layout(tmp_path):
    with pytest.raises(DataMissing, match=r"no folder .*nowhere.*\.png, .*TFKIT_DATA") as error:
        images.load(str(tmp_path / "nowhere"))
    assert error.value.exit_code == 3
    with pytest.raises(DataMissing, match=r"no image in .*expected a folder with \.png"):
        images.load(str(tmp_path))


def test_all_unreadable_files_are_named(folder):
    (folder / "broken.png").write_bytes(b"not a picture")
    Image.fromarray(np.zeros((9, 9), np.uint16)).save(folder / "deep.png")
    with pytest.raises(DataMissing) as error:
        images.load(str(folder))
    text = str(error.value)
    assert "2 of 22 files" in text and "broken.png: " in text
    assert "deep.png: pixels of more than 8 bits" in text


def test_too_few_images(tmp_path):
    for number in range(2):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{number}.png")
    with pytest.raises(ValueError, match="2 images leave none to train on beside 1 for validation"):
        images.load(str(tmp_path))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"channels": 2}, "channels must be 1 or 3, got 2"),
        ({"image_size": 4}, "image_size must be >= 8, got 4"),
        ({"test": 1.0}, r"test must be in \(0, 1\), got 1.0"),
    ],
)
def test_bad_options(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        images.load(str(tmp_path), **options)


def test_the_fingerprint_changes_with_one_pixel(folder):
    one = images.load(str(folder), image_size=16).fingerprint()
    assert one == images.load(str(folder), image_size=16).fingerprint()
    Image.new("RGB", (20, 20), "red").save(folder / "set0" / "0.png")
    assert one["sha256"] != images.load(str(folder), image_size=16).fingerprint()["sha256"]
