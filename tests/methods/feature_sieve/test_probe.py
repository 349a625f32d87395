import numpy as np
import pytest

from tests.methods.feature_sieve import toys
from tfkit.methods.feature_sieve.probe import FreshProbe, probe_accuracy


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
    assert history[0] == history[1] and history[2] == history[3]
    features = np.array(model.features(x)[-1])
    probe.set_model(model)
    probe.on_epoch_end(4, logs := {})
    wanted = probe_accuracy(features[:32], y[:32], features[32:], y[32:])
    assert logs == {"probe_accuracy": wanted} and wanted > 0.6


@pytest.mark.parametrize("bad", [{"every": 0}, {"labels": [1]}])
def test_bad_arguments_are_refused(bad):
    with pytest.raises(ValueError, match="FreshProbe: "):
        FreshProbe(**{"inputs": np.zeros((4, 2)), "labels": [0, 1, 0, 1], **bad})
