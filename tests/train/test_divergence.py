"""A run that goes wrong names the step and the first bad tensor, and keeps what was good."""

import numpy as np
import pytest

from tests.train import runs
from tfkit.errors import Diverged
from tfkit.train import checkpoint


def test_a_bad_batch_is_named_with_its_step(tmp_path):
    known = runs.recipes.load(
        {**runs.RECIPE, "data": {"name": "toy_room.data:load", "batch_size": 8, "poison": 17}}
    )
    with pytest.raises(Diverged) as error:
        runs.run(tmp_path / "run", known)
    assert error.value.tensor == "batch/x"
    rows = order_of_first_epoch(known)
    assert error.value.step == rows.index(17) // 8 + 1


def order_of_first_epoch(known):
    """The rows in the order in which training meets them."""
    from tfkit.data import step_indexed
    from tfkit.train.seeds import derive

    seed = derive(known.resolved["seed"], "", 1, "data")
    batches = step_indexed({"row": np.arange(64)}, 8, seed=seed)
    return [int(row) for batch in batches.take(8) for row in batch["row"]]


def test_an_exploding_run_names_its_weights_and_keeps_the_last_good_checkpoint(tmp_path):
    keys = {"optimizer": {"name": "sgd", "learning_rate": 1e12}, "save_every": 1, "steps": 40}
    with pytest.raises(Diverged, match="first tensor that is not finite") as error:
        runs.run(tmp_path / "run", runs.recipe(**keys))
    path = next((tmp_path / "run" / "checkpoints").glob("step-*.npz"))
    kept = checkpoint.load(path)
    assert kept.step == error.value.step - 1
    assert all(np.isfinite(a).all() for a in kept.arrays.values() if a.dtype.kind == "f")
    assert error.value.tensor.startswith(("log/", "model/", "optimizer/", "critic_optimizer/"))


def test_the_chunk_does_not_matter_for_the_diagnosis(tmp_path):
    keys = {"optimizer": {"name": "sgd", "learning_rate": 1e12}, "steps": 40}
    found = []
    for chunk in (1, 7, 40):
        with pytest.raises(Diverged) as error:
            runs.run(tmp_path / str(chunk), runs.recipe(**keys, save_every=chunk))
        found.append((error.value.step, error.value.tensor))
    assert len(set(found)) == 1
