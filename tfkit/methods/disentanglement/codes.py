"""What an encoder makes of a data set: codes of any factors, each distinct image encoded once."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tfkit.methods.disentanglement.graphs import any_batch_of, compiled_for

_BATCH = 1_000  # images encoded at once
_HELD_OUT = 200  # rows of a batch of held-out images


class Codes:
    """A representation and the data behind it, as the sampling metrics take them.

    Observing factors draws their images and encodes them: a row is the mean of q(z|x) and then its
    log-variance, [B, 2 D]. Where an image is a function of its factors, it is encoded once and
    looked up from then on.

    Args:
        source: images of any combination of factors (`tfkit.data.ground_truth.GroundTruth`).
        encode: images [B, H, W, C] -> rows [B, R].
    """

    def __init__(self, source, encode):
        self.source, self.encode = source, encode
        self.factor_sizes = source.factor_sizes
        self._table = self._known = None  # rows by the number of the combination, and which there

    def observe(self, factors, random_state) -> np.ndarray:
        """Rows of these factors' images.  [B, K] -> [B, R]"""
        if not self.source.deterministic:
            return self._fresh(factors, random_state)
        numbers = np.ravel_multi_index(np.asarray(factors).T, self.factor_sizes)  # [B]
        wanted = np.unique(numbers)
        if self._known is None:
            self._known = np.zeros(int(np.prod(self.factor_sizes)), bool)
        new = wanted[~self._known[wanted]]
        if len(new):
            rows = self._fresh(np.stack(np.unravel_index(new, self.factor_sizes), 1), random_state)
            if self._table is None:
                self._table = np.empty((len(self._known), rows.shape[1]), np.float32)
            self._table[new], self._known[new] = rows, True
        return self._table[numbers]

    def sample(self, count: int, random_state) -> tuple[np.ndarray, np.ndarray]:
        """Rows and factors of independent draws from all combinations.  -> [N, R], [N, K]"""
        factors = self.source.sample_factors(count, random_state)
        return self.observe(factors, random_state), factors

    def _fresh(self, factors, random_state):
        starts = range(0, len(factors), _BATCH)
        chunks = (factors[start : start + _BATCH] for start in starts)
        return np.concatenate([self.encode(self.source.observe(c, random_state)) for c in chunks])


class Truth(Codes):
    """The factors themselves as codes: what no representation can surpass."""

    def __init__(self, source):
        super().__init__(source, None)

    def observe(self, factors, random_state):
        """The class numbers as numbers.  [B, K] -> [B, K]"""
        return np.asarray(factors, np.float32)


class Shuffled(Codes):
    """Codes of other images than those asked for: what chance gives."""

    def __init__(self, codes: Codes):
        super().__init__(codes.source, codes.encode)
        self.codes = codes

    def observe(self, factors, random_state):
        """Rows of as many independent draws.  [B, K] -> [B, R]"""
        return self.codes.sample(len(factors), random_state)[0]


class Sample(NamedTuple):
    """Rows and factors to learn from, and others to be judged on; no factors where none are known.

    Args:
        rows: [N, R].
        factors: [N, K] or None.
        rows_test: [M, R].
        factors_test: [M, K] or None.
    """

    rows: np.ndarray
    factors: np.ndarray | None
    rows_test: np.ndarray
    factors_test: np.ndarray | None


def from_grid(codes: Codes, samples: int, random_state) -> Sample:
    """The study's sample: independent draws from all combinations, half as many for the test."""
    rows, factors = codes.sample(samples, random_state)
    return Sample(rows, factors, *codes.sample(max(samples // 2, 1), random_state))


def from_held_out(encode, source, split: str, samples: int) -> Sample:
    """The first 1.5 `samples` held-out images, or all; a third of them for the test."""
    rows, factors = [], []
    wanted = samples + samples // 2
    for batch in source.held_out(split, _HELD_OUT).take(-(-wanted // _HELD_OUT)):
        rows.append(encode(batch["images"]))
        factors.append(batch.get("factors"))
    rows = np.concatenate(rows)[:wanted]
    factors = None if factors[0] is None else np.concatenate(factors)[:wanted]
    cut = min(samples, max(1, 2 * len(rows) // 3))
    if factors is None:
        return Sample(rows[:samples], None, rows[samples:], None)  # nothing is judged
    return Sample(rows[:cut], factors[:cut], rows[cut:], factors[cut:])


def encoder_of(network):
    """The function images [B, H, W, C] -> rows [B, 2 D] of an encoder."""

    def encode(images):
        graph = compiled_for(network, _encoded, any_batch_of(images))
        return graph(tf.convert_to_tensor(images, tf.float32)).numpy()

    return encode


def _encoded(network, images):
    outputs = network(images, training=False)
    return tf.concat([tf.cast(code, tf.float32) for code in outputs], axis=1)


def mean_of(rows: np.ndarray, random_state=None) -> np.ndarray:
    """The mean representation, which draws nothing.  [N, 2 D] -> [N, D]"""
    return rows[:, : rows.shape[1] // 2]


def sampled_from(rows: np.ndarray, random_state) -> np.ndarray:
    """The sampled representation: one draw from each q(z|x).  [N, 2 D] -> [N, D]"""
    mean, logvar = np.split(rows, 2, axis=1)
    return mean + np.exp(0.5 * logvar) * random_state.standard_normal(mean.shape).astype(np.float32)
