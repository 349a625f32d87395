import keras
import numpy as np
import pytest

from tests.methods.early_readouts.tasks import network, shortcut
from tfkit.models import GroupDRO

X, Y, CLEAR = shortcut(rows=40)
GROUPS = (2 * Y + CLEAR).astype("int32")


def test_keras_may_hold_a_part_out_within_fit():
    model = GroupDRO(network(3), group_counts=np.bincount(GROUPS).tolist())
    model.compile(keras.optimizers.Adam(), run_eagerly=True)
    history = model.fit(X, Y, groups=GROUPS, validation_split=0.25, verbose=0).history
    assert np.isfinite(history["val_loss"]).all()
    with pytest.raises(ValueError, match="takes groups=, and no sample_weight"):
        model.fit(X, Y, sample_weight=GROUPS)
    with pytest.raises(ValueError, match="groups and sample_weight are the same here"):
        model.evaluate(X, Y, groups=GROUPS, sample_weight=GROUPS)
