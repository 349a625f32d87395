"""A batch that cannot be made ends in the source's own words, whoever asked for it."""

import pytest
import tensorflow as tf

from tests.train import runs
from tfkit.data.source import ArraySource
from tfkit.errors import DataMissing
from tfkit.train import run as running
from tfkit.train.build import assemble, load_data
from tfkit.train.folder import RunFolder
from tfkit.train.measure import measure


class Broken(ArraySource):
    """The toy data, of which nothing can be read."""

    def __init__(self, source):
        super().__init__(source.splits, source.shapes, source="made up")

    def train(self, batch_size, *, seed, start_step=0):
        return super().train(batch_size, seed=seed, start_step=start_step).map(self._fail)

    def held_out(self, split, batch_size):
        return super().held_out(split, batch_size).map(self._fail)

    def _fail(self, batch):
        return {"x": batch["x"], "y": tf.numpy_function(self._read, [batch["y"]], tf.float32)}

    def _read(self, y):
        self.failure = DataMissing("toy: a.jpg is broken")
        raise self.failure


def test_what_broke_is_said_and_not_where(tmp_path):
    known = runs.recipe()
    source = Broken(load_data(known.resolved))
    with pytest.raises(DataMissing, match="^toy: a.jpg is broken$") as error:
        running.train(RunFolder(tmp_path), known.resolved, 1, source=source)
    assert error.value.exit_code == 3
    with pytest.raises(DataMissing, match="^toy: a.jpg is broken$"):
        measure(assemble(known.resolved, 1, source), "valid", None)
