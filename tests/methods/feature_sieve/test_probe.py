import numpy as np
import pytest

from tests.methods.feature_sieve import toys
from tfkit.methods.feature_sieve import FreshProbe, probe_accuracy
from tfkit.methods.feature_sieve.probe import _rotated, _standardised
from tfkit.metrics.multinomial import class_probabilities


def test_reads_what_is_linear_and_nothing_where_there_is_nothing():
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 3, 400)
    noise = generator.normal(size=(400, 2, 4))
    shown = noise + 5 * np.eye(4)[labels][:, None]
    halves = slice(0, 200), slice(200, 400)

    def read(features):
        one, other = halves
        return probe_accuracy(features[one], labels[one], features[other], labels[other])

    assert read(shown) > 0.95 and read(shown * 1e-3 + 7) > 0.95 and read(noise) < 0.5
    assert probe_accuracy(noise[:2], [1, 1], noise, labels) == pytest.approx((labels == 1).mean())


def test_a_callback_logs_it_every_so_many_epochs():
    model, (x, y) = toys.sieve(), toys.blobs(rows=64)
    probe = FreshProbe(x, y, every=2)
    history = model.fit(x, y, epochs=4, verbose=0, callbacks=[probe]).history["probe_accuracy"]
    assert history[0] == history[1] and history[2] == history[3] > 0.6


def test_a_callback_takes_rows_that_are_sorted_by_class():
    model, (x, y) = toys.sieve(), toys.blobs(rows=64)
    order = np.argsort(y)
    probe = FreshProbe(x[order], y[order])
    probe.set_model(model)
    probe.on_epoch_end(0, logs := {})
    assert logs["probe_accuracy"] > 0.6


def test_more_features_than_rows_are_read_in_the_space_of_the_rows(monkeypatch):
    generator = np.random.default_rng(1)
    labels = generator.integers(0, 3, 120)
    features = generator.normal(size=(120, 90)) + 0.5 * labels[:, None] * (np.arange(90) < 3)
    features[:, -1] = 4.0  # constant
    few, asked = slice(0, 60), slice(60, 120)
    (wanted,) = class_probabilities(
        (standardised := _standardised(features[few], features[asked]))[0],
        labels[few],
        standardised[1],
    )
    monkeypatch.setattr("tfkit.methods.feature_sieve.probe._COLUMNS", 7)
    rows, others = _rotated(features[few], features[asked])
    assert rows.shape[1] <= 60
    (found,) = class_probabilities(rows, labels[few], others)
    np.testing.assert_allclose(found, wanted, atol=2e-3)  # where the search for the best one ends
    right = np.mean(wanted.argmax(axis=1) == labels[asked])
    assert probe_accuracy(features[few], labels[few], features[asked], labels[asked]) == right


@pytest.mark.parametrize("bad", [{"every": 0}, {"labels": [1]}, {"labels": np.eye(4)}])
def test_bad_arguments_are_refused(bad):
    with pytest.raises(ValueError, match="FreshProbe: "):
        FreshProbe(**{"inputs": np.zeros((4, 2)), "labels": [0, 1, 0, 1], **bad})
