"""The codes that both libraries' metrics are timed on; NumPy only, for either environment."""

import numpy as np

SIZES = [3, 6, 40, 32, 32]  # of dSprites
LATENTS = 10
TRAIN, TEST = 10_000, 5_000


class World:
    """A data set of factors without images, in both libraries' words, and a representation.

    Codes are sums of one table a factor, the first five latents mostly of one factor each, and a
    noise that is a function of the factors. They are computed beforehand, so that encoding is a
    look-up: it costs the same in either library and is not what is timed.
    """

    factor_sizes = factors_num_values = SIZES
    num_factors = len(SIZES)

    def __init__(self):
        state = np.random.RandomState(0)
        tables = [0.2 * state.normal(size=(size, LATENTS)) for size in SIZES]
        for latent, (table, size) in enumerate(zip(tables, SIZES, strict=True)):
            table[:, latent] = np.linspace(-1.5, 1.5, size)
        phase = state.normal(size=(LATENTS, LATENTS))
        every = np.stack([axis.ravel() for axis in np.indices(SIZES)])  # [K, states]
        codes = sum(table[column] for table, column in zip(tables, every, strict=True))
        self.codes = (codes + 0.1 * np.sin(50 * codes @ phase)).astype("float32")

    def sample_factors(self, count, random_state):
        """Independent factors, column by column.  [count, K]"""
        return np.stack([random_state.randint(size, size=count) for size in SIZES], axis=1)

    def observe(self, factors, random_state):
        """The factors themselves stand for images."""
        return factors

    sample_observations_from_factors = observe

    def sample(self, count, random_state):
        """Factors and images."""
        factors = self.sample_factors(count, random_state)
        return factors, factors

    def sample_observations(self, count, random_state):
        """Images."""
        return self.sample_factors(count, random_state)

    def representation(self, factors):
        """Codes.  [B, K] -> [B, D] float32"""
        return self.codes.take(np.ravel_multi_index(factors.T, SIZES), axis=0)

    def drawn(self, seed):
        """Training and test codes and factors of a seed."""
        state = np.random.RandomState(seed)
        parts = [self.sample_factors(count, state) for count in (TRAIN, TEST)]
        return [(self.representation(factors), factors) for factors in parts]
