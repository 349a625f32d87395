"""Files in, files out, and what is said when they do not fit."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tfkit.data import images
from tfkit.errors import DataMissing, UsageError
from tfkit.export.fitting import Spec
from tfkit.export.predict import predict
from tfkit.export.questions import read_input


@pytest.fixture(scope="module")
def folder(exported):
    return Path(exported[2]["folder"])


@pytest.fixture(scope="module")
def expected(exported):
    import tensorflow as tf

    model, _, _, rows = exported
    return tf.nn.softmax(model(rows["images"], training=False)[1]).numpy()


def test_npy_in_npz_out_in_slices(folder, exported, expected, tmp_path):
    np.save(tmp_path / "in.npy", exported[3]["images"].astype(np.float64))
    out = tmp_path / "new" / "out.npz"
    answer = predict(folder.parent, tmp_path / "in.npy", out, batch_size=5)
    assert answer["folder"] == str(folder) and answer["signature"] == "predict"
    assert answer["rows"] == 12 and answer["written"] == [str(out)]
    with np.load(out) as stored:
        assert set(stored.files) == {"probabilities", "label", "class_name", "images"}
        np.testing.assert_allclose(stored["probabilities"], expected, atol=1e-6)
        words = np.array([b"circle", b"square", b"heart"])
        np.testing.assert_array_equal(stored["class_name"], words[expected.argmax(-1)])


def test_npz_in_json_out_of_a_signature_with_two_inputs(folder, exported, tmp_path):
    model, _, _, rows = exported
    codes = np.zeros((12, 5), np.int64)  # whole numbers are exact floats
    np.savez(tmp_path / "in.npz", images=rows["images"], latent_vectors=codes)
    out = tmp_path / "out.json"
    answer = predict(folder, tmp_path / "in.npz", out, signature="compare")
    stored = json.loads(out.read_text())
    assert stored["signature"] == "compare"
    live = np.linalg.norm(model(rows["images"], training=False)[0], axis=-1)
    np.testing.assert_allclose(stored["outputs"]["distance"], live, rtol=1e-5)
    assert answer["outputs"]["distance"]["values"] == stored["outputs"]["distance"]


def test_an_input_without_rows_is_called_one(tmp_path):
    np.save(tmp_path / "n.npy", np.int32(3))
    with pytest.raises(UsageError, match="takes n as one value, without a batch axis"):
        read_input(tmp_path / "n.npy", {"n": Spec("int32", ())})
    np.savez(tmp_path / "in.npz", n=np.int32(3), x=np.zeros(2))
    specs = {"n": Spec("int32", ()), "x": Spec("float32", (None,))}
    with pytest.raises(UsageError, match="takes n as one value, without a batch axis"):
        read_input(tmp_path / "in.npz", specs)


def test_nan_is_an_answer_like_another(folder, tmp_path):
    np.save(tmp_path / "in.npy", np.full((2, 8, 6, 1), np.nan, np.float32))
    answer = predict(folder, tmp_path / "in.npy")
    assert np.isnan(answer["outputs"]["probabilities"]["values"]).all()
    assert answer["written"] == []


def test_images_in_png_out(folder, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 8, 6), np.uint8)
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for index, picture in enumerate(pixels):
        Image.fromarray(picture).save(pictures / f"{index}.png")
    (pictures / "notes.txt").write_text("not a picture")
    predict(folder, pictures, tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["0.png", "1.png", "2.png"]
    # the model returns its images: scaled to [0, 1] and back, every byte survives
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "out/1.png")), pixels[1])
    predict(folder, pictures, tmp_path / "grid.png")
    grid = np.asarray(Image.open(tmp_path / "grid.png"))
    assert grid.shape == (8 + 2 + 8, 6 + 2 + 6)
    np.testing.assert_array_equal(grid[:8, 8:], pixels[1])
    np.testing.assert_array_equal(grid[10:, :6], pixels[2])


def test_an_image_of_another_size_and_colour_is_converted(folder, tmp_path):
    Image.new("RGB", (60, 80), (255, 255, 255)).save(tmp_path / "big.jpg")
    answer = predict(folder, tmp_path / "big.jpg")
    assert answer["outputs"]["images"]["shape"] == [1, 8, 6, 1]
    np.testing.assert_array_equal(answer["outputs"]["images"]["values"], np.ones((1, 8, 6, 1)))


def difficult_pictures(folder):
    """Noise of other proportions; with transparency; turned by its EXIF; in a subfolder."""
    noise = np.random.default_rng(1).integers(0, 256, (40, 70, 4), np.uint8)
    (folder / "deep" / "er").mkdir(parents=True)
    Image.fromarray(noise[..., :3]).save(folder / "b.bmp")
    Image.fromarray(noise).save(folder / "a.png")
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.fromarray(noise[..., :3]).save(folder / "deep" / "er" / "c.JPG", exif=turned)
    Image.fromarray(noise[..., 0]).save(folder / "left_out.gif")


@pytest.mark.parametrize("channels", [1, 3])
def test_images_are_read_as_training_reads_them(channels, tmp_path):
    import tensorflow as tf

    difficult_pictures(tmp_path)
    source = images.load(str(tmp_path), image_size=16, channels=channels)
    parts = [batch for split in ("valid", "test") for batch in source.held_out(split, 9)]
    trained = np.concatenate(
        [*(b["images"] for b in parts), next(iter(source.train(1, seed=0)))["images"]]
    )
    spec = {"images": tf.TensorSpec([None, 16, 16, channels], tf.float32)}
    arrays, names = read_input(tmp_path, spec)
    assert names == ["a", "b", "deep-er-c"] and arrays["images"].dtype == np.float32
    assert {a.tobytes() for a in arrays["images"]} == {a.tobytes() for a in trained}


def test_a_signature_that_is_not_square_gets_the_middle(folder, tmp_path):
    wide = np.zeros((8, 18), np.uint8)
    wide[:, 6:12] = np.random.default_rng(2).integers(0, 256, (8, 6))
    Image.fromarray(wide).save(tmp_path / "wide.png")
    answer = predict(folder, tmp_path / "wide.png")
    expected = wide[None, :, 6:12, None] / np.float32(255)
    np.testing.assert_array_equal(answer["outputs"]["images"]["values"], expected)


def test_images_of_more_than_8_bits_are_refused_as_in_training(folder, tmp_path):
    Image.fromarray(np.zeros((9, 9), np.uint16)).save(tmp_path / "deep.png")
    with pytest.raises(UsageError, match="deep.png could not be read .* more than 8 bits"):
        predict(folder, tmp_path / "deep.png")


def test_text_and_numbers_in(exported_half, tmp_path):
    _, _, record, _ = exported_half
    np.savez(tmp_path / "in.npz", colour=np.array(["red", "größe"]), size=np.zeros((2, 2)))
    answer = predict(record["folder"], tmp_path / "in.npz")
    assert answer["outputs"]["score"]["shape"] == [2, 3]


BAD_ARRAYS = {
    "one row": (np.zeros((8, 6, 1)), r"shape \[batch, 8, 6, 1\], got \[8, 6, 1\]; a single row"),
    "other size": (np.zeros((2, 9, 6, 1)), r"got \[2, 9, 6, 1\]\.$"),
    "no rows": (np.zeros((0, 8, 6, 1)), "no rows"),
    "complex": (np.zeros((2, 8, 6, 1), complex), "must be float32, got complex128"),
    "text": (np.full((2, 8, 6, 1), "a"), "must be float32, got <U1"),
    "too large": (np.full((2, 8, 6, 1), 1e300), "cannot hold"),
    "not exact": (np.full((2, 8, 6, 1), 2**24 + 1), "cannot hold"),
}


@pytest.mark.parametrize("case", BAD_ARRAYS)
def test_refuses_an_array_that_does_not_fit(case, folder, tmp_path):
    array, words = BAD_ARRAYS[case]
    np.save(tmp_path / "in.npy", array)
    with pytest.raises(UsageError, match=words):
        predict(folder, tmp_path / "in.npy")


@pytest.mark.parametrize(
    "arrays, words",
    [
        ({"image": np.zeros((2, 8, 6, 1))}, "'images' is missing; did you mean .* image"),
        ({"images": np.zeros((2, 8, 6, 1)), "extra": np.zeros(2)}, "no input 'extra'"),
        ({}, "The file has: nothing"),
    ],
)
def test_refuses_other_keys(arrays, words, folder, tmp_path):
    np.savez(tmp_path / "in.npz", **arrays)
    with pytest.raises(UsageError, match=words):
        predict(folder, tmp_path / "in.npz")


def test_refuses_what_cannot_be_read(folder, tmp_path):
    np.save(tmp_path / "pickle.npy", np.array([{}], object))
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 not a zip")
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    (tmp_path / "table.csv").write_text("1,2")
    (tmp_path / "empty").mkdir()
    for name in ("pickle.npy", "broken.npz", "broken.png", "table.csv"):
        with pytest.raises(UsageError, match=name):
            predict(folder, tmp_path / name)
    for name in ("empty", "nowhere.npy"):
        with pytest.raises(DataMissing, match=name):
            predict(folder, tmp_path / name)


def test_refuses_other_names_and_endings(folder, tmp_path):
    np.save(tmp_path / "in.npy", np.zeros((1, 8, 6, 1)))
    with pytest.raises(UsageError, match="no signature 'predicts'; did you mean predict"):
        predict(folder, tmp_path / "in.npy", signature="predicts")
    with pytest.raises(UsageError, match="several inputs"):
        predict(folder, tmp_path / "in.npy", signature="compare")
    with pytest.raises(UsageError, match="cannot write .csv"):
        predict(folder, tmp_path / "in.npy", tmp_path / "out.csv")
    with pytest.raises(UsageError, match="batch size"):
        predict(folder, tmp_path / "in.npy", batch_size=0)
    with pytest.raises(DataMissing, match="holds no export"):
        predict(tmp_path, tmp_path / "in.npy")
    np.savez(tmp_path / "two.npz", images=np.zeros((1, 8, 6, 1)), latent_vectors=np.zeros((1, 5)))
    with pytest.raises(UsageError, match="No output is a picture"):
        predict(folder, tmp_path / "two.npz", tmp_path / "out.png", signature="compare")
