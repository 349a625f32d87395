"""`train.strategy: mirrored` on two devices: it trains, checkpoints and resumes exactly."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys, tempfile
from pathlib import Path
import pytest
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from tests.train import runs

recipe = {
    "name": "mirrored",
    "data": {"name": "dsprites", "image_size": 16, "batch_size": 8, "validation_size": 8},
    "model": {
        "name": "beta_tcvae",
        "encoder": {"name": "study_encoder", "latent_dim": 2},
        "decoder": "study_decoder",
    },
    "train": {"steps": 5, "save_every": 2, "threads": 2, "strategy": "mirrored"},
}
known = runs.recipes.load(recipe)
root = Path(tempfile.mkdtemp())
whole, assembly = runs.run(root / "whole", known)
print("replicas", assembly.model.distribute_strategy.num_replicas_in_sync)
with pytest.MonkeyPatch.context() as patch:
    runs.kill_after(patch, 3)
    with pytest.raises(runs.Killed):
        runs.run(root / "cut", known)
resumed, _ = runs.run(root / "cut", known)
print("equal", runs.bytes_of(whole) == runs.bytes_of(resumed))
"""


@pytest.mark.slow
def test_two_replicas_train_and_resume_exactly():
    root = Path(__file__).parents[2]
    paths = os.pathsep.join([str(root), str(root / "tests")])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "replicas 2" in done.stdout and "equal True" in done.stdout
