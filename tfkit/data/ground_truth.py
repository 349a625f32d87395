"""Data sets whose images are made from known factors, and may be observed at will."""

import abc

import numpy as np
import tensorflow as tf

from tfkit.data.combinations import correlation, excluded_rows, exclusions, pairs
from tfkit.data.pipeline import shuffled
from tfkit.data.source import Source, checked_split

_HELD_OUT_SEED = 1_812  # of the order in which the held-out images are taken from the whole set
_NOISE_SEED = 2_019  # of the observation noise of the held-out images
_NOISE = 1  # folded into (seed, step), so that noise and factors are drawn apart
_NOISY = 64  # held-out images whose noise is drawn together, whatever the size of the batches


class GroundTruth(Source):
    """A source with factors, which observes images of any combination that it is asked for.

    `factor_sizes` are the numbers of classes of the columns of `factors`; None where the data do
    not have every combination, and then `why_no_grid` tells why. `deterministic`: an observation is
    a function of the factors alone. `few_images`: draws would mostly be images of training.
    """

    factor_sizes: tuple[int, ...] | None = None
    why_no_grid: str = ""
    deterministic: bool = True
    few_images: bool = False

    @abc.abstractmethod
    def observe(self, factors, random_state: np.random.RandomState) -> np.ndarray:
        """Images of factors, observation noise drawn anew.  [B, K] int -> [B, H, W, C] float32"""

    def sample_factors(self, count: int, random_state: np.random.RandomState) -> np.ndarray:
        """Independent uniform draws from all combinations, a column after the other.  -> [B, K]"""
        if self.factor_sizes is None:
            raise ValueError(f"sample_factors: {self.why_no_grid}")
        drawn = [random_state.randint(size, size=count) for size in self.factor_sizes]
        return np.stack(drawn, axis=1)

    def excluded_factors(self, count: int, random_state) -> np.ndarray | None:
        """Draws from the combinations that training never shows; None where there are none."""
        return None


class GridSource(GroundTruth):
    """All combinations of some factors, from which training draws without an end.

        training:  i.i.d. with replacement from all images but the held-out and the excluded ones
        with two factors correlated:  p(c1, c2) ~ exp(-(c1 - c2)^2 / (2 width^2)),  c in [0, 1]

    The held-out images are the first of a fixed random order of all images, the same for every
    seed. Subclasses give `draw` and `observe`.

    Args:
        called: the data set's name, for messages.
        sizes: {factor: number of classes}, the last factor the fastest.
        image_shape: (H, W, C).
        validation_size: held-out images for choosing, >= 1.
        test_size: held-out images for reporting, >= 1.
        correlated: the two factors that are correlated in training, or None.
        correlation_width: the width above, > 0.
        excluded: combinations that training never shows, [{factor: [classes]}], or None.
        images_each: images of one combination, of which one is drawn; more than one is
            observation noise.
    Raises:
        ValueError: an option out of range, an unknown factor or class, or nothing left to train on.
    References: Träuble et al. 2021, arXiv:2006.07886 (correlated factors).
    """

    def __init__(
        self,
        called: str,
        sizes: dict[str, int],
        image_shape: tuple[int, int, int],
        *,
        validation_size: int,
        test_size: int,
        correlated=None,
        correlation_width: float = 0.2,
        excluded=None,
        images_each: int = 1,
    ):
        self.called = called
        self.factor_names, self.factor_sizes = tuple(sizes), tuple(sizes.values())
        self.images_each = images_each
        self.deterministic = images_each == 1
        self.shapes = {"image_shape": tuple(image_shape)}
        self.count = int(np.prod(self.factor_sizes)) * images_each
        self.excluded = exclusions(called, sizes, excluded)
        self._hold_out(validation_size, test_size)
        self.correlation = correlation(called, sizes, correlated, correlation_width)
        self._prepare_training()

    def _hold_out(self, validation_size, test_size):
        for name, size in (("validation_size", validation_size), ("test_size", test_size)):
            if not 1 <= size <= 100_000:
                raise ValueError(f"{self.called}: {name} must be in [1, 100000], got {size}.")
        reserved = validation_size + test_size
        if 2 * reserved > self.count:
            raise ValueError(
                f"{self.called}: validation_size {validation_size} and test_size {test_size} hold "
                f"out more than half of the {self.count} images; {max(1, self.count // 10)} each "
                "would do."
            )
        self.ranges = {"valid": (0, validation_size), "test": (validation_size, reserved)}
        with tf.device("CPU:0"):  # where batches are made
            numbers = tf.range(self.count, dtype=tf.int64)
            order = shuffled(numbers, self.count, _HELD_OUT_SEED).numpy()
            # what training never shows is in no held-out part either: it has scores of its own
            hidden = excluded_rows(self.factor_sizes, self.excluded, order // self.images_each)
            self.order = tf.constant(np.concatenate([order[~hidden], order[hidden]]))
        if np.sum(~hidden) <= reserved:
            raise ValueError(
                f"{self.called}: excluded leaves {np.sum(~hidden)} images, none to train on beside "
                f"validation_size {validation_size} and test_size {test_size}."
            )

    def _prepare_training(self):
        """The images to draw from, those of one pair of correlated classes side by side."""
        pool = self.order.numpy()[self.ranges["test"][1] :]
        combination = pool // self.images_each
        shown = ~excluded_rows(self.factor_sizes, self.excluded, combination)
        pool, combination = pool[shown], combination[shown]
        if self.correlation:
            pair = pairs(self.factor_sizes, self.correlation, combination)
            pool = pool[np.argsort(pair, kind="stable")]
            self.counts = np.bincount(pair, minlength=self.correlation.weights.size)  # [pairs]
            weights = self.correlation.weights * (self.counts > 0)
            if not weights.sum() > 0:
                raise ValueError(
                    f"{self.called}: excluded leaves no image to train on that correlated allows."
                )
            self.cumulative = np.cumsum(weights) / weights.sum()
        with tf.device("CPU:0"):
            self.pool = tf.constant(pool)

    def train(self, batch_size, *, seed, start_step=0):
        """Independent draws from all images but the held-out and the excluded ones."""

        def batch(step):
            seeds = tf.stack([tf.constant(seed, tf.int64), step])
            place = self._places(batch_size, seeds)
            noise = tf.random.experimental.stateless_fold_in(seeds, _NOISE)
            return self._examples(tf.gather(self.pool, place), noise)

        return tf.data.Dataset.counter(start_step).map(batch).prefetch(tf.data.AUTOTUNE)

    def _places(self, batch_size, seeds):
        """Where in the pool the images of a batch are.  -> [B] int64"""
        if not self.correlation:
            size = tf.cast(len(self.pool), tf.int64)
            zero = tf.constant(0, tf.int64)
            return tf.random.stateless_uniform([batch_size], seeds, zero, size, dtype=tf.int64)
        which, within = tf.unstack(
            tf.random.stateless_uniform([2, batch_size], seeds, dtype=tf.float64)
        )
        pair = tf.searchsorted(tf.constant(self.cumulative), which, side="right")
        pair = tf.minimum(pair, int(np.flatnonzero(self.counts)[-1]))  # where the sum rounds
        first = np.cumsum(self.counts) - self.counts
        count = tf.gather(tf.constant(self.counts, tf.float64), pair)
        offset = tf.cast(tf.floor(within * count), tf.int64)
        return tf.gather(tf.constant(first, tf.int64), pair) + offset

    def held_out(self, split, batch_size):
        """The first places of a fixed order of the whole set."""
        start, stop = self.ranges[checked_split(split)]
        seed = tf.constant(_NOISE_SEED, tf.int64)

        def batch(number, places):
            return self._examples(places, tf.stack([seed, start + number]))

        places = tf.data.Dataset.from_tensor_slices(self.order[start:stop])
        if self.deterministic:
            return places.batch(batch_size).enumerate().map(batch).prefetch(tf.data.AUTOTUNE)
        noisy = places.batch(_NOISY).enumerate().map(batch)
        return noisy.rebatch(batch_size).prefetch(tf.data.AUTOTUNE)

    def steps_per_epoch(self, batch_size):
        """None: factors are drawn with replacement."""
        return None

    def _examples(self, number, seeds):
        """Images and factors of image numbers.  [B] -> [B, H, W, C], [B, K]"""
        sizes = np.int64([*self.factor_sizes, self.images_each])
        classes = tf.transpose(tf.unravel_index(number, sizes))  # [B, K + 1], the last the copy
        images = self.draw(classes[:, :-1], seeds, classes[:, -1])
        return {"images": images, "factors": tf.cast(classes[:, :-1], tf.int32)}

    @abc.abstractmethod
    def draw(self, classes, seeds=None, copy=None):
        """Images as TensorFlow operations, noise a function of `seeds`.

        Shapes: [B, K] int64, [2] int64, [B] int64 below images_each -> [B, H, W, C]
        """

    def excluded_factors(self, count, random_state):
        """Draws from the combinations that training never shows; None where there are none."""
        if not self.excluded:
            return None
        rows = np.arange(self.count // self.images_each)
        rows = rows[excluded_rows(self.factor_sizes, self.excluded, rows)]
        drawn = rows[random_state.randint(len(rows), size=count)]
        return np.stack(np.unravel_index(drawn, self.factor_sizes), axis=1)

    def checked(self, factors) -> np.ndarray:
        """Class numbers of the grid as int64, or ValueError.  [B, K]"""
        return checked_classes(self.called, self.factor_names, self.factor_sizes, factors)


def checked_classes(called: str, names, sizes, classes) -> np.ndarray:
    """Class numbers as int64; ValueError for another shape or type, or a class out of range."""
    classes = np.asarray(classes)
    if classes.ndim != 2 or classes.shape[1] != len(sizes) or classes.dtype.kind not in "iu":
        raise ValueError(
            f"{called}: classes must be integers of shape [N, {len(sizes)}] ({', '.join(names)}), "
            f"got {classes.dtype} of shape {classes.shape}."
        )
    wrong = np.argwhere((classes < 0) | (classes >= sizes))
    if len(wrong):
        row, column = wrong[0]
        raise ValueError(
            f"{called}: {names[column]} must be in 0-{sizes[column] - 1}, "
            f"got {classes[row, column]} in row {row}."
        )
    return classes.astype(np.int64)
