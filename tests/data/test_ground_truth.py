import numpy as np
import pytest
import tensorflow as tf

from tfkit import recipe as recipes
from tfkit.data import GridSource, dsprites
from tfkit.errors import RecipeError
from tfkit.train.build import load_data

SIZES = {"a": 4, "b": 5, "c": 6}


class Numbers(GridSource):
    """Images of one pixel, the number of the combination; copies differ in the fraction."""

    def __init__(self, **options):
        options = {"validation_size": 10, "test_size": 20, **options}
        super().__init__("numbers", SIZES, (1, 1, 1), **options)

    def draw(self, classes, seeds=None, copy=None):
        number = tf.reduce_sum(classes * tf.constant([30, 6, 1], tf.int64), axis=1)
        parts = tf.cast(number, tf.float32) + tf.cast(copy, tf.float32) / 16
        return parts[:, None, None, None] / 128

    def observe(self, factors, random_state):
        number = np.ravel_multi_index(tuple(self.checked(factors).T), self.factor_sizes)
        return number.reshape(-1, 1, 1, 1).astype(np.float32) / 128

    def fingerprint(self):
        return {}


def factors(source, count=20_000, **options):
    return next(iter(source.train(count, seed=1, **options)))["factors"].numpy()


def held(source, split, batch_size=7):
    return [batch for batch in source.held_out(split, batch_size)]


def test_factors_are_drawn_column_by_column_in_the_studys_order():
    drawn = Numbers().sample_factors(50, np.random.RandomState(3))
    again = np.random.RandomState(3)
    for column, size in zip(drawn.T, SIZES.values(), strict=True):
        np.testing.assert_array_equal(column, again.randint(size, size=50))


def test_an_observation_is_the_image_of_the_pipeline():
    source = Numbers()
    batch = next(iter(source.train(16, seed=0)))
    np.testing.assert_array_equal(source.observe(batch["factors"].numpy(), None), batch["images"])
    assert source.factor_names == ("a", "b", "c") and source.deterministic


def test_training_draws_all_but_the_held_out_evenly():
    source = Numbers()
    number = np.ravel_multi_index(factors(source).T, (4, 5, 6))
    outside = [batch["factors"] for split in ("valid", "test") for batch in held(source, split)]
    outside = np.ravel_multi_index(np.concatenate(outside).T, (4, 5, 6))
    assert len(set(outside)) == 30 and not set(outside) & set(number)
    counts = np.bincount(number, minlength=120)
    expected = 20_000 / 90
    assert np.abs(counts[counts > 0] - expected).max() < 5 * np.sqrt(expected)
    assert np.count_nonzero(counts) == 90


@pytest.mark.parametrize("width", [0.2, 0.7])
def test_correlated_factors_have_the_distribution_of_the_formula(width):
    source = Numbers(correlated=["c", "a"], correlation_width=width)
    drawn = factors(source, 60_000)
    c, a = drawn[:, 2], drawn[:, 0]
    counts = np.bincount(c * 4 + a, minlength=24).reshape(6, 4)
    grid = (np.arange(6)[:, None] / 5 - np.arange(4) / 3) ** 2
    expected = np.exp(-grid / (2 * width**2))
    expected *= 60_000 / expected.sum()
    assert np.all(np.abs(counts - expected) < 5 * np.sqrt(expected) + 1)
    b = np.bincount(drawn[:, 1], minlength=5)  # the held-out images leave the third a little uneven
    assert b.min() > 60_000 / 5 * 0.6
    valid = np.concatenate([batch["factors"] for batch in held(source, "valid")])
    plain = np.concatenate([batch["factors"] for batch in held(Numbers(), "valid")])
    np.testing.assert_array_equal(valid, plain)


def test_correlated_training_never_draws_the_held_out_or_the_excluded():
    source = Numbers(correlated=["a", "b"], excluded=[{"a": [0], "b": [0, 1]}, {"c": [5]}])
    drawn = factors(source)
    assert not np.any((drawn[:, 0] == 0) & (drawn[:, 1] < 2)) and not np.any(drawn[:, 2] == 5)
    outside = [batch["factors"] for split in ("valid", "test") for batch in held(source, split)]
    rows = {tuple(row) for row in np.concatenate(outside)}
    assert not rows & {tuple(row) for row in drawn}


def test_excluded_combinations_can_be_drawn_by_themselves():
    source = Numbers(excluded=[{"a": [0], "b": [0, 1]}])
    assert not np.any((factors(source)[:, 0] == 0) & (factors(source)[:, 1] < 2))
    drawn = source.excluded_factors(500, np.random.RandomState(0))
    assert np.all((drawn[:, 0] == 0) & (drawn[:, 1] < 2))
    assert len(np.unique(drawn, axis=0)) == 2 * 6
    assert Numbers().excluded_factors(5, np.random.RandomState(0)) is None


@pytest.mark.parametrize("options", [{}, {"correlated": ["a", "b"]}])
def test_batches_are_a_function_of_seed_and_step(options):
    source = Numbers(**options)
    whole = [batch["factors"].numpy() for batch in source.train(8, seed=3).take(4)]
    later = [batch["factors"].numpy() for batch in source.train(8, seed=3, start_step=2).take(2)]
    np.testing.assert_array_equal(whole[2:], later)
    assert not np.array_equal(whole[0], whole[1])


def test_copies_are_drawn_anew_and_held_out_one_by_one():
    source = Numbers(images_each=3)
    assert source.count == 360 and not source.deterministic
    images = next(iter(source.train(4_000, seed=0)))["images"].numpy().ravel() * 128 % 1 * 16
    np.testing.assert_allclose(np.bincount(np.rint(images).astype(int)), 4_000 / 3, atol=150)
    one, other = (np.concatenate([b["images"] for b in held(source, "test", n)]) for n in (3, 20))
    np.testing.assert_array_equal(one, other)
    assert len(one) == 20


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"validation_size": 50}, "hold out more than half of the 120 images; 12 each would do"),
        ({"test_size": 0}, r"test_size must be in \[1, 100000\], got 0"),
        ({"excluded": [{"a": [0, 1, 2, 3]}]}, "excluded leaves 0 images, none to train on"),
        ({"excluded": [{"d": [0]}]}, "no factor d"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        Numbers(**options)


def test_small_worlds_are_subsets_of_the_large_one():
    source = dsprites.load(16, values=[3, 3, 10, 8, 8], validation_size=500, test_size=500)
    assert source.factor_sizes == (3, 3, 10, 8, 8)
    batch = next(iter(source.train(64, seed=0)))
    small = batch["factors"].numpy()
    assert np.all(small < source.factor_sizes)
    values = [[0, 1, 2], [0, 3, 5], [round(3.9 * k) for k in range(10)]]
    places = [0, 4, 9, 13, 18, 22, 27, 31]
    large = np.stack(
        [np.array(v)[k] for v, k in zip([*values, places, places], small.T, strict=True)], axis=1
    )
    expected = dsprites.load(16).observe(large, None)
    np.testing.assert_array_equal(batch["images"], expected)
    with pytest.raises(ValueError, match="more than half of the 5760 images; 576 each would do"):
        dsprites.load(16, values=[3, 3, 10, 8, 8])


RECIPE = """
name: x
model: {name: beta_vae, encoder: study_encoder, decoder: study_decoder}
data:
  name: dsprites
  values: [3, 3, 10, 8, 8]
  validation_size: 100
  test_size: 100
  correlated: [scale, x]
  excluded: [{shape: [2], scale: [0, 1]}, {y: [7]}]
"""


def test_a_recipe_can_say_all_of_it():
    data = recipes.from_dict(recipes.parse(RECIPE)).resolved["data"]
    assert data["excluded"] == [{"shape": [2], "scale": [0, 1]}, {"y": [7]}]
    source = load_data({"data": data})
    drawn = factors(source, 2_000)
    assert not np.any(drawn[:, 4] == 7) and source.correlation.columns == (1, 3)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[scale, x]", "scale", "correlated: must be a list of 2 texts, or null, got scale"),
        ("[scale, x]", "[scale]", "correlated: must be a list of 2 texts"),
        (
            "[{shape: [2], scale: [0, 1]}, {y: [7]}]",
            "{y: [7]}",
            "excluded: must be a list of mappings to a list",
        ),
        (
            "{y: [7]}",
            "{y: seven}",
            "excluded.1: in the list: must be a list of mappings to a",
        ),
        ("[3, 3, 10, 8, 8]", "five", "values: must be a list of integers"),
    ],
)
def test_a_recipe_that_says_it_wrongly(old, new, message):
    with pytest.raises(RecipeError) as caught:
        recipes.from_dict(recipes.parse(RECIPE.replace(old, new)))
    assert message in str(caught.value)
