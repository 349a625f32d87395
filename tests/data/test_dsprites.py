import json
import os
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tfkit.data import dsprites, outlines, sprites

GOLDEN = json.loads(
    (Path(__file__).parents[1] / "golden" / "disentanglement_dsprites.json").read_text()
)


def random_classes(count, seed=0):
    generator = np.random.default_rng(seed)
    return np.stack([generator.integers(0, size, count) for size in dsprites.SIZES], axis=1)


def inside(classes):
    """The renderer's definition, a point-in-polygon test per pixel, in its own words."""
    shape, scale, orientation, x, y = classes
    angle, size = 2 * np.pi * orientation / 39, 0.5 + 0.1 * scale
    pixels = np.arange(64) + 0.5
    dx, dy = pixels[None, :] - (16 + 32 * x / 31), pixels[:, None] - (16 + 32 * y / 31)
    u = (dx * np.cos(angle) - dy * np.sin(angle)) / size
    v = (dx * np.sin(angle) + dy * np.cos(angle)) / size
    if shape == 0:
        return np.maximum(abs(u), abs(v)) <= GOLDEN["square_half_side"]
    if shape == 1:
        step, radii = np.pi / 32, np.ones(65)
        u, v = v / GOLDEN["ellipse"]["b"], u / GOLDEN["ellipse"]["a"]
    else:
        half = GOLDEN["heart"]["radii"]
        step, radii = np.pi / 48, np.array(half + half[-2::-1])
    phi = np.arctan2(u, v) % (2 * np.pi)
    sector = np.floor(phi / step).astype(int)
    low, high, offset = radii[sector], radii[sector + 1], phi - sector * step
    # the polygon's side in polar coordinates
    edge = low * high * np.sin(step) / (low * np.sin(offset) + high * np.sin(step - offset))
    return np.hypot(u, v) <= edge


def test_every_pixel_is_the_point_in_outline_test():
    classes = random_classes(300)
    expected = np.stack([inside(row) for row in classes])
    np.testing.assert_array_equal(dsprites.render(classes), expected)


@pytest.mark.real_data
@pytest.mark.skipif("TFKIT_DATA" not in os.environ, reason="TFKIT_DATA is not set")
def test_frames_of_the_original():
    path = Path(os.environ["TFKIT_DATA"]) / "dsprites_frames" / "dsprites_frames.npz"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    stored = np.load(path)
    frames = np.unpackbits(stored["frames_packed"], axis=1).reshape(-1, 64, 64)
    wrong = np.sum(dsprites.render(stored["classes"]) != frames, axis=(1, 2))
    assert wrong.sum() <= 12 and np.sum(wrong == 0) >= 314


def test_the_first_and_last_orientation_are_one_image():
    classes = random_classes(50)
    classes[:, 2] = 0
    turned = classes + [0, 0, 39, 0, 0]
    np.testing.assert_array_equal(dsprites.render(classes), dsprites.render(turned))


def test_position_moves_right_and_down():
    small = dsprites.render(np.array([[0, 0, 0, 0, 0], [0, 0, 0, 31, 0], [0, 0, 0, 0, 31]]))
    np.testing.assert_array_equal(small[1], np.roll(small[0], 32, axis=1))
    np.testing.assert_array_equal(small[2], np.roll(small[0], 32, axis=0))
    rows, columns = np.nonzero(small[0])
    assert rows.mean() == columns.mean() == 15.5


@pytest.mark.parametrize("side", (64, 32, 16))
def test_the_graph_draws_what_render_draws(side):
    classes = random_classes(2000, seed=side)
    source = dsprites.load(image_size=side)
    drawn = tf.function(source.draw)(tf.constant(classes)).numpy()[..., 0]
    block = 64 // side
    expected = dsprites.render(classes).reshape(-1, side, block, side, block)
    np.testing.assert_array_equal(drawn, expected.mean(axis=(2, 4), dtype=np.float32))


def test_the_whole_row_of_a_large_batch_is_drawn():
    classes = random_classes(sprites._CHUNK + 3)
    images = dsprites.render(classes)
    np.testing.assert_array_equal(images[-3:], dsprites.render(classes[-3:]))


def test_no_sprite_reaches_beyond_the_table():
    table = outlines.crossings()
    assert table.shape[:2] == (720, 868) and np.all(table[:, [0, -1]] == outlines.NEVER)


def test_training_batches_depend_on_seed_and_step_only():
    source = dsprites.load(image_size=16)
    whole = [batch["factors"].numpy() for batch in source.train(8, seed=3).take(6)]
    later = [batch["factors"].numpy() for batch in source.train(8, seed=3, start_step=4).take(2)]
    np.testing.assert_array_equal(whole[4:], later)
    other = next(iter(source.train(8, seed=4)))["factors"].numpy()
    assert len({factors.tobytes() for factors in (*whole, other)}) == 7


def test_batches_hold_the_images_of_their_factors():
    batch = next(iter(dsprites.load().train(16, seed=0)))
    assert batch["images"].dtype == tf.float32 and batch["factors"].dtype == tf.int32
    images = dsprites.render(batch["factors"].numpy())[..., None]
    np.testing.assert_array_equal(batch["images"], images)


def test_factors_are_uniform():
    factors = next(iter(dsprites.load(image_size=16).train(40_000, seed=1)))["factors"].numpy()
    for column, size in zip(factors.T, dsprites.SIZES, strict=True):
        counts = np.bincount(column, minlength=size)
        assert len(counts) == size
        assert abs(counts - 40_000 / size).max() < 5 * np.sqrt(40_000 / size)


def test_no_image_is_in_two_parts():
    source = dsprites.load(image_size=16, validation_size=100_000, test_size=100_000)

    def numbers(dataset):
        factors = np.concatenate([batch["factors"] for batch in dataset])
        return set(np.ravel_multi_index(factors.T, dsprites.SIZES).tolist())

    valid, test = (numbers(source.held_out(split, 10_000)) for split in ("valid", "test"))
    train = numbers(source.train(10_000, seed=0).take(10))
    assert len(valid) == len(test) == 100_000
    assert not valid & test and not train & (valid | test)


def test_held_out_images_are_fixed():
    one, other = (
        dsprites.load(16, validation_size=70, test_size=30).held_out("valid", 32) for _ in range(2)
    )
    sizes = []
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a["images"], b["images"])
        sizes.append(len(a["images"]))
    assert sizes == [32, 32, 6]


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (np.zeros((2, 6), int), r"shape \[N, 5\]"),
        (np.zeros((2, 5)), "got float64"),
        (np.array([[0, 0, 0, 0, 0], [0, 6, 0, 0, 0]]), "scale must be in 0-5, got 6 in row 1"),
        (np.array([[-1, 0, 0, 0, 0]]), "shape must be in 0-2, got -1 in row 0"),
    ],
)
def test_bad_classes(classes, message):
    with pytest.raises(ValueError, match=message):
        dsprites.render(classes)


def test_bad_options():
    with pytest.raises(ValueError, match="image_size must be 16, 32 or 64, got 48"):
        dsprites.load(image_size=48)
    with pytest.raises(ValueError, match=r"test_size must be in \[1, 100000\], got 0"):
        dsprites.load(test_size=0)
    with pytest.raises(ValueError, match="split must be one of valid, test, got 'train'"):
        dsprites.load().held_out("train", 8)
