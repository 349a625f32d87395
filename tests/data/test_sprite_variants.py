from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfkit.data import dsprites, sprite_variants
from tfkit.errors import DataMissing

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "disentanglement_variants.npz")
# the frames that the golden file names, which the renderer draws exactly
CLASSES = np.array([[1, 5, 29, 0, 0], [0, 5, 36, 0, 0], [2, 5, 39, 31, 26]])
NOISY = ("color", "noisy", "scream")


@pytest.mark.parametrize("name", NOISY)
def test_the_studys_draws(name):
    options = {"background": GOLDEN["scream_image"]} if name == "scream" else {}
    state = np.random.RandomState(int(GOLDEN["seed"]) + 5)
    images = getattr(dsprites, name)(dsprites.render(CLASSES), state, **options)
    assert images.shape == (3, 64, 64, 3)
    np.testing.assert_allclose(images[:, 8:24, 8:24], GOLDEN[f"{name}_crop"], atol=1e-6, rtol=0)
    np.testing.assert_allclose(images.sum(axis=(1, 2, 3)), GOLDEN[f"{name}_sum"], rtol=1e-7)


@pytest.mark.parametrize("name", NOISY)
@pytest.mark.parametrize("size", [16, 64])
def test_noise_is_a_function_of_seed_and_step(name, size):
    source = dsprites.load(size, variant=name, validation_size=70, test_size=10)
    assert not source.deterministic and source.shapes == {"image_shape": (size, size, 3)}
    whole = [batch["images"].numpy() for batch in source.train(8, seed=3).take(4)]
    later = [batch["images"].numpy() for batch in source.train(8, seed=3, start_step=2).take(2)]
    np.testing.assert_array_equal(whole[2:], later)
    one, other = (
        np.concatenate([batch["images"] for batch in source.held_out("valid", size)])
        for size in (9, 70)
    )
    np.testing.assert_array_equal(one, other)
    factors = tf.zeros([6, 5], tf.int64)
    first, second = (source.draw(factors, tf.constant([0, step], tf.int64)) for step in (0, 1))
    assert len({image.numpy().tobytes() for image in (*first, *second)}) == 12


@pytest.mark.parametrize("name", NOISY)
def test_noise_is_drawn_anew_at_every_step(name):
    """Of a world of two images, each is seen often and never twice alike."""
    source = dsprites.load(16, name, None, [1, 1, 1, 1, 4], validation_size=1, test_size=1)
    seen = np.concatenate([batch["images"] for batch in source.train(4, seed=0).take(5)])
    assert len(np.unique(seen.reshape(20, -1), axis=0)) == 20


def test_the_pipelines_crops_are_parts_of_the_picture():
    height, width = 70, 90
    rows, columns = np.mgrid[:height, :width]
    picture = np.stack([rows / 128, columns / 128, 0 * rows], axis=-1).astype(np.float32)
    black = tf.zeros([200, 64, 64, 1])
    seeds = tf.constant([0, 1], tf.int64)
    images = sprite_variants.scream_batch(black, seeds, tf.constant(picture)).numpy()
    step = np.array([1 / 256, 0, 0])
    np.testing.assert_allclose(np.diff(images, axis=1), np.broadcast_to(step, (200, 63, 64, 3)),
                               atol=1e-6)  # fmt: skip
    np.testing.assert_allclose(
        np.diff(images, axis=2), np.broadcast_to(step[[1, 0, 2]], (200, 64, 63, 3)), atol=1e-6
    )
    corner = images[:, 0, 0] * 2  # row / 128 + a colour in [0, 1), and so on
    assert corner[:, 0].max() < 1 + 5 / 128 and corner[:, 1].max() < 1 + 25 / 128
    assert corner[:, 2].max() < 1 and corner.min() >= 0


@pytest.mark.parametrize("name", NOISY)
@pytest.mark.parametrize("size", [16, 64])
def test_the_pipeline_has_the_distribution_of_the_observations(name, size):
    source = dsprites.load(size, variant=name)
    factors = np.tile(CLASSES[:1], (800, 1))
    drawn = source.draw(tf.constant(factors), tf.constant([1, 2], tf.int64)).numpy()
    seen = source.observe(factors, np.random.RandomState(0))
    assert seen.dtype == drawn.dtype == np.float32
    error = np.sqrt((drawn.var(axis=0) + seen.var(axis=0)) / 800) + 1e-7
    assert np.abs((drawn.mean(axis=0) - seen.mean(axis=0)) / error).max() < 6
    np.testing.assert_allclose(drawn.std(axis=0), seen.std(axis=0), atol=0.06)
    # pixels of one image hang together as they do in the observations
    np.testing.assert_allclose(
        drawn.mean(axis=(1, 2, 3)).std(), seen.mean(axis=(1, 2, 3)).std(), rtol=0.15
    )
    assert drawn.min() >= 0 and drawn.max() <= 1


def test_small_noisy_images_are_averages():
    large = dsprites.load(64, variant="noisy").observe(CLASSES, np.random.RandomState(1))
    small = dsprites.load(16, variant="noisy").observe(CLASSES, np.random.RandomState(1))
    np.testing.assert_allclose(
        small, large.reshape(3, 16, 4, 16, 4, 3).mean(axis=(2, 4)), atol=1e-6
    )


def test_a_picture_of_ones_own_is_said_in_the_fingerprint(tmp_path, monkeypatch):
    monkeypatch.setenv("TFKIT_DATA", str(tmp_path))
    pixels = np.random.default_rng(0).integers(0, 256, (700, 500, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    own = dsprites.load(16, variant="scream", background="picture.png")
    assert own.background.shape == (274, 196, 3)
    swirl = dsprites.load(16, variant="scream").fingerprint()
    assert "procedural swirl" in swirl["source"] and "picture.png" in own.fingerprint()["source"]
    assert swirl["sha256"] != own.fingerprint()["sha256"]
    Image.fromarray(pixels[:64]).save(tmp_path / "low.png")
    for name, message in (("low.png", "sides >= 65"), ("none.png", "no file")):
        with pytest.raises(DataMissing, match=message):
            dsprites.load(16, variant="scream", background=name)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dsprites.load(variant="pink"), "variant must be one of plain, .*got 'pink'"),
        (lambda: dsprites.load(variant="color", background="x.png"), "background is for variant"),
        (lambda: dsprites.color(np.zeros((2, 32, 32)), None), r"\[N, 64, 64\], got shape"),
        (lambda: sprite_variants.checked_background(np.zeros((64, 90, 3))), "sides >= 65"),
        (lambda: sprite_variants.checked_background(np.full((70, 90, 3), 200)), "divide bytes"),
    ],
)
def test_bad_options(call, message):
    with pytest.raises(ValueError, match=message):
        call()
