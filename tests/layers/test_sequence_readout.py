import numpy as np
import pytest

from tfkit.layers import DenseReadout, SequenceReadout

REAL = np.array([[1, 1, 1, 0], [1, 1, 1, 1], [0, 0, 0, 0]], bool)
X = np.random.default_rng(0).normal(size=(3, 4, 5)).astype("float32") * REAL[..., None]


@pytest.mark.parametrize("pooling", ["first", "mean"])
def test_it_reads_what_is_pooled(pooling):
    readout = SequenceReadout(2, pooling, depth=1, width=3)
    found = readout(X)
    pooled = X[:, 0] if pooling == "first" else X.sum(1) / np.maximum(REAL.sum(1), 1)[:, None]
    dense = DenseReadout(2, 1, 3, "none")
    dense.build((None, 5))
    dense.set_weights(readout.get_weights())
    np.testing.assert_allclose(found, dense(pooled), atol=1e-6)


def test_padding_does_not_count():
    readout = SequenceReadout(2, "mean")
    longer = np.pad(X, [(0, 0), (0, 3), (0, 0)])
    np.testing.assert_allclose(readout(longer), readout(X), atol=1e-6)


def test_normalisation_is_over_the_batch_in_training():
    readout = SequenceReadout(2, normalization="batch")
    away = X + 7 * REAL[..., None]
    np.testing.assert_allclose(
        readout(away[:2], training=True), readout(X[:2], training=True), atol=1e-4
    )


def test_other_features_are_refused():
    with pytest.raises(ValueError, match=r"shape \[B, T, D\]"):
        SequenceReadout(2)(np.zeros((2, 3), "float32"))
